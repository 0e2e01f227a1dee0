"""The four sums that log loss, normalised entropy, RCE and calibration are made of."""

from dataclasses import dataclass

import numpy as np

from hybridhash.errors import InvalidValueError
from hybridhash.metrics.rows import ScoredRows


@dataclass(frozen=True)
class Sums:
    """What has to be kept of any number of rows; the sums of two sets of rows add up.

    Attributes:
        weight: Sum of the weights.
        loss: Weighted sum of the log losses, in nats.
        prediction: Weighted sum of the predictions.
        label: Weighted sum of the labels.
    """

    weight: float
    loss: float
    prediction: float
    label: float

    def mean_loss(self) -> float:
        """Return the log loss per unit of weight, in nats.

        Raises:
            InvalidValueError: There are no rows.
        """
        self._refuse_empty()
        return self.loss / self.weight

    def normalised_entropy(self) -> float:
        """Return the log loss as a share of what predicting the mean label costs.

        Raises:
            InvalidValueError: There are no rows, or all labels are equal.
        """
        return self.mean_loss() / self._label_entropy()

    def relative_cross_entropy(self) -> float:
        """Return by how many percent the log loss is below that of predicting the mean label.

        Raises:
            InvalidValueError: There are no rows, or all labels are equal.
        """
        return 100.0 * (1.0 - self.normalised_entropy())

    def calibration(self) -> float:
        """Return the mean prediction divided by the mean label.

        Raises:
            InvalidValueError: There are no rows, or no label is 1.
        """
        self._refuse_empty()
        if self.label == 0:
            raise InvalidValueError(
                "labels: expected at least one 1, got 0s; calibration divides by their mean; use more rows"
            )
        return self.prediction / self.label

    def _label_entropy(self) -> float:
        mean = self.label / self.weight
        if not 0 < mean < 1:
            raise InvalidValueError(
                f"labels: expected both 0 and 1, got only {mean:.0f}; predicting the mean label then costs "
                "nothing and a loss relative to it is undefined: use more rows, or the plain log loss"
            )
        return float(-(mean * np.log(mean) + (1 - mean) * np.log1p(-mean)))

    def _refuse_empty(self) -> None:
        if self.weight == 0:
            raise InvalidValueError(
                "expected at least one row, got none; update the metric before computing it"
            )


def sum_rows(rows: ScoredRows) -> Sums:
    """Add up rows.

    Predictions closer than ``rows.epsilon`` to 0 or 1 count as epsilon or 1 - epsilon, so that one
    rounded prediction does not make the loss infinite.

    Args:
        rows: N checked rows.

    Returns:
        Their sums.
    """
    clipped = np.clip(rows.predictions, rows.epsilon, 1 - rows.epsilon)
    losses = -np.where(rows.labels == 1, np.log(clipped), np.log1p(-clipped))
    return Sums(
        weight=float(rows.weights.sum()),
        loss=float((rows.weights * losses).sum()),
        prediction=float((rows.weights * rows.predictions).sum()),
        label=float((rows.weights * rows.labels).sum()),
    )
