"""Names, shapes and memory of the arrays of a table."""

import numpy as np
import pytest

from hybridhash.errors import FileFormatError
from hybridhash.hashing import Fingerprints, Ribbon
from hybridhash.packing import pack_rows
from hybridhash.spec import TableSpec, Tier
from hybridhash.tables import at_cache_line, expected_arrays, read_rows, row_arrays, shipped_tiers

SPEC = TableSpec(
    160,
    5,
    6,
    tiers=(Tier(40), Tier(30, 0), Tier(50, 4, 9, Fingerprints(10)), Tier(40, 8, 4, Ribbon(3))),
    tail_bits=8,
)


def test_the_arrays_that_a_file_must_hold() -> None:
    """By hand: 40 keys take 64 positions and a salt; 50 take 72; a ribbon of 40 keys two blocks of 5 bits, a salt."""
    assert expected_arrays(SPEC, "deep.0.", "all") == {
        "dictionary.0.all": ((65,), "int64"),
        "dictionary.2.all": ((72 * 10 // 8 + 8,), "uint8"),
        "codes.2.all": ((72 * 4 // 8 + 7,), "uint8"),
        "dictionary.3.all": ((2 * 5 + 1,), "int64"),
        "deep.0.head.0": ((64, 6), "float32"),
        "deep.0.head.2": ((9 * 6 // 2 + 7,), "uint8"),
        "deep.0.head.2.scales": ((4 + 2,), "uint8"),
        "deep.0.head.3": ((4 * 6 + 7,), "uint8"),
        "deep.0.head.3.scales": ((4 + 1,), "uint8"),
        "deep.0.tail": ((5 * 6 + 7,), "uint8"),
        "deep.0.tail.scales": ((4 + 1,), "uint8"),
    }


def test_rows_come_back_as_they_were_named() -> None:
    slabs = [
        pack_rows(np.random.default_rng(0).normal(size=(rows, 6)).astype(np.float32), bits)
        for rows, bits in ((64, 32), (9, 4), (4, 8), (5, 8))
    ]
    arrays = row_arrays(slabs, shipped_tiers(SPEC), "x.")
    for slab, again in zip(slabs, read_rows(arrays, SPEC, "x."), strict=True):
        np.testing.assert_array_equal(slab.codes, again.codes)
        np.testing.assert_array_equal(slab.scales, again.scales)
    with pytest.raises(FileFormatError, match=r"x\.tail: expected uint8 of shape"):
        read_rows({**arrays, "x.tail": arrays["x.tail"][1:]}, SPEC, "x.")


def test_memory_begins_with_a_cache_line() -> None:
    for offset in range(8):
        source = np.arange(300)[offset:]
        found = at_cache_line(source)
        assert found.ctypes.data % 64 == 0
        np.testing.assert_array_equal(found, source)
        assert not np.shares_memory(at_cache_line(found, copy=True), found)
        assert at_cache_line(found) is found
