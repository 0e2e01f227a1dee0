"""AUC, GAUC and NDCG as torchmetrics classes, which keep every row."""

from abc import abstractmethod
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import torch

from hybridhash.errors import InvalidValueError
from hybridhash.metrics.grouped import DEFAULT_K, GroupedScore, check_groups, grouped_auc, ndcg
from hybridhash.metrics.ranking import area_under_roc
from hybridhash.metrics.rows import score_rows
from hybridhash.metrics.streaming import StreamingMetric, either_name


class AUC(StreamingMetric):
    """Exact area under the ROC curve, as `hybridhash.metrics.auc`.

    It keeps every row: 17 bytes each, on the metric's device.

    Args:
        **kwargs: The keyword arguments of `hybridhash.metrics.streaming.StreamingMetric`.
    """

    higher_is_better = True
    plot_lower_bound = 0.0
    plot_upper_bound = 1.0
    columns: ClassVar = {"predictions": torch.float64, "labels": torch.uint8, "weights": torch.float64}

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
        batch = score_rows(scores, either_name("labels", labels, "target", target), weights)
        self._keep(predictions=batch.predictions, labels=batch.labels, weights=batch.weights)

    def value(self) -> float:
        """Return the AUC of all rows so far; there must be rows of both labels."""
        predictions, labels, weights = self._kept()
        return area_under_roc(predictions, labels.astype(np.float64), weights)


class _GroupedMetric(StreamingMetric):
    """Keeps every row with its group: 25 bytes each, on the metric's device."""

    higher_is_better = True
    plot_lower_bound = 0.0
    plot_upper_bound = 1.0
    columns: ClassVar = {**AUC.columns, "groups": torch.int64}

    def value(self) -> float:
        """Return the mean over the groups of all rows so far; a group must have both labels."""
        return self.score().value

    @abstractmethod
    def score(self) -> GroupedScore:
        """Return the mean with the number of groups it is over."""

    def _take(self, scores: Any, truth: Any, groups: Any, weights: npt.ArrayLike | None) -> None:
        batch = score_rows(scores, truth, weights)
        self._keep(
            predictions=batch.predictions,
            labels=batch.labels,
            weights=batch.weights,
            groups=check_groups(groups, batch.labels.size),
        )


class GroupedAUC(_GroupedMetric):
    """AUC within groups, averaged by their impressions (GAUC), as `hybridhash.metrics.grouped_auc`.

    Args:
        **kwargs: The keyword arguments of `hybridhash.metrics.streaming.StreamingMetric`.
    """

    def update(
        self,
        predictions: npt.ArrayLike | None = None,
        labels: npt.ArrayLike | None = None,
        groups: npt.ArrayLike | None = None,
        weights: npt.ArrayLike | None = None,
        *,
        preds: npt.ArrayLike | None = None,
        target: npt.ArrayLike | None = None,
        indexes: npt.ArrayLike | None = None,
    ) -> None:
        """Take in a batch.

        Args:
            predictions: [B] probabilities in [0, 1]; a tensor, numpy array or sequence.
            labels: [B], each 0 or 1.
            groups: [B] integers; a group may go on in another batch.
            weights: [B] finite and not negative; None counts every row once.
            preds: The predictions by the name that torchmetrics has for them.
            target: The labels by the name that torchmetrics has for them.
            indexes: The groups by the name that torchmetrics has for them.

        Raises:
            InvalidTypeError: An input does not hold numbers, the groups are not integers, or an input is given
                under both names or neither.
            InvalidValueError: An input cannot be used; the batch then leaves no trace.
        """
        self._take(
            either_name("predictions", predictions, "preds", preds),
            either_name("labels", labels, "target", target),
            either_name("groups", groups, "indexes", indexes),
            weights,
        )

    def score(self) -> GroupedScore:
        """Return GAUC with the number of groups it is over."""
        predictions, labels, weights, groups = self._kept()
        return grouped_auc(predictions, labels, groups, weights)


class NDCG(_GroupedMetric):
    """NDCG@k of the groups, as `hybridhash.metrics.ndcg`.

    Args:
        k: Places that count, 1 or more.
        **kwargs: The keyword arguments of `hybridhash.metrics.streaming.StreamingMetric`.

    Raises:
        InvalidValueError: ``k`` is below 1.
    """

    def __init__(self, k: int = DEFAULT_K, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if k < 1:
            raise InvalidValueError(f"k: expected 1 or more, got {k}")
        self.k = k

    def update(
        self,
        predictions: npt.ArrayLike | None = None,
        labels: npt.ArrayLike | None = None,
        groups: npt.ArrayLike | None = None,
        *,
        preds: npt.ArrayLike | None = None,
        target: npt.ArrayLike | None = None,
        indexes: npt.ArrayLike | None = None,
    ) -> None:
        """Take in a batch; see `GroupedAUC.update`. Rows have no weights."""
        self._take(
            either_name("predictions", predictions, "preds", preds),
            either_name("labels", labels, "target", target),
            either_name("groups", groups, "indexes", indexes),
            None,
        )

    def score(self) -> GroupedScore:
        """Return NDCG@k with the number of groups it is over."""
        predictions, labels, _, groups = self._kept()
        return ndcg(predictions, labels, groups, self.k)
