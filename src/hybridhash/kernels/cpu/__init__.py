"""The CPU engine: C++ kernels on raw arrays, as torch operators."""

from hybridhash.kernels.cpu.fused import MAX_FUSED_DIM, update
from hybridhash.kernels.cpu.lookup import MAX_DICTIONARIES, Lookup, encode
from hybridhash.kernels.cpu.ops import MAX_HASHES, ROW_DTYPES, embedding_bag
from hybridhash.kernels.cpu.packed import packed_embedding_bag
from hybridhash.kernels.cpu.tensors import empty_rows, from_numpy

__all__ = [
    "MAX_DICTIONARIES",
    "MAX_FUSED_DIM",
    "MAX_HASHES",
    "ROW_DTYPES",
    "Lookup",
    "embedding_bag",
    "empty_rows",
    "encode",
    "from_numpy",
    "packed_embedding_bag",
    "update",
]
