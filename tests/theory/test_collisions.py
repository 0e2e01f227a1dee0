"""Against exact fractions where the paper's formula cancels, and against the real hash family."""

import math
from decimal import Decimal, localcontext
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hybridhash.errors import InvalidTypeError, InvalidValueError
from hybridhash.hashing import hash_buckets, hash_keys
from hybridhash.theory import (
    birthday_probability,
    collision_rate,
    double_collision_rate,
    expected_collisions,
    frequency_collision_rate,
    half_collision_rate,
    hybrid_collision_rate,
)
from hybridhash.theory.collisions import excess, survival


def exact_rate(num_keys: int, num_buckets: int) -> Fraction:
    """The third equation of section 3.1, in integers."""
    power = Fraction((num_buckets - 1) ** num_keys, num_buckets**num_keys)
    return Fraction(num_keys, num_buckets) - 1 + power


keys = st.integers(0, 300) | st.integers(0, 5)
buckets = st.integers(1, 2**130) | st.integers(1, 400) | st.integers(0, 248).map(lambda bits: 2**bits)


@given(keys, buckets)
@example(0, 1)
@example(1, 1)
@example(2, 1)
@example(2, 2**64)
@example(300, 300)
@example(300, 299)
def test_the_rate_is_the_exact_fraction(num_keys: int, num_buckets: int) -> None:
    expected = float(exact_rate(num_keys, num_buckets))
    assert collision_rate(num_keys, num_buckets) == pytest.approx(expected, rel=1e-13, abs=1e-300)


@given(keys, buckets)
@example(2, 2**1200)
def test_the_expected_number_is_the_exact_fraction(num_keys: int, num_buckets: int) -> None:
    expected = float(exact_rate(num_keys, num_buckets) * num_buckets)
    assert expected_collisions(num_keys, num_buckets) == pytest.approx(expected, rel=1e-13, abs=1e-300)


def decimal_rate(num_keys: int, num_buckets: int) -> float:
    """The same formula in 120 digits, for numbers whose powers do not fit a fraction."""
    with localcontext() as context:
        context.prec = 120
        n, b = Decimal(num_keys), Decimal(num_buckets)
        return float(n / b - 1 + (((b - 1) / b) ** num_keys if num_keys else 1))


@given(st.integers(0, 10**12), st.integers(1, 2**100))
@example(10**6, 2**64)
@example(10**12, 10**12)
@example(10**12, 10**12 - 1)
@example(10**9, 3)
def test_the_rate_at_full_size(num_keys: int, num_buckets: int) -> None:
    expected = decimal_rate(num_keys, num_buckets)
    assert collision_rate(num_keys, num_buckets) == pytest.approx(expected, rel=1e-12, abs=1e-300)


def test_the_printed_formula_cancels_where_this_one_does_not() -> None:
    naive = 10**6 / 2**64 - 1 + (1 - 1 / 2**64) ** 10**6
    assert naive == pytest.approx(5.4e-14, rel=0.01)
    # n (n - 1) / 2 N**2, the first term of the series, by hand.
    assert collision_rate(10**6, 2**64) == pytest.approx(10**6 * (10**6 - 1) / 2 / 2**128, rel=1e-12)


def test_no_pair_no_collision() -> None:
    for num_keys in (0, 1):
        for num_buckets in (1, 2, 2**64):
            assert collision_rate(num_keys, num_buckets) == 0.0
            assert expected_collisions(num_keys, num_buckets) == 0.0


def test_one_bucket_takes_all() -> None:
    assert expected_collisions(10, 1) == 9.0


def test_all_ways_is_certain() -> None:
    assert survival(0, 3, 3) == 1.0
    assert survival(1, 3, 3) == 0.0
    assert survival(2, 1, 2) == pytest.approx(0.25, rel=1e-15)
    # n - 1 of 5 keys come second at the one place.
    assert excess(5, 1, 1, scale=7) == 28.0


def test_table_2() -> None:
    """The printed figures that the formulas give at |T| = 4M and K = 105,000."""
    assert f"{collision_rate(4_000_000, 2**22):.2f}" == "0.34"
    printed = {2**22: (None, "0.32"), 2**20: ("6.27e-12", "2.74"), 2**19: ("1.00e-10", "6.43")}
    for num_buckets, (full, half) in printed.items():
        assert f"{half_collision_rate(4_000_000, 105_000, num_buckets):.2f}" == half
        if full:
            assert f"{hybrid_collision_rate(4_000_000, 105_000, num_buckets):.2e}" == full
    # Printed as 2.27e-14, which no reading of the formula gives.
    assert f"{hybrid_collision_rate(4_000_000, 105_000, 2**22):.2e}" == "2.45e-14"


def test_double_and_hybrid_are_the_regular_rate_of_more_buckets_and_fewer_keys() -> None:
    assert double_collision_rate(300, 20) == pytest.approx(float(exact_rate(300, 400)), rel=1e-13)
    assert double_collision_rate(300, 20, num_hashes=1) == collision_rate(300, 20)
    assert double_collision_rate(300, 20, num_hashes=4) == pytest.approx(
        float(exact_rate(300, 160_000)), rel=1e-13
    )
    assert hybrid_collision_rate(300, 100, 20) == pytest.approx(float(exact_rate(200, 400)), rel=1e-13)
    assert hybrid_collision_rate(300, 100, 20, num_hashes=3) == pytest.approx(
        float(exact_rate(200, 8000)), rel=1e-13
    )
    assert frequency_collision_rate(300, 100, 20) == pytest.approx(float(exact_rate(200, 20)), rel=1e-13)
    assert half_collision_rate(300, 100, 20) == pytest.approx(float(exact_rate(200, 20)), rel=1e-13)


@pytest.mark.parametrize("formula", [frequency_collision_rate, hybrid_collision_rate, half_collision_rate])
def test_a_head_that_holds_every_key_leaves_no_collision(formula: object) -> None:
    assert callable(formula)
    assert formula(1000, 1000, 0) == 0.0
    assert formula(1000, 1000, 5) == 0.0
    with pytest.raises(InvalidValueError, match="num_buckets"):
        formula(1000, 999, 0)
    with pytest.raises(InvalidValueError, match="num_head"):
        formula(1000, 1001, 5)
    with pytest.raises(InvalidValueError, match="num_keys"):
        formula(-1, 0, 5)


def test_impossible_numbers_are_refused() -> None:
    for formula in (expected_collisions, collision_rate, double_collision_rate):
        with pytest.raises(InvalidValueError, match="num_keys"):
            formula(-1, 1)
        with pytest.raises(InvalidValueError, match="num_buckets"):
            formula(0, 0)
        with pytest.raises(InvalidTypeError, match="num_buckets"):
            formula(1, 2.0)  # type: ignore[arg-type]
    with pytest.raises(InvalidValueError, match="num_hashes"):
        double_collision_rate(1, 1, num_hashes=0)
    with pytest.raises(InvalidValueError, match="num_hashes"):
        hybrid_collision_rate(1, 1, 1, num_hashes=0)


@pytest.mark.parametrize(("num_keys", "num_buckets"), [(300, 1000), (1000, 1000), (5000, 700), (50, 1)])
def test_the_real_hash_family_collides_as_often_as_expected(num_keys: int, num_buckets: int) -> None:
    """Mean of 400 seeds within 4.5 standard errors: a false alarm once in 150,000 choices of the seeds."""
    values = hash_keys(np.arange(num_keys), feature="user_id")
    collisions = [
        num_keys - np.unique(hash_buckets(values, num_buckets, seed=seed)).size for seed in range(400)
    ]
    error = np.std(collisions, ddof=1) / math.sqrt(len(collisions))
    assert abs(np.mean(collisions) - expected_collisions(num_keys, num_buckets)) <= 4.5 * error + 1e-9


def test_the_real_hash_family_has_birthdays_as_often_as_expected() -> None:
    """2,000 seeds of 50 keys in 1000 buckets; 4.5 standard errors of a proportion."""
    values = hash_keys(np.arange(50), feature="user_id")
    hits = [np.unique(hash_buckets(values, 1000, seed=seed)).size < 50 for seed in range(2000)]
    p = birthday_probability(50, 1000)
    assert abs(np.mean(hits) - p) <= 4.5 * math.sqrt(p * (1 - p) / 2000)
