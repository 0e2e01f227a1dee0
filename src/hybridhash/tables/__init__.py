"""The compressed table, without torch: what it is to be, what is shipped, and the file that holds it."""

from hybridhash.tables.arrays import (
    SCALES,
    at_cache_line,
    codes_name,
    dictionary_name,
    expected_arrays,
    head_name,
    index_arrays,
    read_index,
    read_rows,
    row_arrays,
    shipped_tiers,
    tail_name,
)
from hybridhash.tables.blueprint import Blueprint
from hybridhash.tables.index import KeyIndex, TierDictionary
from hybridhash.tables.packing import WIDE_FACTOR, TrainedRows, pack_tables
from hybridhash.tables.shipped import FORMAT, ShippedTable

__all__ = [
    "FORMAT",
    "SCALES",
    "WIDE_FACTOR",
    "Blueprint",
    "KeyIndex",
    "ShippedTable",
    "TierDictionary",
    "TrainedRows",
    "at_cache_line",
    "codes_name",
    "dictionary_name",
    "expected_arrays",
    "head_name",
    "index_arrays",
    "pack_tables",
    "read_index",
    "read_rows",
    "row_arrays",
    "shipped_tiers",
    "tail_name",
]
