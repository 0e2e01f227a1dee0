"""Rows of a few bits, rows shared by clusters, integers packed bit by bit; the numpy form is the definition."""

from hybridhash.packing.clusters import Sensitivity, cluster_rows
from hybridhash.packing.integers import pack_integers, packed_bytes, unpack_integers
from hybridhash.packing.rows import (
    FLOAT_BITS,
    ROW_BITS,
    SCALE_BLOCK,
    PackedRows,
    pack_rows,
    scale_bytes,
    unpack_rows,
)

__all__ = [
    "FLOAT_BITS",
    "ROW_BITS",
    "SCALE_BLOCK",
    "PackedRows",
    "Sensitivity",
    "cluster_rows",
    "pack_integers",
    "pack_rows",
    "packed_bytes",
    "scale_bytes",
    "unpack_integers",
    "unpack_rows",
]
