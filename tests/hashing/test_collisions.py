"""Measured collisions, against the definitions applied one key at a time, and against the theory."""

import math
from collections import Counter
from dataclasses import asdict

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridhash.errors import InvalidTypeError, InvalidValueError
from hybridhash.hashing import hash_buckets, hash_keys, measure_collisions
from hybridhash.hashing.collisions import _vectors
from hybridhash.theory import (
    Combine,
    collision_rate,
    double_collision_rate,
    expected_vector_collisions,
    key_shares,
    traffic_shares,
)

KEYS = hash_keys(np.arange(20_000), "user_id")


def by_definition(
    keys: npt.NDArray[np.int64], num_buckets: int, num_hashes: int, seed: int, counts: list[int], combine: str
) -> dict[str, float]:
    rows = [tuple(row) for row in hash_buckets(keys, num_buckets, num_hashes, seed).tolist()]
    vectors = [row if combine == "concat" else tuple(sorted(row)) for row in rows]
    users = Counter(bucket for row in rows for bucket in set(row))
    same = Counter(vectors)
    kinds = []
    for row, vector in zip(rows, vectors, strict=True):
        if all(users[bucket] == 1 for bucket in row):
            kinds.append("exclusive")
        else:
            kinds.append("fully_shared" if same[vector] > 1 else "half_shared")
    half = sum(len(rows) - len({row[h] for row in rows}) for h in range(num_hashes)) / num_hashes
    full = len(rows) - len(same)
    found = {
        "num_keys": len(rows),
        "half_collisions": half,
        "full_collisions": full,
        "half_collisions_per_bucket": half / num_buckets,
        "full_collisions_per_tuple": full / num_buckets**num_hashes,
    }
    for name in ("exclusive", "half_shared", "fully_shared"):
        found[f"{name}_per_key"] = kinds.count(name) / len(kinds)
        of_kind = sum(count for count, kind in zip(counts, kinds, strict=True) if kind == name)
        found[f"{name}_per_traffic"] = of_kind / sum(counts)
    return found


@given(
    st.lists(st.integers(1, 100), min_size=1, max_size=40),
    st.sampled_from([1, 2, 3, 10, 40, 1000, 2**31]),
    st.integers(1, 5),
    st.integers(0, 5),
    st.sampled_from(["sum", "mean", "concat"]),
)
def test_the_definitions(
    counts: list[int], num_buckets: int, num_hashes: int, seed: int, combine: Combine
) -> None:
    keys = KEYS[: len(counts)]
    found = measure_collisions(keys, num_buckets, num_hashes, seed, counts, combine)
    assert asdict(found) == pytest.approx(by_definition(keys, num_buckets, num_hashes, seed, counts, combine))


@pytest.mark.parametrize("num_hashes", [4, 8])
@pytest.mark.parametrize("combine", ["sum", "concat"])
def test_many_rows_a_key(num_hashes: int, combine: Combine) -> None:
    """More rows than one 64-bit number holds, few enough buckets that vectors do meet."""
    for num_buckets in (2, 3, 50_000):
        found = measure_collisions(KEYS[:3000], num_buckets, num_hashes, combine=combine)
        expected = by_definition(KEYS[:3000], num_buckets, num_hashes, 0, [1] * 3000, combine)
        assert asdict(found) == pytest.approx(expected)


def test_vectors_meet_across_the_packed_numbers() -> None:
    """Two keys with one vector of four 31-bit rows cannot be found, so the lines are given."""
    top = 2**31 - 1
    rows = np.array([[top, 5, 9, top], [top, 5, 9, top], [top, 5, 9, 0], [0, 5, 9, top], [top, 5, 8, top]])
    number, lines = _vectors(rows, 2**31)
    assert number[0] == number[1]
    assert len(set(number[1:].tolist())) == 4
    assert lines[number].tolist() == [2, 2, 1, 1, 1]


@pytest.mark.parametrize("combine", ["sum", "concat"])
def test_the_theory_of_full_and_half_collisions(combine: Combine) -> None:
    """Means of 30 seeds within 4.5 standard errors of the expected values."""
    found = [measure_collisions(KEYS, 2000, 2, seed, combine=combine) for seed in range(30)]
    for name, expected in [
        ("half_collisions_per_bucket", collision_rate(20_000, 2000)),
        ("full_collisions", expected_vector_collisions(20_000, 2000, 2, combine)),
    ]:
        values = [getattr(measured, name) for measured in found]
        assert abs(np.mean(values) - expected) < 4.5 * np.std(values, ddof=1) / math.sqrt(30)
    if combine == "concat":
        rates = [measured.full_collisions_per_tuple for measured in found]
        error = np.std(rates, ddof=1) / math.sqrt(30)
        assert abs(np.mean(rates) - double_collision_rate(20_000, 2000)) < 4.5 * error


@pytest.mark.parametrize(("num_hashes", "num_buckets"), [(1, 30_000), (2, 3000), (2, 60_000), (4, 200)])
def test_the_theory_of_shares(num_hashes: int, num_buckets: int) -> None:
    """Means of 30 seeds within 4.5 standard errors, for keys and for traffic from 1 to 101 a key."""
    counts = np.random.default_rng(5).permutation(1 + 1000 // np.arange(10, 20_010))
    found = [asdict(measure_collisions(KEYS, num_buckets, num_hashes, seed, counts)) for seed in range(30)]
    keys = asdict(key_shares(20_000, 0, num_buckets, num_hashes))
    traffic = asdict(traffic_shares(counts, 0, num_buckets, num_hashes))
    for name in ("exclusive", "half_shared", "fully_shared"):
        for unit, expected in (("key", keys[name]), ("traffic", traffic[name])):
            values = [measured[f"{name}_per_{unit}"] for measured in found]
            assert abs(np.mean(values) - expected) <= 4.5 * np.std(values, ddof=1) / math.sqrt(30) + 1e-6


def test_counts_of_one_are_no_counts() -> None:
    assert measure_collisions(KEYS, 9000, counts=np.ones(20_000)) == measure_collisions(KEYS, 9000)


def test_the_order_of_the_keys_does_not_matter_and_they_are_left_as_they_were() -> None:
    before = KEYS.copy()
    assert measure_collisions(KEYS[::-1], 9000, 3) == measure_collisions(KEYS, 9000, 3)
    assert (before == KEYS).all()


def test_a_key_that_comes_twice_is_refused() -> None:
    with pytest.raises(
        InvalidValueError, match="expected distinct keys, got 3 of which 2 differ; pass each once"
    ):
        measure_collisions(KEYS[[0, 1, 0]], 10)


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        ([1], r"expected one per key, shape \(2,\), got shape \(1,\)"),
        ([1, -1], "got -1.0 to 1.0"),
        ([0, 0], "got 0.0 to 0.0"),
        ([1, math.nan], "got nan to nan"),
        ([1, math.inf], "got 1.0 to inf"),
    ],
)
def test_impossible_counts_are_refused(counts: list[float], message: str) -> None:
    with pytest.raises(InvalidValueError, match=message):
        measure_collisions(KEYS[:2], 10, counts=counts)


def test_counts_that_are_not_numbers_are_refused() -> None:
    with pytest.raises(InvalidTypeError, match="counts: expected integers or floats, got <U1"):
        measure_collisions(KEYS[:2], 10, counts=["a", "b"])


def test_other_impossible_arguments_are_refused() -> None:
    with pytest.raises(InvalidValueError, match="keys: expected at least one, got none"):
        measure_collisions(KEYS[:0], 10)
    with pytest.raises(InvalidTypeError, match="keys: expected int64, got int32"):
        measure_collisions(np.array([1, 2], dtype=np.int32), 10)  # type: ignore[arg-type]
    with pytest.raises(InvalidValueError, match="num_buckets"):
        measure_collisions(KEYS[:2], 0)
    with pytest.raises(InvalidValueError, match="num_hashes"):
        measure_collisions(KEYS[:2], 1, num_hashes=0)
    with pytest.raises(InvalidValueError, match="combine: expected 'sum', 'mean' or 'concat', got 'max'"):
        measure_collisions(KEYS[:2], 10, combine="max")  # type: ignore[arg-type]
