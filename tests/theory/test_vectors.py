"""Against counting every sequence of rows one by one, and against the real hash family."""

import itertools
import math
from collections import Counter
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridhash.errors import InvalidTypeError, InvalidValueError
from hybridhash.hashing import hash_buckets, hash_keys
from hybridhash.theory import Combine, expected_collisions, expected_vector_collisions, num_vectors
from hybridhash.theory.vectors import row_patterns

small = st.tuples(st.integers(1, 5), st.integers(1, 4))


def vectors(num_buckets: int, num_hashes: int, combine: str) -> Counter[tuple[int, ...]]:
    """How many of the B**H sequences make each vector, by listing them."""
    sequences = itertools.product(range(num_buckets), repeat=num_hashes)
    return Counter(row if combine == "concat" else tuple(sorted(row)) for row in sequences)


@given(small)
def test_patterns_are_the_multisets_listed(size: tuple[int, int]) -> None:
    listed = Counter((len(set(rows)), ways) for rows, ways in vectors(*size, "sum").items())
    found: Counter[tuple[int, int]] = Counter()
    for pattern in row_patterns(*size):
        found[pattern.num_rows, pattern.num_orders] += pattern.num_multisets
    assert found == listed


@pytest.mark.parametrize("num_hashes", [1, 2, 4, 8, 16])
def test_patterns_hold_every_sequence_once(num_hashes: int) -> None:
    for num_buckets in (1, 3, 1000, 2**31):
        patterns = list(row_patterns(num_buckets, num_hashes))
        assert sum(p.num_orders * p.num_multisets for p in patterns) == num_buckets**num_hashes
        assert sum(p.num_multisets for p in patterns) == num_vectors(num_buckets, num_hashes)


@given(small, st.sampled_from(["sum", "mean", "concat"]))
def test_the_number_of_vectors_is_the_number_listed(size: tuple[int, int], combine: Combine) -> None:
    assert num_vectors(*size, combine) == len(vectors(*size, combine))


@given(st.integers(0, 60), small, st.sampled_from(["sum", "mean", "concat"]))
def test_expected_collisions_of_the_vectors_listed(
    num_keys: int, size: tuple[int, int], combine: Combine
) -> None:
    listed, sequences = vectors(*size, combine), size[0] ** size[1]
    occupied = sum(1 - (1 - Fraction(ways, sequences)) ** num_keys for ways in listed.values())
    assert expected_vector_collisions(num_keys, *size, combine) == pytest.approx(
        float(num_keys - occupied), rel=1e-12, abs=1e-12
    )


@given(st.integers(0, 10**7), st.integers(1, 2**40), st.integers(1, 8))
def test_concat_is_the_papers_formula(num_keys: int, num_buckets: int, num_hashes: int) -> None:
    found = expected_vector_collisions(num_keys, num_buckets, num_hashes, combine="concat")
    assert found == expected_collisions(num_keys, num_buckets**num_hashes)


@given(st.integers(2, 300), st.integers(2, 2**64))
def test_two_rows_summed_exactly(num_keys: int, num_buckets: int) -> None:
    """B doubled rows of probability 1 / B**2 and B (B - 1) / 2 pairs of 2 / B**2, in fractions."""
    expected = Fraction(0)
    for places, p in [
        (num_buckets, Fraction(1, num_buckets**2)),
        (num_buckets * (num_buckets - 1) // 2, Fraction(2, num_buckets**2)),
    ]:
        expected += places * (num_keys * p - 1 + (1 - p) ** num_keys)
    assert expected_vector_collisions(num_keys, num_buckets) == pytest.approx(float(expected), rel=1e-12)


def test_rare_collisions_of_a_sum_are_factorial_times_those_of_concat() -> None:
    for num_hashes in (2, 3, 4):
        summed = expected_vector_collisions(1000, 2**31, num_hashes)
        ordered = expected_vector_collisions(1000, 2**31, num_hashes, combine="concat")
        assert summed / ordered == pytest.approx(math.factorial(num_hashes), rel=1e-6)


@pytest.mark.parametrize("combine", ["sum", "concat"])
def test_the_real_hash_family_makes_as_many_vectors_as_expected(combine: Combine) -> None:
    """Mean of 300 seeds within 4.5 standard errors."""
    values = hash_keys(np.arange(800), feature="user_id")
    collisions = []
    for seed in range(300):
        rows = hash_buckets(values, 40, num_hashes=2, seed=seed)
        if combine == "sum":
            rows.sort(axis=1)
        collisions.append(800 - np.unique(rows[:, 0] * 40 + rows[:, 1]).size)
    error = np.std(collisions, ddof=1) / math.sqrt(300)
    assert abs(np.mean(collisions) - expected_vector_collisions(800, 40, 2, combine)) <= 4.5 * error


def test_impossible_arguments_are_refused() -> None:
    with pytest.raises(InvalidValueError, match="combine: expected 'sum', 'mean' or 'concat', got 'max'"):
        num_vectors(2, 2, combine="max")  # type: ignore[arg-type]
    with pytest.raises(InvalidValueError, match="combine"):
        expected_vector_collisions(2, 2, 2, combine="max")  # type: ignore[arg-type]
    with pytest.raises(InvalidValueError, match="num_buckets"):
        num_vectors(0)
    with pytest.raises(InvalidValueError, match="num_hashes"):
        num_vectors(1, 0)
    with pytest.raises(InvalidValueError, match="num_keys"):
        expected_vector_collisions(-1, 1)
    with pytest.raises(InvalidValueError, match="num_buckets"):
        expected_vector_collisions(1, 0)
    with pytest.raises(InvalidValueError, match="num_hashes"):
        expected_vector_collisions(1, 1, 0)
    with pytest.raises(InvalidTypeError, match="num_hashes"):
        num_vectors(1, 1.0)  # type: ignore[arg-type]
