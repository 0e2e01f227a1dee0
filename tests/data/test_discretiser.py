import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridhash.data import Discretiser, percentile_edges
from hybridhash.data.discretiser import NULL_BIN
from hybridhash.errors import FileFormatError, InvalidValueError

numbers = st.lists(
    st.floats(allow_infinity=False, allow_nan=True) | st.integers(-3, 3).map(float), max_size=60
)


@given(numbers, st.integers(2, 12))
def test_edges_are_numpys_inverted_cdf(values: list[float], num_bins: int) -> None:
    present = np.array([value for value in values if not math.isnan(value)])
    edges = percentile_edges(np.array(values, dtype=np.float64), num_bins)
    if not present.size:
        assert edges.size == 0
        return
    ordered = np.sort(present)
    # The smallest value with at least i / num_bins of the values at or below it, counted in integers.
    expected = {
        float(next(v for k, v in enumerate(ordered, 1) if k * num_bins >= index * ordered.size))
        for index in range(1, num_bins)
    }
    assert set(edges.tolist()) == expected
    assert (np.diff(edges) > 0).all()


def test_bins_of_even_data_hold_the_same_number_of_values() -> None:
    values = np.random.default_rng(0).permutation(1000).astype(np.float64)
    discretiser = Discretiser({"x": percentile_edges(values.copy(), 100)})
    counts = np.bincount(discretiser.transform("x", values))
    assert counts.tolist() == [10] * 100
    assert discretiser.num_bins("x") == 100
    assert discretiser.num_bytes == 99 * 8


def test_equal_percentiles_merge() -> None:
    # 90 zeros and one each of 1..10: nine in ten quantiles are 0.
    values = np.array([0.0] * 90 + list(range(1, 11)))
    edges = percentile_edges(values, 10)
    assert edges.tolist() == [0.0]
    bins = Discretiser({"x": edges}).transform("x", np.array([-1.0, 0.0, 0.5, 99.0]))
    assert bins.tolist() == [0, 0, 1, 1]


def test_a_null_has_a_bin_of_its_own() -> None:
    bins = Discretiser({"x": np.array([1.0])}).transform("x", np.array([np.nan, 5.0, 1.0]))
    assert bins.tolist() == [NULL_BIN, 1, 0]


def test_no_values_make_one_bin() -> None:
    edges = percentile_edges(np.array([np.nan]))
    assert Discretiser({"x": edges}).transform("x", np.array([3.0, np.nan])).tolist() == [0, NULL_BIN]


def test_a_discretiser_survives_its_arrays() -> None:
    discretiser = Discretiser({"x": np.array([1.0, 2.0]), "y": np.empty(0)})
    again = Discretiser.from_arrays(discretiser.to_arrays())
    assert {name: edges.tolist() for name, edges in again.edges.items()} == {"x": [1.0, 2.0], "y": []}


def test_wrong_edges_bins_and_names_are_refused() -> None:
    for wrong in ([2.0, 1.0], [1.0, 1.0], [math.inf], [math.nan], [[1.0]]):
        with pytest.raises(InvalidValueError, match="rising"):
            Discretiser({"x": np.array(wrong)})
    with pytest.raises(FileFormatError, match="float64"):
        Discretiser.from_arrays({"x": np.array([1.0], dtype=np.float32)})
    with pytest.raises(FileFormatError, match="rising"):
        Discretiser.from_arrays({"x": np.array([2.0, 1.0])})
    with pytest.raises(InvalidValueError, match="num_bins"):
        percentile_edges(np.array([1.0]), 1)
    with pytest.raises(InvalidValueError, match="got 'y'"):
        Discretiser({"x": np.array([1.0])}).transform("y", np.array([1.0]))
