"""Student's t interval, against scipy."""

import math

import numpy as np
import pytest
from scipy import stats

from hybridhash.errors import InvalidValueError
from hybridhash.metrics import MeanInterval, mean_interval
from hybridhash.metrics.intervals import t_quantile


@pytest.mark.parametrize("degrees", [1, 2, 3, 4, 5, 10, 47, 1000])
@pytest.mark.parametrize("confidence", [0.01, 0.5, 0.9, 0.95, 0.999])
def test_quantiles_are_scipys(confidence: float, degrees: int) -> None:
    expected = stats.t.ppf((1 + confidence) / 2, degrees)
    assert t_quantile(confidence, degrees) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("num_values", [2, 3, 5, 48])
def test_an_interval_is_scipys(num_values: int) -> None:
    values = np.random.default_rng(num_values).normal(3, 2, num_values)
    found = mean_interval(values.tolist(), 0.9)
    expected = stats.t.interval(0.9, num_values - 1, values.mean(), stats.sem(values))
    assert (found.low, found.high) == pytest.approx(expected)
    assert found.mean == pytest.approx(values.mean())


def test_it_holds_the_mean_as_often_as_it_says() -> None:
    random = np.random.default_rng(1)
    found = [mean_interval(random.normal(1, 3, 5).tolist()) for _ in range(2000)]
    share = np.mean([(one.low or 0) < 1 < (one.high or 0) for one in found])
    assert share == pytest.approx(0.95, abs=4 * math.sqrt(0.95 * 0.05 / 2000))


def test_one_value_has_no_interval_and_equal_ones_a_point() -> None:
    assert mean_interval([2.5]) == MeanInterval(2.5, None, None)
    assert mean_interval([2.5, 2.5, 2.5]) == MeanInterval(2.5, 2.5, 2.5)


def test_refuses_what_has_no_interval() -> None:
    for values in ([], [1.0, math.nan], [math.inf]):
        with pytest.raises(InvalidValueError, match="values: expected one or more finite numbers"):
            mean_interval(values)
    for confidence in (0.0, 1.0, -1.0, math.nan):
        with pytest.raises(InvalidValueError, match=r"confidence: expected a number in \(0, 1\)"):
            mean_interval([1.0, 2.0], confidence)
    with pytest.raises(InvalidValueError, match="degrees: expected 1 or more, got 0"):
        t_quantile(0.95, 0)
