"""Against every assignment of rows to a few keys, exact fractions, and the real hash family."""

import itertools
import math
from dataclasses import astuple
from fractions import Fraction

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridhash.errors import InvalidTypeError, InvalidValueError
from hybridhash.hashing import hash_buckets, hash_keys
from hybridhash.theory import Combine, key_shares, traffic_shares

combines = st.sampled_from(["sum", "mean", "concat"])


def classify(rows: tuple[tuple[int, ...], ...], combine: str) -> list[int]:
    """Say of each key whether it is exclusive (0), half shared (1) or fully shared (2), by definition."""
    kinds = []
    for index, own in enumerate(rows):
        others = rows[:index] + rows[index + 1 :]
        if combine != "concat":
            own, others = tuple(sorted(own)), tuple(tuple(sorted(row)) for row in others)
        if own in others:
            kinds.append(2)
        else:
            kinds.append(int(any(set(own) & set(row) for row in others)))
    return kinds


@pytest.mark.parametrize("combine", ["sum", "concat"])
@pytest.mark.parametrize(
    ("num_keys", "num_buckets", "num_hashes"),
    [(1, 3, 2), (2, 1, 2), (2, 4, 1), (2, 3, 3), (3, 3, 2), (3, 2, 3), (4, 5, 1), (4, 3, 2)],
)
def test_every_assignment(num_keys: int, num_buckets: int, num_hashes: int, combine: Combine) -> None:
    totals = [0, 0, 0]
    possible = list(itertools.product(range(num_buckets), repeat=num_hashes))
    for rows in itertools.product(possible, repeat=num_keys):
        for kind in classify(rows, combine):
            totals[kind] += 1
    expected = [total / sum(totals) for total in totals]
    found = key_shares(num_keys, 0, num_buckets, num_hashes, combine)
    assert astuple(found) == pytest.approx(tuple(expected), rel=1e-13, abs=1e-15)


def exact_two_rows(num_keys: int, num_buckets: int, combine: str) -> tuple[Fraction, Fraction, Fraction]:
    """Two hashes, in fractions: a key's rows are equal with probability 1 / B."""
    b, others = Fraction(num_buckets), num_keys - 1
    equal = 1 / b
    exclusive = equal * (1 - 1 / b) ** (2 * others) + (1 - equal) * (1 - 2 / b) ** (2 * others)
    of_equal = 1 - (1 - 1 / b**2) ** others
    of_pair = 1 - (1 - (1 if combine == "concat" else 2) / b**2) ** others
    full = equal * of_equal + (1 - equal) * of_pair
    return exclusive, 1 - exclusive - full, full


@given(st.integers(1, 200), st.integers(1, 2**80) | st.integers(1, 300), combines)
def test_two_hashes_exactly(num_keys: int, num_buckets: int, combine: Combine) -> None:
    expected = tuple(map(float, exact_two_rows(num_keys, num_buckets, combine)))
    found = key_shares(num_keys, 0, num_buckets, 2, combine)
    assert astuple(found) == pytest.approx(expected, rel=1e-11, abs=1e-290)


@given(st.integers(1, 300), st.integers(1, 2**100), combines)
def test_one_hash_exactly(num_keys: int, num_buckets: int, combine: Combine) -> None:
    exclusive = (1 - Fraction(1, num_buckets)) ** (num_keys - 1)
    found = key_shares(num_keys, 0, num_buckets, 1, combine)
    assert found.exclusive == pytest.approx(float(exclusive), rel=1e-12)
    assert found.fully_shared == pytest.approx(float(1 - exclusive), rel=1e-12)
    assert found.half_shared == 0.0


@given(st.integers(1, 10**7), st.integers(1, 2**31), st.integers(1, 8), combines)
def test_shares_are_probabilities_that_add_up(
    num_keys: int, num_buckets: int, num_hashes: int, combine: Combine
) -> None:
    shares = astuple(key_shares(num_keys, 0, num_buckets, num_hashes, combine))
    assert sum(shares) == pytest.approx(1, rel=1e-9)
    assert all(-1e-12 <= share <= 1 + 1e-12 for share in shares)


@pytest.mark.parametrize("combine", ["sum", "concat"])
@pytest.mark.parametrize("num_hashes", [1, 2, 4])
def test_the_real_hash_family(num_hashes: int, combine: Combine) -> None:
    """Mean shares of 120 seeds within 4.5 standard errors; keys classified by the definition."""
    num_keys, num_buckets = 60, {1: 60, 2: 12, 4: 6}[num_hashes]
    values = hash_keys(np.arange(num_keys), feature="user_id")
    found = []
    for seed in range(120):
        rows = tuple(map(tuple, hash_buckets(values, num_buckets, num_hashes, seed).tolist()))
        found.append(np.bincount(classify(rows, combine), minlength=3) / num_keys)
    expected = astuple(key_shares(num_keys, 0, num_buckets, num_hashes, combine))
    errors = np.std(found, axis=0, ddof=1) / math.sqrt(len(found))
    assert (np.abs(np.mean(found, axis=0) - expected) <= 4.5 * errors + 1e-3).all()


def test_head_keys_are_exclusive() -> None:
    tail = key_shares(600, 0, 50, 2)
    found = key_shares(1000, 400, 50, 2)
    assert found.exclusive == pytest.approx(0.4 + 0.6 * tail.exclusive, rel=1e-14)
    assert found.half_shared == pytest.approx(0.6 * tail.half_shared, rel=1e-14)
    assert found.fully_shared == pytest.approx(0.6 * tail.fully_shared, rel=1e-14)
    assert astuple(key_shares(7, 7, 0)) == (1.0, 0.0, 0.0)


def test_one_tail_key_shares_with_nobody() -> None:
    assert astuple(key_shares(8, 7, 1)) == (1.0, 0.0, 0.0)


def test_traffic_is_split_as_the_tail_is() -> None:
    counts = np.array([3, 500, 7, 90, 400], dtype=np.int32)
    tail = key_shares(3, 0, 4, 2)
    found = traffic_shares(counts, num_head=2, num_buckets=4, num_hashes=2)
    assert found.exclusive == pytest.approx((900 + 100 * tail.exclusive) / 1000, rel=1e-14)
    assert found.half_shared == pytest.approx(0.1 * tail.half_shared, rel=1e-14)
    assert found.fully_shared == pytest.approx(0.1 * tail.fully_shared, rel=1e-14)


@given(st.lists(st.integers(1, 1000), min_size=2, max_size=30), st.data())
def test_order_and_scale_of_the_counts_do_not_matter(counts: list[int], data: st.DataObject) -> None:
    num_head = data.draw(st.integers(0, len(counts)))
    shuffled = data.draw(st.permutations(counts))
    expected = astuple(traffic_shares(counts, num_head, 5))
    assert astuple(traffic_shares([0.5 * count for count in shuffled], num_head, 5)) == pytest.approx(
        expected, rel=1e-12, abs=1e-15
    )


def test_equal_counts_are_shares_of_keys() -> None:
    expected = astuple(key_shares(100, 30, 20, 4, "concat"))
    assert astuple(traffic_shares([2] * 100, 30, 20, 4, "concat")) == pytest.approx(expected, rel=1e-13)


def test_a_key_without_traffic_still_takes_its_rows() -> None:
    assert traffic_shares([5, 0], 0, 1, num_hashes=1).fully_shared == 1.0


def test_an_empty_tail_needs_no_bucket() -> None:
    assert astuple(traffic_shares([5, 1], 2, 0)) == (1.0, 0.0, 0.0)
    with pytest.raises(InvalidValueError, match="num_buckets"):
        traffic_shares([5, 1], 1, 0)


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        ([[1, 2]], "1-D"),
        ([1, -1], "got -1.0 at 1"),
        ([math.nan], "got nan at 0"),
        ([1.0, math.inf], "got inf at 1"),
        ([0, 0], "some traffic"),
        (np.array([], dtype=np.int64), "some traffic"),
    ],
)
def test_impossible_counts_are_refused(counts: npt.ArrayLike, message: str) -> None:
    with pytest.raises(InvalidValueError, match=message):
        traffic_shares(counts, 0, 1)


def test_counts_that_are_not_numbers_are_refused() -> None:
    with pytest.raises(InvalidTypeError, match="counts: expected integers or floats, got <U1"):
        traffic_shares(["a"], 0, 1)


def test_impossible_numbers_are_refused() -> None:
    with pytest.raises(InvalidValueError, match="num_keys"):
        key_shares(0, 0, 1)
    with pytest.raises(InvalidValueError, match="num_head"):
        key_shares(1, 2, 1)
    with pytest.raises(InvalidValueError, match="num_head"):
        traffic_shares([1], 2, 1)
    with pytest.raises(InvalidValueError, match="num_hashes"):
        key_shares(1, 0, 1, num_hashes=0)
    with pytest.raises(InvalidValueError, match="combine"):
        key_shares(1, 0, 1, combine="max")  # type: ignore[arg-type]
