"""The mixing function, against published outputs and its inverse."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridhash.hashing.mix import BLOCK, GOLDEN_GAMMA, mix64, mix64_in_place, splitmix64

words = st.integers(0, 2**64 - 1)


def unmix(z: int) -> int:
    """Undo each step of the finaliser; the multipliers are odd, so they have inverses."""
    z ^= z >> 31 ^ z >> 62
    z = z * pow(0x94D049BB133111EB, -1, 2**64) % 2**64
    z ^= z >> 27 ^ z >> 54
    z = z * pow(0xBF58476D1CE4E5B9, -1, 2**64) % 2**64
    return z ^ z >> 30 ^ z >> 60


def test_the_published_generator() -> None:
    """First outputs for the state 1234567, as printed with Vigna's splitmix64.c test vectors."""
    assert list(splitmix64(1234567, 5)) == [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
        4593380528125082431,
        16408922859458223821,
    ]


@given(words)
def test_it_is_a_bijection(word: int) -> None:
    assert unmix(mix64(word)) == word


@given(st.lists(words, max_size=20))
def test_arrays_and_integers_agree(values: list[int]) -> None:
    array = np.array(values, dtype=np.uint64)
    mix64_in_place(array)
    assert array.tolist() == [mix64(value) for value in values]


def test_only_the_low_64_bits_count() -> None:
    assert mix64(-1) == mix64(2**64 - 1) == mix64(2**65 - 1)


@pytest.mark.parametrize("size", [BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK + 3])
def test_blocks_do_not_show(size: int) -> None:
    array = np.arange(size, dtype=np.uint64)
    mix64_in_place(array)
    for index in {0, BLOCK - 2, BLOCK - 1, BLOCK, size - 1} & set(range(size)):
        assert array[index] == mix64(index)


def test_two_dimensions_are_mixed_in_place() -> None:
    array = np.arange(6, dtype=np.uint64).reshape(2, 3)
    mix64_in_place(array)
    assert array.tolist() == [[mix64(0), mix64(1), mix64(2)], [mix64(3), mix64(4), mix64(5)]]


def test_one_flipped_bit_flips_every_bit_half_the_time() -> None:
    """64 x 64 rates over 4,000 words; 5.5 standard deviations leave 1 false alarm in 6,000 runs."""
    rng = np.random.default_rng(0)
    start = rng.integers(0, 2**64, size=4000, dtype=np.uint64)
    mixed = start.copy()
    mix64_in_place(mixed)
    for bit in range(64):
        flipped = start ^ np.uint64(1 << bit)
        mix64_in_place(flipped)
        change = (mixed ^ flipped).view(np.uint8).reshape(-1, 8)
        rates = np.unpackbits(change, axis=1).mean(axis=0)
        assert np.abs(rates - 0.5).max() < 5.5 * 0.5 / np.sqrt(4000)


def test_the_step_is_the_golden_ratio_of_the_words_and_odd() -> None:
    """2**64 (sqrt(5) - 1) / 2; an even step would visit only some of the states."""
    assert GOLDEN_GAMMA % 2 == 1
    assert abs(GOLDEN_GAMMA - (math.isqrt(5 << 128) - (1 << 64)) // 2) <= 1
