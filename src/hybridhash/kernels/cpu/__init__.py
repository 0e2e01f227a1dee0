"""The CPU engine: C++ kernels on raw arrays, as torch operators."""

from hybridhash.kernels.cpu.ops import (
    MAX_FUSED_DIM,
    MAX_HASHES,
    ROW_DTYPES,
    Lookup,
    embedding_bag,
    empty_rows,
    encode,
    pool_and_update,
)

__all__ = [
    "MAX_FUSED_DIM",
    "MAX_HASHES",
    "ROW_DTYPES",
    "Lookup",
    "embedding_bag",
    "empty_rows",
    "encode",
    "pool_and_update",
]
