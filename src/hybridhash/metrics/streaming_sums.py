"""Log loss, normalised entropy, RCE and calibration as torchmetrics classes, from four sums."""

from typing import Any

import numpy.typing as npt
import torch

from hybridhash.metrics.rows import score_rows
from hybridhash.metrics.streaming import StreamingMetric, either_name
from hybridhash.metrics.sums import Sums, sum_rows


class _SumMetric(StreamingMetric):
    """Keeps the four sums, each a float64 scalar."""

    weight: torch.Tensor
    loss: torch.Tensor
    prediction: torch.Tensor
    label: torch.Tensor

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        for name in ("weight", "loss", "prediction", "label"):
            self.add_state(name, default=torch.zeros((), dtype=torch.float64), dist_reduce_fx="sum")

    def update(
        self,
        predictions: npt.ArrayLike | None = None,
        labels: npt.ArrayLike | None = None,
        weights: npt.ArrayLike | None = None,
        *,
        preds: npt.ArrayLike | None = None,
        target: npt.ArrayLike | None = None,
    ) -> None:
        """Take in a batch.

        Args:
            predictions: [B] probabilities in [0, 1]; a tensor, numpy array or sequence.
            labels: [B], each 0 or 1.
            weights: [B] finite and not negative; None counts every row once.
            preds: The predictions by the name that torchmetrics has for them.
            target: The labels by the name that torchmetrics has for them.

        Raises:
            InvalidTypeError: An input does not hold numbers, or is given under both names or neither.
            InvalidValueError: An input cannot be used; the batch then leaves no trace.
        """
        scores = either_name("predictions", predictions, "preds", preds)
        batch = sum_rows(score_rows(scores, either_name("labels", labels, "target", target), weights))
        self.weight = self.weight + batch.weight
        self.loss = self.loss + batch.loss
        self.prediction = self.prediction + batch.prediction
        self.label = self.label + batch.label

    def _sums(self) -> Sums:
        return Sums(self.weight.item(), self.loss.item(), self.prediction.item(), self.label.item())


class LogLoss(_SumMetric):
    """Mean binary cross entropy in nats, as `hybridhash.metrics.log_loss`.

    Args:
        **kwargs: The keyword arguments of `hybridhash.metrics.streaming.StreamingMetric`.
    """

    higher_is_better = False
    plot_lower_bound = 0.0

    def value(self) -> float:
        """Return the loss of all rows so far; there must be some."""
        return self._sums().mean_loss()


class NormalisedEntropy(_SumMetric):
    """Log loss over the entropy of the mean label, as `hybridhash.metrics.normalised_entropy`.

    Args:
        **kwargs: The keyword arguments of `hybridhash.metrics.streaming.StreamingMetric`.
    """

    higher_is_better = False
    plot_lower_bound = 0.0

    def value(self) -> float:
        """Return the ratio for all rows so far; there must be rows of both labels."""
        return self._sums().normalised_entropy()


class RelativeCrossEntropy(_SumMetric):
    """RCE in percent, as `hybridhash.metrics.relative_cross_entropy`; higher is better.

    The mean label it is relative to is that of all rows seen, whatever the order of the batches.

    Args:
        **kwargs: The keyword arguments of `hybridhash.metrics.streaming.StreamingMetric`.

    Example:
        >>> metric = RelativeCrossEntropy()
        >>> metric.update(torch.tensor([0.1, 0.2]), torch.tensor([0, 0]))
        >>> metric.update(preds=torch.tensor([0.1, 0.8]), target=torch.tensor([0, 1]))
        >>> round(metric.compute().item(), 2)
        70.79
    """

    higher_is_better = True
    plot_upper_bound = 100.0

    def value(self) -> float:
        """Return the RCE of all rows so far in percent; there must be rows of both labels."""
        return self._sums().relative_cross_entropy()


class Calibration(_SumMetric):
    """Mean prediction over mean label, as `hybridhash.metrics.calibration`.

    Args:
        **kwargs: The keyword arguments of `hybridhash.metrics.streaming.StreamingMetric`.
    """

    higher_is_better = None
    plot_lower_bound = 0.0

    def value(self) -> float:
        """Return the ratio for all rows so far; there must be a label that is 1."""
        return self._sums().calibration()
