"""Shared rows: the centres of clusters of trained rows, where distances are weighted by the curvature of the loss."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from hybridhash.errors import InvalidValueError

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
Int64s = npt.NDArray[np.int64]

_ROUNDS: Final = 12
_ROWS_PER_CENTRE: Final = 64  # rows for each centre in the sample; more rows hardly move the centres
_FEWEST_ROWS: Final = 1 << 16
_CHUNK_FLOATS: Final = 1 << 22
_ELSEWHERE: Final = 1e-3
"""Share of the mean curvature that is added in every direction, so that rows keep their values also in directions that
hardly change the predictions."""


@dataclass(frozen=True, eq=False)
class Sensitivity:
    """Sensitivity: the curvature (Gauss-Newton) of the log loss by the rows of some keys, feature by feature.

    Attributes:
        groups: int64[K], the number of the metric of each key: that of its feature.
        metrics: float64[G, W, W], symmetric: an error e in a row raises the loss by about ``e @ metrics[g] @ e``.
    """

    groups: Int64s
    metrics: Doubles


def cluster_rows(
    rows: Floats,
    num_codes: int,
    weights: Doubles | None = None,
    sensitivity: Sensitivity | None = None,
    *,
    seed: int = 0,
) -> tuple[Floats, Int64s]:
    """Find rows to share so that the predictions change the least: k-means under a metric of each group.

    The predictions depend on the rows of a feature in few directions, and on those of another feature in others. So a
    row can be shared by keys of several features, each of which uses other directions of it.

    Args:
        rows: float32[R, W].
        num_codes: C, centres, 1 or more.
        weights: float64[R], how much each row counts, 0 or more; all alike if not given. Rows of weight 0 get a code
            and move no centre.
        sensitivity: The sensitivity of these R rows; if not given, rows that are near each other are shared.
        seed: The seed of the choice of the first centres, and of the sample that the centres of many rows are found
            from.

    Returns:
        The centres, float32[C, W], and the code of each row, int64[R] in [0, C). With no more rows of weight than
        centres, every one of them is its own centre.

    Raises:
        InvalidValueError: No codes, or weights, groups or metrics of other shapes.

    Source: Lloyd, "Least squares quantization in PCM", 1982. Shared rows found by clustering embeddings: Tsang and
    Ahle, "Clustering the Sketch", NeurIPS 2023.
    """
    width = rows.shape[1]
    if weights is None:
        weights = np.ones(len(rows))
    if sensitivity is None:
        sensitivity = Sensitivity(np.zeros(len(rows), dtype=np.int64), np.eye(width)[None])
    _check(rows, num_codes, weights, sensitivity)
    metrics = _definite(sensitivity.metrics)
    roots: Floats = np.linalg.cholesky(metrics).transpose(0, 2, 1).astype(np.float32)
    generator = np.random.default_rng(seed)
    weighty = np.flatnonzero(weights)
    centres = np.zeros((num_codes, width))
    if weighty.size:
        sample = generator.permutation(weighty)[: max(_FEWEST_ROWS, _ROWS_PER_CENTRE * num_codes)]
        first = sample[:num_codes]
        centres[: first.size] = rows[first]
        if weighty.size > num_codes:
            of_group = [sample[sensitivity.groups[sample] == group] for group in range(len(metrics))]
            for _ in range(_ROUNDS):
                centres = _moved(rows, weights, of_group, metrics, roots, centres, generator)
    every = [np.flatnonzero(sensitivity.groups == group) for group in range(len(metrics))]
    codes = np.zeros(len(rows), dtype=np.int64)
    shared = centres.astype(np.float32)
    for places, root in zip(every, roots, strict=True):
        codes[places], _ = _nearest(rows[places] @ root.T, shared @ root.T)
    return shared, codes


def _check(rows: Floats, num_codes: int, weights: Doubles, sensitivity: Sensitivity) -> None:
    num_rows, width = rows.shape
    if num_codes < 1:
        raise InvalidValueError(f"num_codes: expected 1 or more, got {num_codes}")
    if weights.shape != (num_rows,) or (weights < 0).any():
        raise InvalidValueError(f"weights: expected one of 0 or more for each of {num_rows} rows")
    if sensitivity.groups.shape != (num_rows,):
        raise InvalidValueError(
            f"groups: expected one for each of {num_rows} rows, got {sensitivity.groups.size}"
        )
    if sensitivity.metrics.shape[1:] != (width, width):
        raise InvalidValueError(
            f"metrics: expected float64[G, {width}, {width}], got {sensitivity.metrics.shape}"
        )


def _definite(metrics: Doubles) -> Doubles:
    """Return the metrics with a little of the mean sensitivity in every direction."""
    width = metrics.shape[1]
    mean = np.trace(metrics, axis1=1, axis2=2) / width
    # A feature without any curvature gets the mean of the other features.
    mean = np.where(mean > 0, mean, max(float(mean.mean()), 1e-12))
    return metrics + _ELSEWHERE * mean[:, None, None] * np.eye(width)


def _nearest(rows: Floats, centres: Floats) -> tuple[Int64s, Doubles]:
    """Return the number of the centre next to each row, the first of equals, and the squared distance."""
    codes, errors = np.empty(len(rows), dtype=np.int64), np.empty(len(rows))
    halves = (centres**2).sum(axis=1) / 2
    size = max(_CHUNK_FLOATS // len(centres), 1)
    for start in range(0, len(rows), size):
        part = rows[start : start + size]
        distance = halves - part @ centres.T
        found = distance.argmin(axis=1)
        codes[start : start + size] = found
        errors[start : start + size] = 2 * distance[np.arange(len(part)), found] + (part**2).sum(axis=1)
    return codes, np.maximum(errors, 0.0)


def _moved(
    rows: Floats,
    weights: Doubles,
    of_group: Sequence[Int64s],
    metrics: Doubles,
    roots: Floats,
    centres: Doubles,
    generator: np.random.Generator,
) -> Doubles:
    """Return the centres after one round."""
    num_codes, width = centres.shape
    left = np.zeros((num_codes, width, width))
    right = np.zeros((num_codes, width))
    badly = []
    for places, metric, root in zip(of_group, metrics, roots, strict=True):
        mine, weight = rows[places], weights[places]
        codes, errors = _nearest(mine @ root.T, centres.astype(np.float32) @ root.T)
        mass = np.bincount(codes, weight, minlength=num_codes)
        sums = [np.bincount(codes, weight * mine[:, column], minlength=num_codes) for column in range(width)]
        left += mass[:, None, None] * metric
        right += np.stack(sums, axis=1) @ metric
        badly.append(weight * errors)
    held = left.any(axis=(1, 2))
    centres = centres.copy()
    centres[held] = np.linalg.solve(left[held], right[held][:, :, None])[:, :, 0]
    error = np.concatenate(badly)
    empty = np.flatnonzero(~held)
    if empty.size and error.sum():  # start again from rows that are badly served
        chosen = generator.choice(error.size, empty.size, p=error / error.sum())
        centres[empty] = rows[np.concatenate(of_group)[chosen]]
    return centres
