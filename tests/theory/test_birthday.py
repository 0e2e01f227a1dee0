"""Against exact fractions, and against a 60-digit decimal sum where the factorials are out of reach."""

import math
from collections.abc import Callable
from decimal import Decimal, localcontext
from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hybridhash.errors import InvalidTypeError, InvalidValueError
from hybridhash.theory import (
    birthday_probability,
    birthday_probability_pairs,
    birthday_probability_square,
)

Formula = Callable[[int, int], float]
FORMULAS = [birthday_probability, birthday_probability_pairs, birthday_probability_square]


def exact(num_keys: int, num_buckets: int) -> float:
    """The first equation of section 3.1, in integers."""
    if num_keys > num_buckets:
        return 1.0
    return float(1 - Fraction(math.perm(num_buckets, num_keys), num_buckets**num_keys))


@given(st.integers(0, 400), st.integers(1, 2**130))
@example(23, 365)
@example(2, 1)
@example(2, 2)
@example(300, 300)
@example(365, 366)
def test_it_is_the_exact_fraction(num_keys: int, num_buckets: int) -> None:
    assert birthday_probability(num_keys, num_buckets) == pytest.approx(
        exact(num_keys, num_buckets), rel=1e-12, abs=1e-300
    )


@given(st.integers(0, 60), st.integers(1, 400))
def test_it_is_the_exact_fraction_where_most_buckets_fill(num_keys: int, num_buckets: int) -> None:
    assert birthday_probability(num_keys, num_buckets) == pytest.approx(
        exact(num_keys, num_buckets), rel=1e-12
    )


def faulhaber(num_keys: int, num_buckets: int) -> float:
    """``1 - exp(sum(log(1 - i / B)))`` in 60 digits: the logarithm's series over exact sums of powers."""
    n = Fraction(num_keys - 1)
    powers = [
        n * (n + 1) / 2,
        n * (n + 1) * (2 * n + 1) / 6,
        (n * (n + 1) / 2) ** 2,
        n * (n + 1) * (2 * n + 1) * (3 * n**2 + 3 * n - 1) / 30,
        n**2 * (n + 1) ** 2 * (2 * n**2 + 2 * n - 1) / 12,
        n * (n + 1) * (2 * n + 1) * (3 * n**4 + 6 * n**3 - 3 * n + 1) / 42,
    ]
    total = sum(power / (k * Fraction(num_buckets) ** k) for k, power in enumerate(powers, start=1))
    assert isinstance(total, Fraction)
    with localcontext() as context:
        context.prec = 60
        return float(1 - (-(Decimal(total.numerator) / Decimal(total.denominator))).exp())


@pytest.mark.parametrize("num_keys", [2**16, 2**16 + 1, 10**6, 10**9, 10**12])
@pytest.mark.parametrize("buckets_per_square", [Fraction(1, 60), Fraction(1, 2), 1, 1000, 10**12])
def test_large_numbers_of_keys(num_keys: int, buckets_per_square: Fraction | int) -> None:
    num_buckets = int(num_keys**2 * buckets_per_square)
    expected = faulhaber(num_keys, num_buckets)
    assert birthday_probability(num_keys, num_buckets) == pytest.approx(expected, rel=1e-12)


def test_the_sum_and_the_series_meet() -> None:
    # One key more raises the exponent by n / B; a jump between the two forms would show.
    below, above = birthday_probability(2**16, 10**10), birthday_probability(2**16 + 1, 10**10)
    assert (above - below) / (1 - below) == pytest.approx(2**16 / 10**10, rel=1e-8)


@pytest.mark.parametrize("formula", FORMULAS)
def test_certain_where_a_float_cannot_tell(formula: Formula) -> None:
    assert formula(10**6, 2**22) == 1.0


def test_more_keys_than_buckets_collide() -> None:
    assert birthday_probability(3, 2) == 1.0
    assert birthday_probability(2, 2) == 0.5


@pytest.mark.parametrize("formula", [birthday_probability, birthday_probability_pairs])
def test_no_pair_no_collision(formula: Formula) -> None:
    assert formula(0, 1) == 0.0
    assert formula(1, 1) == 0.0


def test_the_approximations_are_their_formulas() -> None:
    # 23 people, 365 days: the exponents are 23 * 22 / 730 and 23 * 23 / 730.
    assert birthday_probability_pairs(23, 365) == pytest.approx(1 - math.exp(-506 / 730), rel=1e-15)
    assert birthday_probability_square(23, 365) == pytest.approx(1 - math.exp(-529 / 730), rel=1e-15)


@given(st.integers(2, 10**6), st.integers(1, 2**100))
def test_the_pairs_approximation_is_a_lower_bound(num_keys: int, num_buckets: int) -> None:
    approximate = birthday_probability_pairs(num_keys, num_buckets)
    assert approximate <= birthday_probability(num_keys, num_buckets) * (1 + 1e-12)
    assert approximate <= birthday_probability_square(num_keys, num_buckets)


@pytest.mark.parametrize("formula", FORMULAS)
def test_impossible_numbers_are_refused(formula: Formula) -> None:
    with pytest.raises(InvalidValueError, match="num_keys"):
        formula(-1, 1)
    with pytest.raises(InvalidValueError, match="num_buckets"):
        formula(0, 0)
    with pytest.raises(InvalidTypeError, match="num_keys"):
        formula(1.5, 1)  # type: ignore[arg-type]
