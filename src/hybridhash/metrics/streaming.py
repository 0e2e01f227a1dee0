"""The metrics as torchmetrics classes: fed batch by batch, merged across processes by sums.

Each class keeps what its function needs and calls the same code, so a stream of batches, two merged
metrics and one call of the function on all rows agree. Input is checked and clipped batch by batch as
the functions do. Calling a metric (``metric(predictions, labels)``) also computes it on that batch
alone, which can be undefined when the batch holds one label: use ``update`` in a loop.
"""

from abc import abstractmethod
from typing import Any

import numpy.typing as npt
import torch
from torchmetrics import Metric
from torchmetrics.utilities import dim_zero_cat

from hybridhash.errors import InvalidValueError
from hybridhash.metrics.grouped import DEFAULT_K, GroupedScore, check_groups, grouped_auc, ndcg
from hybridhash.metrics.ranking import area_under_roc
from hybridhash.metrics.rows import score_rows
from hybridhash.metrics.sums import Sums, sum_rows


class _MergeableMetric(Metric):
    """A metric whose states simply add up or join."""

    full_state_update = False

    def merge_state(self, incoming_state: dict[str, Any] | Metric) -> None:
        """Take in the rows that another metric of this class, or its state, has seen.

        Args:
            incoming_state: A metric of the same class, or its ``metric_state``.
        """
        super().merge_state(incoming_state)
        # torchmetrics would go on returning a value that was computed before the merge.
        self._computed = None
        self._update_count += 1


class _SumMetric(_MergeableMetric):
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
        self, predictions: npt.ArrayLike, labels: npt.ArrayLike, weights: npt.ArrayLike | None = None
    ) -> None:
        """Take in a batch.

        Args:
            predictions: [B] probabilities in [0, 1]; a tensor, numpy array or sequence.
            labels: [B], each 0 or 1.
            weights: [B] finite and not negative; None counts every row once.

        Raises:
            InvalidTypeError: An input does not hold numbers.
            InvalidValueError: An input cannot be used; the batch then leaves no trace.
        """
        batch = sum_rows(score_rows(predictions, labels, weights))
        self.weight = self.weight + batch.weight
        self.loss = self.loss + batch.loss
        self.prediction = self.prediction + batch.prediction
        self.label = self.label + batch.label

    def _sums(self) -> Sums:
        return Sums(self.weight.item(), self.loss.item(), self.prediction.item(), self.label.item())

    def _scalar(self, value: float) -> torch.Tensor:
        return torch.tensor(value, dtype=torch.float64, device=self.weight.device)


class LogLoss(_SumMetric):
    """Mean binary cross entropy in nats, as `hybridhash.metrics.log_loss`.

    Args:
        **kwargs: What ``torchmetrics.Metric`` takes, such as ``dist_sync_fn``.
    """

    is_differentiable = False
    higher_is_better = False

    def compute(self) -> torch.Tensor:
        """Return the loss of all rows so far as a float64 scalar.

        Raises:
            InvalidValueError: There are no rows.
        """
        return self._scalar(self._sums().mean_loss())


class NormalisedEntropy(_SumMetric):
    """Log loss over the entropy of the mean label, as `hybridhash.metrics.normalised_entropy`.

    Args:
        **kwargs: What ``torchmetrics.Metric`` takes, such as ``dist_sync_fn``.
    """

    is_differentiable = False
    higher_is_better = False

    def compute(self) -> torch.Tensor:
        """Return the ratio for all rows so far as a float64 scalar.

        Raises:
            InvalidValueError: There are no rows, or all labels are equal.
        """
        return self._scalar(self._sums().normalised_entropy())


class RelativeCrossEntropy(_SumMetric):
    """RCE in percent, as `hybridhash.metrics.relative_cross_entropy`; higher is better.

    The mean label it is relative to is that of all rows seen, whatever the order of the batches.

    Args:
        **kwargs: What ``torchmetrics.Metric`` takes, such as ``dist_sync_fn``.

    Example:
        >>> metric = RelativeCrossEntropy()
        >>> metric.update(torch.tensor([0.1, 0.2]), torch.tensor([0, 0]))
        >>> metric.update(torch.tensor([0.1, 0.8]), torch.tensor([0, 1]))
        >>> round(metric.compute().item(), 2)
        70.79
    """

    is_differentiable = False
    higher_is_better = True

    def compute(self) -> torch.Tensor:
        """Return the RCE of all rows so far as a float64 scalar, in percent.

        Raises:
            InvalidValueError: There are no rows, or all labels are equal.
        """
        return self._scalar(self._sums().relative_cross_entropy())


class Calibration(_SumMetric):
    """Mean prediction over mean label, as `hybridhash.metrics.calibration`.

    Args:
        **kwargs: What ``torchmetrics.Metric`` takes, such as ``dist_sync_fn``.
    """

    is_differentiable = False
    higher_is_better = None

    def compute(self) -> torch.Tensor:
        """Return the ratio for all rows so far as a float64 scalar.

        Raises:
            InvalidValueError: There are no rows, or no label is 1.
        """
        return self._scalar(self._sums().calibration())


class AUC(_MergeableMetric):
    """Exact area under the ROC curve, as `hybridhash.metrics.auc`.

    It keeps every row: 17 bytes each, on the metric's device.

    Args:
        **kwargs: What ``torchmetrics.Metric`` takes, such as ``dist_sync_fn``.
    """

    is_differentiable = False
    higher_is_better = True

    predictions: list[torch.Tensor]
    labels: list[torch.Tensor]
    weights: list[torch.Tensor]

    def __init__(self, **kwargs: Any) -> None:
        """Start without rows."""
        super().__init__(**kwargs)
        for name in ("predictions", "labels", "weights"):
            self.add_state(name, default=[], dist_reduce_fx="cat")

    def update(
        self, predictions: npt.ArrayLike, labels: npt.ArrayLike, weights: npt.ArrayLike | None = None
    ) -> None:
        """Take in a batch.

        Args:
            predictions: [B] probabilities in [0, 1]; a tensor, numpy array or sequence.
            labels: [B], each 0 or 1.
            weights: [B] finite and not negative; None counts every row once.

        Raises:
            InvalidTypeError: An input does not hold numbers.
            InvalidValueError: An input cannot be used; the batch then leaves no trace.
        """
        batch = score_rows(predictions, labels, weights)
        self.predictions.append(torch.from_numpy(batch.predictions).to(self.device))
        self.labels.append(torch.from_numpy(batch.labels).to(self.device, torch.uint8))
        self.weights.append(torch.from_numpy(batch.weights).to(self.device))

    def compute(self) -> torch.Tensor:
        """Return the AUC of all rows so far as a float64 scalar.

        Raises:
            InvalidValueError: There are no rows, or all labels are equal.
        """
        if not len(self.predictions):
            raise InvalidValueError(
                "expected at least one row, got none; update the metric before computing it"
            )
        predictions, labels, weights = (
            dim_zero_cat(state).double().cpu().numpy()
            for state in (self.predictions, self.labels, self.weights)
        )
        value = area_under_roc(predictions, labels, weights)
        return torch.tensor(value, dtype=torch.float64, device=self.device)


class _GroupedMetric(_MergeableMetric):
    """Keeps every row with its group: 25 bytes each, on the metric's device."""

    is_differentiable = False
    higher_is_better = True

    predictions: list[torch.Tensor]
    labels: list[torch.Tensor]
    groups: list[torch.Tensor]
    weights: list[torch.Tensor]

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        for name in ("predictions", "labels", "groups", "weights"):
            self.add_state(name, default=[], dist_reduce_fx="cat")

    def _take(
        self,
        predictions: npt.ArrayLike,
        labels: npt.ArrayLike,
        groups: npt.ArrayLike,
        weights: npt.ArrayLike | None,
    ) -> None:
        batch = score_rows(predictions, labels, weights)
        of_row = check_groups(groups, batch.labels.size)
        self.predictions.append(torch.from_numpy(batch.predictions).to(self.device))
        self.labels.append(torch.from_numpy(batch.labels).to(self.device, torch.uint8))
        self.groups.append(torch.from_numpy(of_row).to(self.device))
        self.weights.append(torch.from_numpy(batch.weights).to(self.device))

    def _rows(self) -> list[npt.NDArray[Any]]:
        if not len(self.predictions):
            raise InvalidValueError(
                "expected at least one row, got none; update the metric before computing it"
            )
        states = (self.predictions, self.labels, self.groups, self.weights)
        return [dim_zero_cat(state).cpu().numpy() for state in states]

    def compute(self) -> torch.Tensor:
        """Return the mean over the groups of all rows so far as a float64 scalar.

        Raises:
            InvalidValueError: There are no rows, or no group has both labels.
        """
        return torch.tensor(self.score().value, dtype=torch.float64, device=self.device)

    @abstractmethod
    def score(self) -> GroupedScore:
        """Return the mean with the number of groups it is over."""


class GroupedAUC(_GroupedMetric):
    """AUC within groups, averaged by their impressions (GAUC), as `hybridhash.metrics.grouped_auc`.

    Args:
        **kwargs: What ``torchmetrics.Metric`` takes, such as ``dist_sync_fn``.
    """

    def update(
        self,
        predictions: npt.ArrayLike,
        labels: npt.ArrayLike,
        groups: npt.ArrayLike,
        weights: npt.ArrayLike | None = None,
    ) -> None:
        """Take in a batch.

        Args:
            predictions: [B] probabilities in [0, 1]; a tensor, numpy array or sequence.
            labels: [B], each 0 or 1.
            groups: [B] integers; a group may go on in another batch.
            weights: [B] finite and not negative; None counts every row once.

        Raises:
            InvalidTypeError: An input does not hold numbers, or the groups are not integers.
            InvalidValueError: An input cannot be used; the batch then leaves no trace.
        """
        self._take(predictions, labels, groups, weights)

    def score(self) -> GroupedScore:
        """Return GAUC with the number of groups it is over."""
        return grouped_auc(*self._rows())


class NDCG(_GroupedMetric):
    """NDCG@k of the groups, as `hybridhash.metrics.ndcg`.

    Args:
        k: Places that count, 1 or more.
        **kwargs: What ``torchmetrics.Metric`` takes, such as ``dist_sync_fn``.
    """

    def __init__(self, k: int = DEFAULT_K, **kwargs: Any) -> None:
        """Start without rows."""
        super().__init__(**kwargs)
        self.k = k

    def update(self, predictions: npt.ArrayLike, labels: npt.ArrayLike, groups: npt.ArrayLike) -> None:
        """Take in a batch; see `GroupedAUC.update`. Rows have no weights."""
        self._take(predictions, labels, groups, None)

    def score(self) -> GroupedScore:
        """Return NDCG@k with the number of groups it is over."""
        predictions, labels, groups, _ = self._rows()
        return ndcg(predictions, labels, groups, self.k)
