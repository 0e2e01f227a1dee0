"""XXH64 over many strings, against the xxhash package."""

import numpy as np
import pytest
import xxhash
from hypothesis import given
from hypothesis import strategies as st

from hybridhash.hashing.text import from_python
from hybridhash.hashing.xxh64 import xxh64

SEEDS = [0, 1, 2**63, 2**64 - 1]


def hashes(values: list[bytes], seed: int) -> list[int]:
    strings = from_python(values)
    return [int(word) for word in xxh64(strings.data, strings.starts, strings.lengths, seed)]


@given(st.lists(st.binary(max_size=200), max_size=20), st.integers(0, 2**64 - 1))
def test_it_is_xxh64(values: list[bytes], seed: int) -> None:
    assert hashes(values, seed) == [xxhash.xxh64_intdigest(value, seed) for value in values]


@pytest.mark.parametrize("seed", SEEDS)
def test_every_length_to_three_stripes_at_every_alignment(seed: int) -> None:
    data = np.random.default_rng(1).integers(0, 256, size=200, dtype=np.uint8)
    lengths, starts = (grid.ravel() for grid in np.meshgrid(np.arange(100), np.arange(17)))
    found = xxh64(data, starts.astype(np.int64), lengths.astype(np.int64), seed)
    for word, start, length in zip(found, starts, lengths, strict=True):
        assert word == xxhash.xxh64_intdigest(data[start : start + length].tobytes(), seed)


def test_blocks_do_not_show() -> None:
    values = [b"%d" % index for index in range(2**14 + 5)]
    assert hashes(values, 3) == [xxhash.xxh64_intdigest(value, 3) for value in values]


def test_strings_may_overlap_and_come_in_any_order() -> None:
    data = np.frombuffer(b"abcdefgh", dtype=np.uint8)
    found = xxh64(data, np.array([4, 0, 2]), np.array([4, 8, 3]), 0)
    assert found.tolist() == [xxhash.xxh64_intdigest(part) for part in (b"efgh", b"abcdefgh", b"cde")]
