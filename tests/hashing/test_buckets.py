"""The bucket functions are uniform, independent of one another, and fixed nowhere."""

import math

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from hybridhash.errors import InvalidTypeError, InvalidValueError
from hybridhash.hashing import MAX_BUCKETS, bucket_salts, hash_buckets, hash_keys
from hybridhash.hashing.mix import mix64

KEYS = hash_keys(np.arange(200_000), "user_id")
COUNTING = np.arange(200_000)  # keys that nobody mixed: the bucket functions have to do it


def test_the_bounds_are_the_powers_of_two_they_say() -> None:
    assert MAX_BUCKETS == 2**31


@given(st.integers(-(2**63), 2**63 - 1), st.integers(1, MAX_BUCKETS), st.integers(0, 2**64 - 1))
def test_a_bucket_is_the_high_word_of_the_product(key: int, num_buckets: int, seed: int) -> None:
    """In Python integers, which carry nothing away."""
    expected = [mix64(key + salt) * num_buckets >> 64 for salt in bucket_salts(3, seed)]
    assert hash_buckets(np.array([key]), num_buckets, 3, seed).tolist() == [expected]
    assert all(0 <= bucket < num_buckets for bucket in expected)


def test_one_bucket_takes_all() -> None:
    assert not hash_buckets(KEYS[:1000], 1, num_hashes=4).any()


@pytest.mark.parametrize("keys", [KEYS, COUNTING], ids=["hashed", "counting"])
@pytest.mark.parametrize("num_buckets", [2, 3, 1000, 1024, 9973])
def test_buckets_are_uniform(keys: npt.NDArray[np.int64], num_buckets: int) -> None:
    """Chi-square of four functions; a true uniform fails one of the 40 in 1 of 1,250 choices of seed."""
    for column in hash_buckets(keys, num_buckets, num_hashes=4, seed=7).T:
        uses = np.bincount(column, minlength=num_buckets)
        assert 1e-5 < stats.chisquare(uses).pvalue < 1 - 1e-5


@pytest.mark.parametrize("keys", [KEYS, COUNTING], ids=["hashed", "counting"])
@pytest.mark.parametrize("seed", [0, 1, 2**63])
def test_pairs_are_as_many_as_independent_functions_make(keys: npt.NDArray[np.int64], seed: int) -> None:
    """200,000 keys in 1000 x 1000 cells fill 181,269 of them, within 5 standard deviations of 126."""
    rows = hash_buckets(keys, 1000, num_hashes=2, seed=seed)
    n, cells = 200_000, 10**6
    load = n / cells
    expected = cells * (1 - (1 - 1 / cells) ** n)
    deviation = math.sqrt(cells * (math.exp(-load) - (1 + load) * math.exp(-2 * load)))
    assert round(expected) == 181_269
    assert abs(np.unique(rows[:, 0] * 1000 + rows[:, 1]).size - expected) < 5 * deviation


@pytest.mark.parametrize("keys", [KEYS, COUNTING], ids=["hashed", "counting"])
def test_any_two_functions_are_uniform_over_the_pairs(keys: npt.NDArray[np.int64]) -> None:
    rows = hash_buckets(keys, 30, num_hashes=8, seed=3)
    for a in range(8):
        for b in range(a):
            cells = np.bincount(rows[:, a] * 30 + rows[:, b], minlength=900)
            assert 1e-5 < stats.chisquare(cells).pvalue < 1 - 1e-5


def test_functions_of_neighbouring_seeds_are_independent() -> None:
    rows = np.hstack([hash_buckets(KEYS, 30, seed=seed) for seed in range(6)])
    for a in range(6):
        for b in range(a):
            cells = np.bincount(rows[:, a] * 30 + rows[:, b], minlength=900)
            assert 1e-5 < stats.chisquare(cells).pvalue < 1 - 1e-5


@pytest.mark.parametrize("key", [0, -1, 1, 2**63 - 1, -(2**63)])
def test_no_key_stays_in_one_bucket_under_every_seed(key: int) -> None:
    """Of 1,000 seeds about 1 in 100 puts a key into a given bucket of 100; 30 would be 6 deviations away."""
    found = [hash_buckets(np.array([key]), 100, seed=seed)[0, 0] for seed in range(1000)]
    assert np.bincount(found, minlength=100).max() < 30


def test_the_value_zero_stays_in_no_bucket_under_every_seed() -> None:
    found = [hash_buckets(hash_keys([0], "user_id", seed), 100)[0, 0] for seed in range(1000)]
    assert np.bincount(found, minlength=100).max() < 30


def test_one_flipped_bit_of_a_key_moves_half_the_bits_of_a_bucket() -> None:
    """31 bits of the bucket for each of 64 bits of the key, over 4,000 keys; 5.5 standard deviations."""
    start = KEYS[:4000]
    before = hash_buckets(start, MAX_BUCKETS)[:, 0]
    for bit in range(64):
        flipped = (start.view(np.uint64) ^ np.uint64(1 << bit)).view(np.int64)
        change = before ^ hash_buckets(flipped, MAX_BUCKETS)[:, 0]
        rates = (change[:, None] >> np.arange(31) & 1).mean(axis=0)
        assert np.abs(rates - 0.5).max() < 5.5 * 0.5 / np.sqrt(4000)


def test_views_and_empty_arrays() -> None:
    whole = hash_buckets(KEYS[:10], 50, num_hashes=2)
    assert hash_buckets(KEYS[:10:3], 50, num_hashes=2).tolist() == whole[::3].tolist()
    assert hash_buckets(KEYS[:0], 50, num_hashes=2).shape == (0, 2)
    assert KEYS[:3].tolist() == hash_keys([0, 1, 2], "user_id").tolist()


@pytest.mark.parametrize("num_buckets", [0, -1, 2**31 + 1])
def test_a_number_of_buckets_out_of_range_is_refused(num_buckets: int) -> None:
    with pytest.raises(InvalidValueError, match=r"num_buckets: expected an integer in \[1, 2\*\*31\], got"):
        hash_buckets(KEYS[:1], num_buckets)


@pytest.mark.parametrize("seed", [-1, 2**64])
def test_a_seed_out_of_range_is_refused(seed: int) -> None:
    with pytest.raises(InvalidValueError, match="seed"):
        hash_buckets(KEYS[:1], 1, seed=seed)
    with pytest.raises(InvalidValueError, match="seed"):
        bucket_salts(1, seed)


def test_no_hash_function_is_refused() -> None:
    with pytest.raises(InvalidValueError, match="num_hashes: expected an integer of 1 or more, got 0"):
        hash_buckets(KEYS[:1], 1, num_hashes=0)
    with pytest.raises(InvalidValueError, match="num_hashes"):
        bucket_salts(0)


def test_keys_of_another_type_or_shape_are_refused() -> None:
    # The bytes of two int32 keys would pass for one int64 key.
    with pytest.raises(InvalidTypeError, match="keys: expected int64, got int32; make them with hash_keys"):
        hash_buckets(np.array([1, 2], dtype=np.int32), 10)  # type: ignore[arg-type]
    with pytest.raises(InvalidValueError, match=r"keys: expected a 1-D array, got shape \(1, 2\)"):
        hash_buckets(np.array([[1, 2]]), 10)
