"""Whether predicted probabilities agree with how often the label is 1."""

import numpy as np
import numpy.typing as npt

from hybridhash.errors import InvalidValueError
from hybridhash.metrics.rows import score_rows
from hybridhash.metrics.sums import sum_rows


def calibration(
    predictions: npt.ArrayLike, labels: npt.ArrayLike, weights: npt.ArrayLike | None = None
) -> float:
    """Return the mean prediction divided by the mean label; 1 is right, above 1 predicts too much.

    Args:
        predictions: [N] probabilities in [0, 1], not clipped; numpy, torch or a sequence.
        labels: [N], each 0 or 1, at least one of them 1.
        weights: [N] finite and not negative; None counts every row once.

    Returns:
        A ratio of 0 or more.

    Raises:
        InvalidTypeError: An input does not hold numbers.
        InvalidValueError: No label is 1, or an input cannot be used; see `score_rows`.

    Source: He et al. 2014, "Practical Lessons from Predicting Clicks on Ads at Facebook", section 3.

    Example:
        >>> calibration([0.5, 0.25, 0.5, 0.25], [0, 0, 1, 0])
        1.5
    """
    return sum_rows(score_rows(predictions, labels, weights)).calibration()


def expected_calibration_error(
    predictions: npt.ArrayLike,
    labels: npt.ArrayLike,
    weights: npt.ArrayLike | None = None,
    num_bins: int = 15,
) -> float:
    """Return how far the mean prediction is from the mean label, on average over bins of the prediction.

    The bins are of equal width; a prediction on an edge belongs to the upper bin, and 1 to the last.

    Args:
        predictions: [N] probabilities in [0, 1]; numpy, torch or a sequence.
        labels: [N], each 0 or 1.
        weights: [N] finite and not negative; None counts every row once.
        num_bins: 1 or more.

    Returns:
        In [0, 1]; 0 is right in every bin.

    Raises:
        InvalidTypeError: An input does not hold numbers.
        InvalidValueError: ``num_bins`` is below 1, or an input cannot be used; see `score_rows`.

    Source: Guo et al. 2017, "On Calibration of Modern Neural Networks", equation 3, with the probability of
    the label 1 in place of the confidence.

    Example:
        >>> round(expected_calibration_error([0.1, 0.3, 0.8], [0, 1, 1], num_bins=2), 4)
        0.2667
    """
    if num_bins < 1:
        raise InvalidValueError(f"num_bins: expected 1 or more, got {num_bins}")
    rows = score_rows(predictions, labels, weights)
    inner_edges = np.linspace(0, 1, num_bins + 1)[1:-1]
    bins = np.searchsorted(inner_edges, rows.predictions, side="right")
    gaps = np.bincount(bins, weights=rows.weights * (rows.predictions - rows.labels))
    return float(np.abs(gaps).sum() / rows.weights.sum())
