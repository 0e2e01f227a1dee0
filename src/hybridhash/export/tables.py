"""The tables of a bundle, read with numpy: which arrays they are, and the vectors of keys."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from hybridhash.export.layout import SCALES, codes_name, dictionary_name, head_name, tail_name
from hybridhash.hashing import hash_buckets
from hybridhash.packing import (
    FLOAT_BITS,
    PackedRows,
    packed_bytes,
    scale_bytes,
    unpack_integers,
    unpack_rows,
)
from hybridhash.spec import NOT_SHIPPED, GroupSpec, Tier

Floats = npt.NDArray[np.float32]
Int64s = npt.NDArray[np.int64]
Tensors = Mapping[str, npt.NDArray[Any]]


def table_tensors(part: str, index: int, group: GroupSpec) -> dict[str, tuple[tuple[int, ...], str]]:
    """Return shape and type of every array of a table by its name.

    Args:
        part: ``deep`` or ``wide``.
        index: Place of the group in its part.
        group: The table and its dictionary.
    """
    table = group.table
    wanted = _slab(tail_name(part, index), table.num_buckets, table.bucket_dim, table.tail_bits)
    for place, tier in enumerate(table.head_tiers):
        if tier.bits == NOT_SHIPPED:
            continue
        wanted |= _slab(head_name(part, index, place), tier.num_rows, table.dim, tier.bits)
        length = tier.dictionary.length(tier.num_keys, tier.code_bits)
        wanted[dictionary_name(group.dictionary, place)] = ((length,), np.dtype(tier.dictionary.dtype).name)
        if tier.num_codes and not tier.dictionary.holds_codes:
            wanted[codes_name(group.dictionary, place)] = ((tier.code_bytes,), "uint8")
    return wanted


def key_vectors(keys: Int64s, tensors: Tensors, part: str, index: int, group: GroupSpec) -> Floats:
    """Return the vector of each key.

    Args:
        keys: int64[N].
        tensors: The arrays of the bundle.
        part: ``deep`` or ``wide``.
        index: Place of the group in its part.
        group: The table and its dictionary.

    Returns:
        float32[N, D].
    """
    table = group.table
    vectors = np.empty((keys.size, table.dim), dtype=np.float32)
    left = np.arange(keys.size)
    for place, tier in enumerate(table.head_tiers):
        if tier.bits == NOT_SHIPPED:
            continue
        row = _rows_in(keys[left], tensors, group.dictionary, place, tier)
        found = row >= 0
        rows = row[found]
        slab = _packed(tensors, head_name(part, index, place), tier.num_rows, table.dim, tier.bits)
        vectors[left[found]] = unpack_rows(slab, rows)
        left = left[~found]
    if left.size:
        slab = _packed(tensors, tail_name(part, index), table.num_buckets, table.bucket_dim, table.tail_bits)
        chunks = unpack_rows(slab, hash_buckets(keys[left], table.num_buckets, table.num_hashes, table.seed))
        if table.combine == "concat":
            vectors[left] = chunks.reshape(left.size, -1)
        else:
            vectors[left] = chunks.sum(axis=1) if table.combine == "sum" else chunks.mean(axis=1)
    return vectors


def _rows_in(keys: Int64s, tensors: Tensors, name: str, place: int, tier: Tier) -> Int64s:
    """Return the row of each key in its tier, int64[N], or -1."""
    dictionary = tensors[dictionary_name(name, place)]
    row = tier.dictionary.find(keys, dictionary, tier.code_bits)
    if not tier.num_codes:
        return row
    if not tier.dictionary.holds_codes:
        found = row >= 0
        row[found] = unpack_integers(tensors[codes_name(name, place)], tier.code_bits, row[found])
    # As the kernels do: a code beyond the rows reads the last.
    return np.minimum(row, tier.num_rows - 1)


def _slab(name: str, num_rows: int, width: int, bits: int) -> dict[str, tuple[tuple[int, ...], str]]:
    if bits == FLOAT_BITS:
        return {name: ((num_rows, width), "float32")}
    wanted: dict[str, tuple[tuple[int, ...], str]] = {
        name: ((packed_bytes(num_rows * width, bits),), "uint8")
    }
    scales = scale_bytes(num_rows * width, bits)
    return wanted | ({name + SCALES: ((scales,), "uint8")} if scales else {})


def _packed(tensors: Tensors, name: str, num_rows: int, width: int, bits: int) -> PackedRows:
    scales = tensors.get(name + SCALES, np.empty(0, dtype=np.uint8))
    return PackedRows(tensors[name], scales, bits, width, num_rows)
