import numpy as np
import pytest

from hybridhash import metrics
from hybridhash.errors import InvalidValueError


def test_batches_of_one_label_are_fine_when_both_came() -> None:
    metric = metrics.RelativeCrossEntropy()
    metric.update([0.2, 0.3], [0, 0])
    with pytest.raises(InvalidValueError, match="got only 0"):
        metric.compute()
    metric.update([0.9], [1])
    expected = metrics.relative_cross_entropy([0.2, 0.3, 0.9], [0, 0, 1])
    assert metric.compute().item() == pytest.approx(expected, rel=1e-12)


def test_sums_do_not_stall_on_long_streams() -> None:
    # In float32 a sum of ones stops growing at 2**24.
    metric = metrics.LogLoss()
    metric.update([0.5], [1], [2.0**24])
    for _ in range(3):
        metric.update([0.25], [1])
    expected = (2**24 * np.log(2) + 3 * np.log(4)) / (2**24 + 3)
    assert metric.compute().item() == pytest.approx(expected, rel=1e-14)
