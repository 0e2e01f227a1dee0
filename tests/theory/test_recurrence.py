"""Good and Turing's estimate by hand, and against keys whose rates are known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridhash.errors import InvalidTypeError, InvalidValueError
from hybridhash.theory import expected_recurrence


def of_numbers(**numbers: int) -> dict[int, float]:
    """Return the estimate by count, for numbers of keys by count, such as ``n1=800``."""
    counts = np.repeat([int(name[1:]) for name in numbers], list(numbers.values()))
    estimate = expected_recurrence(counts)
    return {int(count): float(estimate[counts == count][0]) for count in np.unique(counts)}


def test_the_ratio_of_the_numbers_of_keys() -> None:
    assert (
        of_numbers(n1=800, n2=300, n3=200, n4=120, n5=1)
        == pytest.approx({1: 2 * 300 / 800, 2: 3 * 200 / 300, 3: 4 * 120 / 200, 4: 2.4, 5: 2.5}, rel=1e-12)
    )  # for 4 the ratio would be 5 / 120, and half of three is more; 5 is shifted as 4 is, to 2.5 before and after


def test_rare_counts_are_shifted_as_the_nearest_frequent_one() -> None:
    found = of_numbers(n1=1000, n2=400, n3=200, n7=20, n40=3, n500=1)
    assert found[1] == 0.8
    assert found[2] == 1.5
    assert (
        found[3] == 1.5
    )  # the ratio is 0, at least (3 - 1) / 2 holds, and no count has less than the one before
    assert (found[7], found[40], found[500]) == (5.0, 38.0, 498.0)


def test_few_keys_are_expected_as_often_as_they_came() -> None:
    assert of_numbers(n1=3, n2=99, n7=1) == {1: 1, 2: 2, 7: 7}


def test_counts_that_no_chance_made() -> None:
    assert of_numbers(n20=50_000) == {20: 9.5}


def test_nothing_counted() -> None:
    assert expected_recurrence(np.empty(0, dtype=np.int64)).tolist() == []


@pytest.mark.parametrize("exponent", [0.4, 0.8, 1.2])
def test_keys_drawn_by_zipf_come_again_as_it_says(exponent: float) -> None:
    """Counts of one half against those of another, independent one, within a tenth of the count and three errors."""
    rates = 40 / np.arange(1, 40_001) ** exponent * (20_000**exponent / 40)
    first, second = np.random.default_rng(5).poisson(rates, (2, rates.size))
    seen = first > 0
    expected = expected_recurrence(first[seen])
    for count in (1, 2, 3, 5, 8, 20):
        of_count = first[seen] == count
        came = second[seen][of_count]
        if came.size < 20:
            continue
        error = 3 * came.std() / np.sqrt(came.size) + 0.1 * count
        assert abs(expected[of_count].mean() - came.mean()) < error


@given(st.lists(st.integers(1, 30), min_size=1, max_size=500), st.integers(1, 50))
def test_it_rises_with_the_count_and_is_never_nothing(counts: list[int], times: int) -> None:
    array = np.repeat(np.array(counts), times)
    order = np.argsort(array)
    found = expected_recurrence(array)[order]
    assert (np.diff(found) >= 0).all()
    assert (found > 0).all()
    assert (found >= (array[order] - 1) / 2).all()


@pytest.mark.parametrize(
    ("counts", "error", "message"),
    [
        ([1.5], InvalidTypeError, "counts: expected integers, got float64"),
        ([1, 0], InvalidValueError, "counts: expected 1 or more for every key, got 0"),
        ([[1]], InvalidValueError, "counts: expected 1-D, got 2-D"),
    ],
)
def test_what_is_no_count(counts: list[object], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        expected_recurrence(counts)
