import numpy as np
import pytest
import torch
from torchmetrics.functional.classification import binary_calibration_error

from hybridhash.errors import InvalidValueError
from hybridhash.metrics import calibration, expected_calibration_error


def test_calibration_by_hand() -> None:
    assert calibration([0.5, 0.25, 0.5, 0.25], [0, 0, 1, 0]) == 1.5
    assert calibration([0.5, 0.25], [0, 1], [1, 3]) == pytest.approx((0.5 + 0.75) / 3, rel=1e-15)
    assert calibration([0.0, 0.0], [1, 1]) == 0  # not clipped


def test_calibration_without_a_positive_is_undefined() -> None:
    with pytest.raises(InvalidValueError, match="expected at least one 1, got 0s"):
        calibration([0.5, 0.5], [0, 0])
    with pytest.raises(InvalidValueError, match="expected at least one 1, got 0s"):
        calibration([0.5, 0.5], [0, 1], [1, 0])


@pytest.mark.parametrize("num_bins", [1, 2, 7, 15, 100])
def test_expected_calibration_error_is_that_of_torchmetrics(num_bins: int) -> None:
    rng = np.random.default_rng(num_bins)
    predictions = rng.beta(1, 3, size=2000)
    labels = (rng.random(2000) < predictions**1.3).astype(int)
    expected = binary_calibration_error(
        torch.tensor(predictions), torch.tensor(labels), n_bins=num_bins
    ).item()
    assert expected_calibration_error(predictions, labels, num_bins=num_bins) == pytest.approx(
        expected, rel=1e-5
    )


def test_expected_calibration_error_by_hand() -> None:
    # Bins [0, 1/2) and [1/2, 1]; an edge counts up: gaps |0.25 - 1| / 3 and |0.5 + 1 - 1| / 3.
    assert expected_calibration_error([0.25, 0.5, 1.0], [1, 0, 1], num_bins=2) == pytest.approx(1.25 / 3)
    weighted = expected_calibration_error([0.25, 0.5, 1.0], [1, 0, 1], [2, 1, 1], num_bins=2)
    assert weighted == pytest.approx((2 * 0.75 + 0.5) / 4)


def test_expected_calibration_error_needs_a_bin() -> None:
    with pytest.raises(InvalidValueError, match="num_bins: expected 1 or more, got 0"):
        expected_calibration_error([0.5], [1], num_bins=0)
