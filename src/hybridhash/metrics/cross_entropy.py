"""Log loss, plain and relative to predicting the mean label."""

import numpy.typing as npt

from hybridhash.metrics.rows import score_rows
from hybridhash.metrics.sums import sum_rows


def log_loss(
    predictions: npt.ArrayLike, labels: npt.ArrayLike, weights: npt.ArrayLike | None = None
) -> float:
    """Return the mean binary cross entropy, in nats; lower is better.

    Predictions are clipped to [epsilon, 1 - epsilon] with the machine epsilon of their dtype, as
    scikit-learn does (1.2e-7 for float32 and narrower, 2.2e-16 for float64): a confident mistake costs
    at most 15.9 or 36.0 instead of infinity.

    Args:
        predictions: [N] probabilities in [0, 1]; numpy, torch or a sequence.
        labels: [N], each 0 or 1.
        weights: [N] finite and not negative; None counts every row once.

    Returns:
        The weighted mean loss.

    Raises:
        InvalidTypeError: An input does not hold numbers.
        InvalidValueError: An input cannot be used; see `score_rows`.

    Example:
        >>> round(log_loss([0.5, 0.5], [0, 1]), 4)
        0.6931
    """
    return sum_rows(score_rows(predictions, labels, weights)).mean_loss()


def normalised_entropy(
    predictions: npt.ArrayLike, labels: npt.ArrayLike, weights: npt.ArrayLike | None = None
) -> float:
    """Return the log loss divided by the entropy of the mean label; lower is better, 1 is no skill.

    The mean label is that of these very rows, not of the training span.

    Args:
        predictions: [N] probabilities in [0, 1]; clipped as in `log_loss`.
        labels: [N], each 0 or 1, not all equal.
        weights: [N] finite and not negative; None counts every row once.

    Returns:
        A ratio of 0 or more.

    Raises:
        InvalidTypeError: An input does not hold numbers.
        InvalidValueError: All labels are equal, or an input cannot be used; see `score_rows`.

    Source: He et al. 2014, "Practical Lessons from Predicting Clicks on Ads at Facebook", section 3.

    Example:
        >>> normalised_entropy([0.25, 0.25, 0.25, 0.25], [0, 0, 0, 1])
        1.0
    """
    return sum_rows(score_rows(predictions, labels, weights)).normalised_entropy()


def relative_cross_entropy(
    predictions: npt.ArrayLike, labels: npt.ArrayLike, weights: npt.ArrayLike | None = None
) -> float:
    """Return RCE: by how many percent the log loss is below that of predicting the mean label.

    ``100 * (1 - CE / CE of predicting the mean label of these rows)``. Higher is better: 100 is
    perfect, 0 is no better than knowing the mean label, and below 0 is worse than that.

    Args:
        predictions: [N] probabilities in [0, 1]; clipped as in `log_loss`.
        labels: [N], each 0 or 1, not all equal.
        weights: [N] finite and not negative; None counts every row once.

    Returns:
        A percentage of at most 100.

    Raises:
        InvalidTypeError: An input does not hold numbers.
        InvalidValueError: All labels are equal, or an input cannot be used; see `score_rows`.

    Source: the measure of quality in the experiments of Zhang et al. 2020.

    Example:
        >>> round(relative_cross_entropy([0.1, 0.2, 0.1, 0.8], [0, 0, 0, 1]), 2)
        70.79
    """
    return sum_rows(score_rows(predictions, labels, weights)).relative_cross_entropy()
