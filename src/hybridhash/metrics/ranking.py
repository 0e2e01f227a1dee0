"""Area under the ROC curve, exact."""

import numpy as np
import numpy.typing as npt

from hybridhash.errors import InvalidValueError
from hybridhash.metrics.rows import Floats, score_rows


def auc(predictions: npt.ArrayLike, labels: npt.ArrayLike, weights: npt.ArrayLike | None = None) -> float:
    """Return the chance that a random positive row is ranked above a random negative one.

    Exact: no bins, and a tie counts half.

    Args:
        predictions: [N] probabilities in [0, 1]; numpy, torch or a sequence.
        labels: [N], each 0 or 1, not all equal.
        weights: [N] finite and not negative: a row's chance to be drawn; None counts every row once.

    Returns:
        In [0, 1]; 0.5 is no skill.

    Raises:
        InvalidTypeError: An input does not hold numbers.
        InvalidValueError: All labels (of rows with weight) are equal, or an input cannot be used; see
            `score_rows`.

    Example:
        >>> auc([0.1, 0.4, 0.4, 0.8], [0, 0, 1, 1])
        0.875
    """
    rows = score_rows(predictions, labels, weights)
    return area_under_roc(rows.predictions, rows.labels, rows.weights)


def area_under_roc(predictions: Floats, labels: Floats, weights: Floats) -> float:
    """Return `auc` of rows that are already checked.

    Args:
        predictions: float64[N].
        labels: float64[N], 0 or 1.
        weights: float64[N], not negative.

    Returns:
        In [0, 1].

    Raises:
        InvalidValueError: The rows with weight hold one label only.
    """
    order = np.argsort(predictions, kind="stable")
    ranked = predictions[order]
    starts = np.flatnonzero(np.concatenate([[True], ranked[1:] != ranked[:-1]])) if ranked.size else order
    positive = np.add.reduceat((weights * labels)[order], starts) if ranked.size else ranked
    negative = np.add.reduceat((weights * (1 - labels))[order], starts) if ranked.size else ranked
    pairs = positive.sum() * negative.sum()
    if not pairs > 0:
        raise InvalidValueError(
            "labels: expected both 0 and 1 among rows with weight, got one of them or no rows; AUC compares "
            "positive with negative rows and is undefined without both"
        )
    below = np.cumsum(negative) - negative
    return float((positive * (below + 0.5 * negative)).sum() / pairs)
