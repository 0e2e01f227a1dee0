"""Ranking within groups of rows, such as the rows of one user: GAUC and NDCG."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from hybridhash.errors import InvalidTypeError, InvalidValueError
from hybridhash.metrics.rows import Floats, score_rows

Int64s = npt.NDArray[np.int64]

DEFAULT_K: Final = 10


@dataclass(frozen=True)
class GroupedScore:
    """A mean over groups.

    Attributes:
        value: The mean, in [0, 1]; higher is better.
        num_groups: Groups it is over.
        num_left_out: Groups with one label only, which have no order to judge.
    """

    value: float
    num_groups: int
    num_left_out: int


def grouped_auc(
    predictions: npt.ArrayLike,
    labels: npt.ArrayLike,
    groups: npt.ArrayLike,
    weights: npt.ArrayLike | None = None,
) -> GroupedScore:
    """Return GAUC: the AUC within each group, averaged by the groups' impressions.

    It says how well the rows of one user are ordered among themselves, which AUC over all rows mixes with
    how active users are told from others. Groups with one label only are left out and counted.

    Args:
        predictions: [N] probabilities in [0, 1]; numpy, torch or a sequence.
        labels: [N], each 0 or 1.
        groups: [N] integers: which rows belong together.
        weights: [N] finite and not negative; a group counts by the sum of its weights, its rows without
            them.

    Returns:
        The mean; 0.5 is no skill.

    Raises:
        InvalidTypeError: An input does not hold numbers, or the groups are not integers.
        InvalidValueError: No group has both labels, or an input cannot be used; see `score_rows`.

    Source: Zhou et al. 2018, "Deep Interest Network for Click-Through Rate Prediction", section 6.2.

    Example:
        >>> grouped_auc([0.1, 0.9, 0.8, 0.2, 0.5], [0, 1, 0, 1, 1], [1, 1, 2, 2, 3])
        GroupedScore(value=0.5, num_groups=2, num_left_out=1)
    """
    rows = score_rows(predictions, labels, weights)
    of_row = _group_numbers(groups, rows.labels.size)
    order = np.lexsort((rows.predictions, of_row))
    number, score = of_row[order], rows.predictions[order]
    positive = (rows.weights * rows.labels)[order]
    negative = (rows.weights * (1 - rows.labels))[order]
    ties = _starts(number, score)
    tied_positive, tied_negative = np.add.reduceat(positive, ties), np.add.reduceat(negative, ties)
    tied_group = number[ties]
    num_groups = int(number[-1]) + 1
    positives = np.bincount(number, positive, num_groups).astype(np.float64)
    negatives = np.bincount(number, negative, num_groups).astype(np.float64)
    before_group = np.cumsum(negatives) - negatives
    below = np.cumsum(tied_negative) - tied_negative - before_group[tied_group]
    ordered = np.bincount(tied_group, tied_positive * (below + 0.5 * tied_negative), num_groups)
    judged = _judged(positives, negatives)
    areas = ordered[judged] / (positives * negatives)[judged]
    return _mean(areas, (positives + negatives)[judged], num_groups)


def ndcg(
    predictions: npt.ArrayLike, labels: npt.ArrayLike, groups: npt.ArrayLike, k: int = DEFAULT_K
) -> GroupedScore:
    """Return NDCG@k: how near the positive rows of a group are to the top of its ranking, on average.

    A positive at place i = 1, ..., k gains ``1 / log2(i + 1)``; the sum is divided by that of the best order.
    Tied rows share the gains of their places, as in scikit-learn. All groups count alike. Groups with one
    label only are left out and counted.

    Args:
        predictions: [N] probabilities in [0, 1]; numpy, torch or a sequence.
        labels: [N], each 0 or 1.
        groups: [N] integers: which rows belong together.
        k: Places that count, 1 or more.

    Returns:
        The mean; 1 has all positives on top.

    Raises:
        InvalidTypeError: An input does not hold numbers, or the groups are not integers.
        InvalidValueError: ``k`` is below 1, no group has both labels, or an input cannot be used; see
            `score_rows`.

    Source: Järvelin and Kekäläinen 2002, "Cumulated gain-based evaluation of IR techniques".

    Example:
        >>> round(ndcg([0.9, 0.8, 0.1], [0, 1, 0], [7, 7, 7]).value, 4)
        0.6309
    """
    if k < 1:
        raise InvalidValueError(f"k: expected 1 or more, got {k}")
    rows = score_rows(predictions, labels)
    of_row = _group_numbers(groups, rows.labels.size)
    order = np.lexsort((-rows.predictions, of_row))
    number, label, score = of_row[order], rows.labels[order], rows.predictions[order]
    sizes = np.bincount(number)
    place = np.arange(number.size) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    gains = np.where(place < k, 1 / np.log2(place + 2), 0.0)
    ties = _starts(number, score)
    lengths = np.diff(np.append(ties, number.size))
    shared = np.repeat(np.add.reduceat(gains, ties) / lengths, lengths)
    positives = np.bincount(number, label).astype(np.int64)
    best = np.append(0.0, np.cumsum(1 / np.log2(np.arange(k) + 2)))[np.minimum(positives, k)]
    judged = _judged(positives, sizes - positives)
    values = np.bincount(number, label * shared)[judged] / best[judged]
    return _mean(values, np.ones(values.size), sizes.size)


def check_groups(groups: npt.ArrayLike, num_rows: int) -> Int64s:
    """Return the groups of rows, flattened.

    Args:
        groups: [N] integers; numpy, torch or a sequence.
        num_rows: N.

    Returns:
        int64[N].

    Raises:
        InvalidTypeError: They are not integers.
        InvalidValueError: There is not one for each row.
    """
    names = np.asarray(groups.cpu() if hasattr(groups, "cpu") else groups).reshape(-1)
    if names.dtype.kind not in "iu":
        raise InvalidTypeError(f"groups: expected integers, got dtype {names.dtype}; number the groups first")
    if names.size != num_rows:
        raise InvalidValueError(f"groups: expected one for each of {num_rows} rows, got {names.size}")
    return names.astype(np.int64)


def _group_numbers(groups: npt.ArrayLike, num_rows: int) -> Int64s:
    """Number the groups from 0 and return the number of each row's."""
    numbers: Int64s = np.unique(check_groups(groups, num_rows), return_inverse=True)[1].reshape(-1)
    return numbers


def _starts(number: Int64s, score: Floats) -> Int64s:
    """Return where a run of rows of one group and one prediction begins."""
    changes = (number[1:] != number[:-1]) | (score[1:] != score[:-1])
    return np.flatnonzero(np.concatenate([[True], changes]))


def _judged(positives: npt.NDArray[np.generic], negatives: npt.NDArray[np.generic]) -> Int64s:
    judged = np.flatnonzero((np.asarray(positives) > 0) & (np.asarray(negatives) > 0))
    if not judged.size:
        raise InvalidValueError(
            "labels: expected both 0 and 1 in at least one group, got one of them in each; an order within "
            "groups is undefined without both: use more rows, or another group"
        )
    return judged


def _mean(values: Floats, weights: Floats, num_groups: int) -> GroupedScore:
    return GroupedScore(
        float((values * weights).sum() / weights.sum()), values.size, num_groups - values.size
    )
