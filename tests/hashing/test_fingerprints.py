"""Against fingerprints by Python integers, and the rate of strangers against its formula."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybridhash.errors import InvalidValueError
from hybridhash.hashing import (
    find_fingerprints,
    find_positions,
    fingerprint_bytes,
    num_positions,
    place_fingerprints,
    place_keys,
)
from hybridhash.hashing.mix import mix64
from hybridhash.theory import false_positive_rate

int64s = st.integers(-(2**63), 2**63 - 1) | st.sampled_from([0, -1, 2**63 - 1, -(2**63)])


def fingerprint(key: int, salt: int, bits: int) -> int:
    return max(mix64(mix64((key + salt) % 2**64)) >> (64 - bits), 1)


@settings(deadline=None)
@given(st.lists(int64s, unique=True, max_size=40), st.lists(int64s, max_size=40), st.integers(4, 32))
def test_the_first_place_that_holds_the_fingerprint(keys: list[int], others: list[int], bits: int) -> None:
    exact = place_keys(np.array(keys, dtype=np.int64))
    dictionary = place_fingerprints(np.array(keys, dtype=np.int64), bits)
    assert dictionary.size == fingerprint_bytes(len(keys), bits)
    if not keys:
        assert find_fingerprints(np.array(others, dtype=np.int64), dictionary, bits).tolist() == [-1] * len(
            others
        )
        return
    salt = int(exact[-1]) % 2**64
    assert int.from_bytes(dictionary[-8:].tobytes(), "little") == salt
    together = int.from_bytes(dictionary[:-8].tobytes(), "little")
    stored = [(together >> (place * bits)) & (2**bits - 1) for place in range(num_positions(len(keys)))]
    positions = find_positions(np.array(keys, dtype=np.int64), exact).tolist()
    expected = [0] * len(stored)
    for key, position in zip(keys, positions, strict=True):
        expected[position] = fingerprint(key, salt, bits)
    assert stored == expected
    asked = keys + others
    for key, found in zip(asked, find_fingerprints(np.array(asked), dictionary, bits).tolist(), strict=True):
        h = mix64((key + salt) % 2**64)
        halves = (h, ((h << 32) | (h >> 32)) % 2**64)
        buckets = [half * (len(stored) // 8) >> 64 for half in halves]
        places = [8 * bucket + slot for bucket in buckets for slot in range(8)]
        holding = [place for place in places if stored[place] == fingerprint(key, salt, bits)]
        assert found == (holding[0] if holding else -1)


@pytest.mark.parametrize("bits", [4, 11, 16])
def test_strangers_are_found_as_often_as_the_formula_says(bits: int) -> None:
    """Within five standard deviations of a binomial count."""
    generator = np.random.default_rng(bits)
    distinct = generator.permutation(np.unique(generator.integers(-(2**63), 2**63, 700_000)))
    keys, strangers = distinct[:200_000], distinct[200_000:]
    dictionary = place_fingerprints(keys, bits)
    found = int((find_fingerprints(strangers, dictionary, bits) >= 0).sum())
    rate = false_positive_rate(bits, keys.size / num_positions(keys.size))
    deviation = math.sqrt(strangers.size * rate * (1 - rate))
    assert abs(found - strangers.size * rate) < 5 * deviation + 1


@pytest.mark.parametrize("bits", [3, 33])
def test_bits_out_of_range_are_refused(bits: int) -> None:
    with pytest.raises(InvalidValueError, match=f"bits: expected 4 to 32, got {bits}"):
        place_fingerprints(np.arange(3), bits)


def test_keys_that_come_twice_are_refused() -> None:
    with pytest.raises(InvalidValueError):
        place_fingerprints(np.array([1, 1]), 8)
