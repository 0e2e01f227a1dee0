"""The frequency curve by hand."""

import numpy as np

from hybridhash.vocabulary.curve import curve_of


def test_a_curve_with_points_for_all_ranks() -> None:
    curve = curve_of(np.array([5, 3, 1, 1]), 100)
    assert curve.ranks.tolist() == [1, 2, 3, 4]
    assert curve.counts.tolist() == [5, 3, 1, 1]
    assert curve.coverage.tolist() == [0.5, 0.8, 0.9, 1.0]


def test_points_are_spread_evenly_on_a_logarithmic_axis() -> None:
    curve = curve_of(np.arange(10_000, 0, -1), 5)
    assert curve.ranks.tolist() == [1, 10, 100, 1_000, 10_000]
    assert curve.counts.tolist() == [10_000, 9_991, 9_901, 9_001, 1]


def test_one_key_is_one_point_and_none_is_none() -> None:
    assert curve_of(np.array([7]), 5).ranks.tolist() == [1]
    assert curve_of(np.empty(0, np.int64), 5).ranks.tolist() == []
