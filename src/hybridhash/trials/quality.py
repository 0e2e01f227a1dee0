"""How good predictions are on rows that were not trained on."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from hybridhash.data import TEST, KeyedRows, Schema
from hybridhash.errors import InvalidValueError
from hybridhash.metrics import (
    auc,
    calibration,
    grouped_auc,
    log_loss,
    ndcg,
    normalised_entropy,
    relative_cross_entropy,
)

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class Quality:
    """How good predictions are on rows that were not trained on.

    Attributes:
        rce: Relative cross entropy, in per cent; higher is better.
        auc: Area under the ROC curve.
        log_loss: The log loss in nats.
        normalised_entropy: Log loss over that of predicting the mean label.
        calibration: Mean prediction over mean label.
        gauc: AUC within groups, averaged by their rows; None where no group was named.
        ndcg: NDCG@10 within groups.
        groups: How many groups these two are over.
        groups_left_out: Groups with one label only.
    """

    rce: float
    auc: float
    log_loss: float
    normalised_entropy: float
    calibration: float
    gauc: float | None = None
    ndcg: float | None = None
    groups: int | None = None
    groups_left_out: int | None = None


def judge(model: "nn.Module", rows: KeyedRows, group: str | None = None) -> Quality:
    """Measure a model on the test rows.

    Args:
        model: Takes (keys, offsets), returns logits float[B].
        rows: All rows.
        group: A categorical feature within which GAUC and NDCG@10 are measured too.

    Returns:
        The measures.
    """
    test = rows.indices(TEST)
    weights = None if rows.weights is None else rows.weights[test]
    groups = None if group is None else _test_groups(rows, group)
    from hybridhash.training import predict  # loads torch, which measuring predictions does not need

    return quality_of(predict(model, rows, test), rows.labels[test], weights, groups)


def quality_of(
    predictions: np.ndarray,
    labels: np.ndarray,
    weights: np.ndarray | None = None,
    groups: np.ndarray | None = None,
) -> Quality:
    """Measure predictions.

    Args:
        predictions: float[N] probabilities.
        labels: [N] of 0 and 1.
        weights: float[N], or None; NDCG takes no notice of them.
        groups: int[N], which rows belong together, or None.

    Returns:
        The measures.
    """
    quality = Quality(
        rce=relative_cross_entropy(predictions, labels, weights),
        auc=auc(predictions, labels, weights),
        log_loss=log_loss(predictions, labels, weights),
        normalised_entropy=normalised_entropy(predictions, labels, weights),
        calibration=calibration(predictions, labels, weights),
    )
    if groups is None:
        return quality
    within = grouped_auc(predictions, labels, groups, weights)
    return replace(
        quality,
        gauc=within.value,
        ndcg=ndcg(predictions, labels, groups).value,
        groups=within.num_groups,
        groups_left_out=within.num_left_out,
    )


def check_group(rows: KeyedRows, group: str | None) -> None:
    """Refuse a group that quality cannot be measured within, before anything is trained.

    Args:
        rows: All rows; the labels of the test rows are looked at, and nothing is learned from them.
        group: A feature's name, or None.

    Raises:
        InvalidValueError: Not a categorical feature, or no group of test rows has both labels.
    """
    if group is None:
        return
    check_group_feature(rows.schema, group)
    labels = rows.labels[rows.indices(TEST)]
    try:
        grouped_auc(labels, labels, _test_groups(rows, group))
    except InvalidValueError as error:
        raise InvalidValueError(f"--group {group}, test rows: {error}") from error


def check_group_feature(schema: Schema, group: str) -> None:
    """Refuse a group that is not a categorical feature.

    Raises:
        InvalidValueError: The schema has no categorical feature of this name.
    """
    names = [feature.name for feature in schema.of_kind("categorical")]
    if group not in names:
        raise InvalidValueError(
            f"--group: expected one of the categorical features {', '.join(names) or '(none)'}, got {group!r}"
        )


def _test_groups(rows: KeyedRows, group: str) -> np.ndarray:
    return np.concatenate(list(rows.keys_of(group, TEST)))
