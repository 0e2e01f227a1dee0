"""The torch definition gives the rows of the numpy definition, bit for bit."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from hybridhash.hashing import MAX_BUCKETS, bucket_salts, find_positions, hash_buckets, place_keys
from hybridhash.hashing.mix import mix64
from hybridhash.kernels import reference

int64s = st.integers(-(2**63), 2**63 - 1)
EXTREMES = [0, 1, -1, 2**63 - 1, -(2**63)]


def salts(num_hashes: int, seed: int) -> Tensor:
    return torch.from_numpy(np.array(bucket_salts(num_hashes, seed), dtype=np.uint64).view(np.int64))


@given(st.lists(int64s))
def test_mix64_is_that_of_hashing(words: list[int]) -> None:
    """Against Python integers, which have no sign to mistake."""
    mixed = reference.mix64(torch.tensor(words, dtype=torch.int64))
    assert [word % 2**64 for word in mixed.tolist()] == [mix64(word) for word in words]


@given(
    st.lists(int64s | st.sampled_from(EXTREMES), max_size=20),
    st.integers(1, MAX_BUCKETS) | st.sampled_from([1, 2, 3, MAX_BUCKETS - 1, MAX_BUCKETS]),
    st.integers(1, 8),
    st.integers(0, 2**64 - 1),
)
def test_buckets_are_those_of_hashing(keys: list[int], num_buckets: int, num_hashes: int, seed: int) -> None:
    array = np.array(keys, dtype=np.int64)
    found = reference.hash_buckets(torch.from_numpy(array), num_buckets, salts(num_hashes, seed))
    assert found.dtype == torch.int64
    np.testing.assert_array_equal(found.numpy(), hash_buckets(array, num_buckets, num_hashes, seed))


@pytest.mark.parametrize("num_buckets", [1, MAX_BUCKETS])
def test_buckets_at_both_ends_of_the_range(num_buckets: int) -> None:
    keys = np.concatenate([EXTREMES, np.random.default_rng(0).integers(-(2**63), 2**63, 10_000)])
    found = reference.hash_buckets(torch.from_numpy(keys), num_buckets, salts(2, 7))
    assert 0 <= int(found.min()) <= int(found.max()) < num_buckets
    np.testing.assert_array_equal(found.numpy(), hash_buckets(keys, num_buckets, 2, 7))


@given(
    st.lists(int64s, unique=True, max_size=10),
    st.lists(int64s | st.sampled_from(EXTREMES), max_size=20),
    st.integers(0, 2**32),
)
def test_encode_finds_the_place_in_the_dictionary_or_the_buckets(
    head: list[int], others: list[int], seed: int
) -> None:
    """Against a dict of the numpy positions."""
    dictionary = place_keys(np.array(head, dtype=np.int64))
    keys = np.random.default_rng(seed).permutation(np.array(head + others, dtype=np.int64))
    padding = int(keys[0]) if keys.size and seed % 2 else None
    no_codes = torch.empty(0, dtype=torch.uint8)
    exact = reference.Dictionary(torch.from_numpy(dictionary), 64, no_codes, 0, max(dictionary.size - 1, 0))
    rows = reference.encode(torch.from_numpy(keys), [exact], 9, salts(2, 0), padding)
    places = find_positions(np.array(head, dtype=np.int64), dictionary)
    place = dict(zip(head, places.tolist(), strict=True))
    assert all(dictionary[row] == key for key, row in place.items())
    assert rows.counted.tolist() == [key != padding for key in keys.tolist()]
    assert rows.in_head.tolist() == [key in place for key in keys.tolist()]
    assert rows.in_tail.tolist() == [key not in place and key != padding for key in keys.tolist()]
    assert rows.head.tolist() == [place[key] for key in keys.tolist() if key in place]
    tail = np.array([key for key in keys.tolist() if key not in place and key != padding], dtype=np.int64)
    np.testing.assert_array_equal(rows.tail.numpy(), hash_buckets(tail, 9, 2, 0))
