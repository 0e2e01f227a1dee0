"""The arrays of a table by the names that they have in a file."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from hybridhash.errors import FileFormatError
from hybridhash.packing import FLOAT_BITS, PackedRows, packed_bytes, scale_bytes
from hybridhash.spec import TableSpec
from hybridhash.tables.index import KeyIndex, no_codes

Array = npt.NDArray[Any]
Arrays = Mapping[str, Array]

SCALES: Final = ".scales"
KEYS: Final = "keys"
"""Name of the index of a table that stands in a file of its own."""

_LINE_BYTES: Final = 64


def head_name(tier: int, prefix: str = "") -> str:
    """Return the name of the rows of a tier. Packed rows have `SCALES` beside."""
    return f"{prefix}head.{tier}"


def tail_name(prefix: str = "") -> str:
    """Return the name of the rows of the tail."""
    return f"{prefix}tail"


def dictionary_name(tier: int, index: str = KEYS) -> str:
    """Return the name of the dictionary of a tier of an index."""
    return f"dictionary.{tier}.{index}"


def codes_name(tier: int, index: str = KEYS) -> str:
    """Return the name of the codes of a tier of an index."""
    return f"codes.{tier}.{index}"


def shipped_tiers(spec: TableSpec) -> list[int]:
    """Return the indices of the tiers that are shipped."""
    return [place for place, tier in enumerate(spec.head_tiers) if tier.is_shipped]


def slab_shapes(spec: TableSpec) -> list[tuple[int, int, int]]:
    """Return rows, width and bits of each tier that is shipped, then of the tail."""
    heads = (spec.head_tiers[place] for place in shipped_tiers(spec))
    return [
        *((tier.num_rows, spec.dim, tier.bits) for tier in heads),
        (spec.num_buckets, spec.bucket_dim, spec.tail_bits),
    ]


def expected_arrays(
    spec: TableSpec, prefix: str = "", index: str = KEYS
) -> dict[str, tuple[tuple[int, ...], str]]:
    """Return shape and type of every array of a table by its name.

    Args:
        spec: The table.
        prefix: The text before the names of rows.
        index: Name of the index.
    """
    expected: dict[str, tuple[tuple[int, ...], str]] = {}
    for place in shipped_tiers(spec):
        tier = spec.head_tiers[place]
        length = tier.dictionary.length(tier.num_keys, tier.code_bits)
        expected[dictionary_name(place, index)] = ((length,), np.dtype(tier.dictionary.dtype).name)
        if tier.num_codes and not tier.dictionary.holds_codes:
            expected[codes_name(place, index)] = ((tier.code_bytes,), "uint8")
    for name, (num_rows, width, bits) in zip(_slab_names(spec, prefix), slab_shapes(spec), strict=True):
        if bits == FLOAT_BITS:
            expected[name] = ((num_rows, width), "float32")
            continue
        expected[name] = ((packed_bytes(num_rows * width, bits),), "uint8")
        scales = scale_bytes(num_rows * width, bits)
        if scales:
            expected[name + SCALES] = ((scales,), "uint8")
    return expected


def row_arrays(slabs: Sequence[PackedRows], tiers: Sequence[int], prefix: str = "") -> dict[str, Array]:
    """Return the rows of a table, and their scales, by name.

    Args:
        slabs: Those of the tiers that are shipped, then those of the tail.
        tiers: The tiers from `shipped_tiers`.
        prefix: The text before the names.
    """
    names = [*(head_name(tier, prefix) for tier in tiers), tail_name(prefix)]
    rows = {name: slab.codes for name, slab in zip(names, slabs, strict=True)}
    scales = {name + SCALES: slab.scales for name, slab in zip(names, slabs, strict=True) if slab.scales.size}
    return {**rows, **scales}


def index_arrays(index: KeyIndex, name: str = KEYS) -> dict[str, Array]:
    """Return the dictionaries and codes of an index by name."""
    arrays = {dictionary_name(one.tier, name): one.places for one in index.dictionaries}
    return arrays | {codes_name(one.tier, name): one.codes for one in index.dictionaries if one.codes.size}


def read_index(arrays: Arrays, spec: TableSpec, name: str = KEYS) -> KeyIndex:
    """Build the index that `index_arrays` described.

    Raises:
        KeyError: An array is missing.
        InvalidValueError: An array is not that of the spec.
    """
    tiers = shipped_tiers(spec)
    places = [at_cache_line(arrays[dictionary_name(tier, name)]) for tier in tiers]
    codes = [arrays.get(codes_name(tier, name), no_codes()) for tier in tiers]
    return KeyIndex.shipped(spec, places, codes)


def read_rows(arrays: Arrays, spec: TableSpec, prefix: str = "") -> list[PackedRows]:
    """Build the rows that `row_arrays` described.

    Raises:
        KeyError: An array is missing.
        FileFormatError: An array has another shape or type than the spec says.
    """
    expected = expected_arrays(spec, prefix)
    slabs = []
    for name, (num_rows, width, bits) in zip(_slab_names(spec, prefix), slab_shapes(spec), strict=True):
        for part in (name, name + SCALES):
            if part in expected and (arrays[part].shape, arrays[part].dtype.name) != expected[part]:
                shape, dtype = expected[part]
                raise FileFormatError(
                    f"{part}: expected {dtype} of shape {shape}, got {arrays[part].dtype} of shape {arrays[part].shape}"
                )
        scales = arrays.get(name + SCALES, np.empty(0, dtype=np.uint8))
        slabs.append(PackedRows(at_cache_line(arrays[name]), scales, bits, width, num_rows))
    return slabs


def at_cache_line(array: Array, *, copy: bool = False) -> Array:
    """Return an array whose memory begins with a cache line.

    A line of a dictionary of exact keys, or a row of 64 bytes, then lies in one cache line.

    Args:
        array: An array of any shape.
        copy: Whether to copy the array also where its memory begins with a cache line.
    """
    if not copy and array.ctypes.data % _LINE_BYTES == 0 and array.flags.c_contiguous:
        return array
    room = np.empty(array.nbytes + _LINE_BYTES, dtype=np.uint8)
    first = -room.ctypes.data % _LINE_BYTES
    aligned: Array = room[first : first + array.nbytes].view(array.dtype).reshape(array.shape)
    aligned[...] = array
    return aligned


def _slab_names(spec: TableSpec, prefix: str) -> list[str]:
    return [*(head_name(tier, prefix) for tier in shipped_tiers(spec)), tail_name(prefix)]
