"""Counts, against collections.Counter."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridhash.errors import InvalidTypeError, InvalidValueError
from hybridhash.vocabulary import Counts

INT64 = np.iinfo(np.int64)
NAMES = ("a", "b", "c")
PAIRS = st.lists(
    st.tuples(st.one_of(st.integers(-4, 4), st.sampled_from([INT64.min, INT64.max])), st.integers(0, 2)),
    max_size=40,
)


def counts_of(pairs: list[tuple[int, int]], names: tuple[str, ...] = NAMES) -> Counts:
    """Count (key, feature) pairs, one row each, in the order they come."""
    return Counts([k for k, _ in pairs], [1] * len(pairs), [f for _, f in pairs], names, num_rows=len(pairs))


@given(pairs=PAIRS)
def test_equal_pairs_are_summed_and_ordered(pairs: list[tuple[int, int]]) -> None:
    counts = counts_of(pairs)
    expected = sorted(Counter(pairs).items(), key=lambda item: (-item[1], item[0]))
    got = zip(counts.keys.tolist(), counts.feature.tolist(), counts.counts.tolist(), strict=True)
    assert list(got) == [(key, feature, number) for (key, feature), number in expected]
    assert (counts.keys.dtype, counts.counts.dtype, counts.feature.dtype) == (np.int64, np.int64, np.int32)
    assert counts.total == len(pairs)
    per_key = Counter(key for key, _ in pairs)
    assert counts.num_keys == len(per_key)
    assert counts.singletons == sum(number == 1 for number in per_key.values())


@given(pairs=PAIRS, k=st.integers(0, 12), j=st.integers(0, 12))
def test_top_is_by_count_then_key_and_nested(pairs: list[tuple[int, int]], k: int, j: int) -> None:
    counts = counts_of(pairs)
    per_key = Counter(key for key, _ in pairs)
    expected = sorted(per_key, key=lambda key: (-per_key[key], key))[:k]
    top = counts.top(k)
    assert top.keys.tolist() == expected
    assert top.counts is not None
    assert top.counts.tolist() == [per_key[key] for key in expected]
    j = min(j, k)
    assert counts.top(j).keys.tolist() == top.keys.tolist()[:j]


def test_top_of_more_keys_than_there_are_is_all_of_them() -> None:
    counts = counts_of([(7, 0), (5, 0), (7, 0)])
    assert counts.top(3).keys.tolist() == [7, 5]
    assert counts.top(0).keys.tolist() == []


def test_top_keeps_the_seed() -> None:
    assert Counts([1], [1], [0], ("a",), num_rows=1, seed=9).top(1).seed == 9


@given(first=PAIRS, second=PAIRS, third=PAIRS)
def test_merged_shards_are_one_pass(
    first: list[tuple[int, int]], second: list[tuple[int, int]], third: list[tuple[int, int]]
) -> None:
    a, b, c = counts_of(first), counts_of(second), counts_of(third)
    whole = counts_of(first + second + third)
    assert a.merge(b).merge(c) == whole
    assert a.merge(b.merge(c)) == whole
    assert c.merge(a).merge(b) == whole


def test_merge_brings_new_features_by_name() -> None:
    left = Counts([1, 2], [3, 1], [0, 1], ("x", "y"), num_rows=3)
    right = Counts([2, 9], [5, 4], [1, 0], ("z", "y"), num_rows=5)
    merged = left.merge(right)
    assert merged.feature_names == ("x", "y", "z")
    assert merged.num_rows == 8
    assert merged == Counts([1, 2, 9], [3, 6, 4], [0, 1, 2], ("x", "y", "z"), num_rows=8)


@given(pairs=PAIRS)
def test_restrict_keeps_the_named_features_in_the_order_given(pairs: list[tuple[int, int]]) -> None:
    kept = counts_of(pairs).restrict(["c", "a"])
    place = {2: 0, 0: 1}
    again = counts_of([(key, place[f]) for key, f in pairs if f in place], ("c", "a"))
    np.testing.assert_array_equal(kept.keys, again.keys)
    np.testing.assert_array_equal(kept.counts, again.counts)
    np.testing.assert_array_equal(kept.feature, again.feature)
    assert kept.feature_names == ("c", "a")
    assert kept.num_rows == len(pairs)


def test_coverage_by_hand() -> None:
    counts = Counts([1, 2, 1, 3], [4, 2, 1, 3], [0, 0, 1, 1], ("a", "b"), num_rows=6)
    # per key: 5, 3, 2 of 10
    assert counts.coverage([0, 1, 2, 3, 99]).tolist() == [0.0, 0.5, 0.8, 1.0, 1.0]
    assert counts_of([]).coverage([0, 5]).tolist() == [1.0, 1.0]


def test_frequency_curve_of_all_and_of_one_feature() -> None:
    counts = Counts([1, 2, 1, 3], [4, 2, 1, 3], [0, 0, 1, 1], ("a", "b"), num_rows=6)
    assert counts.frequency_curve().counts.tolist() == [5, 3, 2]
    assert counts.frequency_curve("b").counts.tolist() == [3, 1]
    assert counts.frequency_curve("b", num_points=2).coverage.tolist() == [0.75, 1.0]


def test_unseen_share_by_hand() -> None:
    learned = Counts([1, 2, 3], [9, 9, 9], [0, 0, 1], ("a", "b"), num_rows=18)
    later = Counts([1, 3, 3, 4], [6, 1, 5, 3], [1, 1, 0, 1], ("b", "a"), num_rows=8)
    # b knows key 3; a knows key 1 (6 times), not keys 3 and 4 (1 + 3 of 10)
    assert learned.unseen_share(later) == {"b": 0.0, "a": 0.4}
    assert learned.unseen_share(Counts([], [], [], ("a",), num_rows=0)) == {"a": 0.0}


def test_equality_sees_every_part() -> None:
    one = Counts([1, 2], [2, 1], [0, 1], ("a", "b"), num_rows=2, seed=1)
    assert one == Counts([2, 1], [1, 2], [1, 0], ("a", "b"), num_rows=2, seed=1)
    assert one != Counts([1, 3], [2, 1], [0, 1], ("a", "b"), num_rows=2, seed=1)
    assert one != Counts([1, 2], [3, 1], [0, 1], ("a", "b"), num_rows=2, seed=1)
    assert one != Counts([1, 2], [2, 1], [0, 0], ("a", "b"), num_rows=2, seed=1)
    assert one != Counts([1, 2], [2, 1], [0, 1], ("a", "c"), num_rows=2, seed=1)
    assert one != Counts([1, 2], [2, 1], [0, 1], ("a", "b"), num_rows=3, seed=1)
    assert one != Counts([1, 2], [2, 1], [0, 1], ("a", "b"), num_rows=2, seed=0)
    assert one != "counts"


def test_repr_says_the_sizes() -> None:
    assert repr(counts_of([(7, 0), (7, 1)], ("a", "b"))) == "Counts(1 keys in 2 rows of a, b, seed=0)"


def test_no_caller_can_change_it() -> None:
    counts = counts_of([(7, 0)])
    for array in (counts.keys, counts.counts, counts.feature):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 3


@pytest.mark.parametrize("names", [(), ("a", "a")])
def test_feature_names_must_be_distinct_and_some(names: tuple[str, ...]) -> None:
    with pytest.raises(InvalidValueError, match="feature_names: expected one or more distinct names"):
        Counts([], [], [], names, num_rows=0)


def test_what_is_out_of_range_is_refused() -> None:
    with pytest.raises(InvalidValueError, match="num_rows: expected 0 or more, got -1"):
        Counts([], [], [], ("a",), num_rows=-1)
    with pytest.raises(InvalidValueError, match="of one length, got 2, 1 and 2"):
        Counts([1, 2], [1], [0, 0], ("a",), num_rows=1)
    with pytest.raises(InvalidValueError, match="of one length, got 2, 2 and 1"):
        Counts([1, 2], [1, 1], [0], ("a",), num_rows=1)
    with pytest.raises(InvalidValueError, match="counts: expected 1 or more for every key, got 0"):
        Counts([1, 2], [1, 0], [0, 0], ("a",), num_rows=1)
    with pytest.raises(InvalidValueError, match=r"feature: expected indices in \[0, 2\), got 0 to 2"):
        Counts([1, 2], [1, 1], [0, 2], ("a", "b"), num_rows=1)
    with pytest.raises(InvalidValueError, match=r"feature: expected indices in \[0, 2\), got -1 to 1"):
        Counts([1, 2], [1, 1], [-1, 1], ("a", "b"), num_rows=1)
    with pytest.raises(InvalidTypeError, match="counts: expected int64, got float64"):
        Counts([1, 2], [1.0, 1.0], [0, 0], ("a",), num_rows=1)


def test_wrong_arguments_of_the_methods_are_refused() -> None:
    counts = counts_of([(1, 0)], ("a", "b"))
    with pytest.raises(InvalidValueError, match="k: expected"):
        counts.top(-1)
    with pytest.raises(InvalidValueError, match="feature: expected one of a, b, got 'z'"):
        counts.restrict(["a", "z"])
    with pytest.raises(InvalidValueError, match="distinct names"):
        counts.restrict(["a", "a"])
    with pytest.raises(InvalidValueError, match="distinct names"):
        counts.restrict([])
    with pytest.raises(InvalidValueError, match="ranks: expected numbers of keys, 0 or more, got -1"):
        counts.coverage([-1])
    with pytest.raises(InvalidTypeError, match="ranks: expected int64"):
        counts.coverage([0.5])
    with pytest.raises(InvalidValueError, match="feature: expected one of a, b, got 'z'"):
        counts.frequency_curve("z")
    with pytest.raises(InvalidValueError, match="num_points: expected 2 or more, got 1"):
        counts.frequency_curve(num_points=1)
    other = Counts([1], [1], [0], ("a",), num_rows=1, seed=1)
    with pytest.raises(InvalidValueError, match="merge: expected keys hashed with seed 0, got seed 1"):
        counts.merge(other)
    with pytest.raises(InvalidValueError, match="unseen_share: expected keys hashed with seed 0, got seed 1"):
        counts.unseen_share(other)
    with pytest.raises(InvalidValueError, match="feature: expected one of a, b, got 'c'"):
        counts.unseen_share(counts_of([], ("c",)))
