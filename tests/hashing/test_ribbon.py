"""Codes without keys, against the definition in Python integers, and the rate of strangers against its formula."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybridhash.errors import InvalidValueError
from hybridhash.hashing import build_ribbon, find_in_ribbon, ribbon_words
from hybridhash.hashing.mix import mix64
from hybridhash.hashing.ribbon import MAX_CHECK_BITS, MAX_RIBBON_BITS

int64s = st.integers(-(2**63), 2**63 - 1) | st.sampled_from([0, -1, 2**63 - 1, -(2**63)])


def read(key: int, ribbon: list[int], code_bits: int, check_bits: int) -> int:
    """Follow docs/packing.md with one slot after the other."""
    value_bits = code_bits + check_bits
    *words, salt = ribbon
    h = mix64((key + salt) % 2**64)
    g = mix64(h)
    slots = 64 * len(words) // value_bits
    start = h * (slots - 63) >> 64
    value = 0
    for distance in range(64):
        if (g | 1) >> distance & 1:
            slot = start + distance
            block = words[slot // 64 * value_bits : (slot // 64 + 1) * value_bits]
            value ^= sum((word >> slot % 64 & 1) << bit for bit, word in enumerate(block))
    check = mix64(g) >> (64 - check_bits) if check_bits else 0
    return value % 2**code_bits if value >> code_bits == check else -1


@settings(deadline=None)
@given(
    st.lists(int64s, unique=True, max_size=150),
    st.lists(int64s, max_size=30),
    st.integers(1, 17),
    st.integers(0, 12),
    st.integers(0, 2**32),
)
def test_every_key_reads_its_code_and_strangers_what_the_definition_says(
    keys: list[int], others: list[int], code_bits: int, check_bits: int, seed: int
) -> None:
    codes = np.random.default_rng(seed).integers(0, 2**code_bits, len(keys)).astype(np.uint32)
    ribbon = build_ribbon(np.array(keys, dtype=np.int64), codes, code_bits, check_bits)
    assert ribbon.dtype == np.int64
    assert ribbon.size == ribbon_words(len(keys), code_bits + check_bits)
    assert (
        find_in_ribbon(np.array(keys, dtype=np.int64), ribbon, code_bits, check_bits).tolist()
        == codes.tolist()
    )
    found = find_in_ribbon(np.array(others, dtype=np.int64), ribbon, code_bits, check_bits)
    if not keys:
        assert found.tolist() == [-1] * len(others)
        return
    words = [int(word) % 2**64 for word in ribbon]
    assert found.tolist() == [read(key, words, code_bits, check_bits) for key in others]


@pytest.mark.parametrize(
    ("num_keys", "value_bits", "words"),
    [
        (0, 9, 0),
        (1, 9, 2 * 9 + 1),  # 65 slots, of 64 in a block
        (1000, 4, 18 * 4 + 1),  # 1000 + 50 + 64 = 1114
        (4096, 4, 69 * 4 + 1),  # 5.8 % from 4096 on: 4096 + 237 + 64 = 4397
        (1 << 20, 1, 18385),  # 12.2 %: 1048576 + 127926 + 64 slots
    ],
)
def test_words_by_hand(num_keys: int, value_bits: int, words: int) -> None:
    assert ribbon_words(num_keys, value_bits) == words


@pytest.mark.parametrize("num_keys", [100, 4000, 5000, 70_000, 300_000])
def test_many_keys(num_keys: int) -> None:
    """The spare slots are enough: one of the salts that are tried solves all equations."""
    generator = np.random.default_rng(num_keys)
    keys = np.unique(generator.integers(-(2**63), 2**63, num_keys))
    codes = generator.integers(0, 200, keys.size).astype(np.uint32)
    assert np.array_equal(find_in_ribbon(keys, build_ribbon(keys, codes, 8, 2), 8, 2), codes)


@pytest.mark.parametrize("check_bits", [0, 1, 5, 10])
def test_strangers_are_found_as_often_as_the_formula_says(check_bits: int) -> None:
    """One in ``2**check_bits``, within five standard deviations of a binomial count; with any code."""
    generator = np.random.default_rng(check_bits)
    distinct = generator.permutation(np.unique(generator.integers(-(2**63), 2**63, 300_000)))
    keys, strangers = distinct[:40_000], distinct[40_000:]
    ribbon = build_ribbon(keys, generator.integers(0, 8, keys.size).astype(np.uint32), 3, check_bits)
    found = find_in_ribbon(strangers, ribbon, 3, check_bits)
    rate = 2.0**-check_bits
    deviation = math.sqrt(strangers.size * rate * (1 - rate))
    assert abs(int((found >= 0).sum()) - strangers.size * rate) <= 5 * deviation
    shares = np.bincount(found[found >= 0], minlength=8) / (found >= 0).sum()
    assert np.abs(shares - 1 / 8).max() < 0.05


@pytest.mark.parametrize(
    ("code_bits", "check_bits"), [(0, 4), (1, -1), (1, MAX_CHECK_BITS + 1), (MAX_RIBBON_BITS - 3, 4)]
)
def test_bits_out_of_range_are_refused(code_bits: int, check_bits: int) -> None:
    with pytest.raises(InvalidValueError, match=rf"bits: expected .* got {code_bits} and {check_bits}"):
        build_ribbon(np.arange(3), np.zeros(3, dtype=np.uint32), code_bits, check_bits)


@pytest.mark.parametrize("codes", [[0, 1], [0, 1, 8]])
def test_codes_that_do_not_fit_are_refused(codes: list[int]) -> None:
    with pytest.raises(InvalidValueError, match=r"codes: expected one below 2\*\*3 for each of 3 keys"):
        build_ribbon(np.arange(3), np.array(codes, dtype=np.uint32), 3, 4)


def test_keys_that_come_twice_are_refused() -> None:
    with pytest.raises(InvalidValueError, match="expected distinct keys"):
        build_ribbon(np.array([1, 1]), np.array([0, 0], dtype=np.uint32), 3, 4)
