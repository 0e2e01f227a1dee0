"""Shared rows that are learned: the centres of clusters of trained rows, and the code of each row's centre."""

from typing import Final

import numpy as np
import numpy.typing as npt

from hybridhash.errors import InvalidValueError

Floats = npt.NDArray[np.float32]
Int64s = npt.NDArray[np.int64]

_ROUNDS: Final = 12
_ROWS_PER_CENTRE: Final = 256  # that the centres are found from; more hardly move them
_FEWEST_ROWS: Final = 1 << 16
_CHUNK_FLOATS: Final = 1 << 22


def cluster_rows(
    rows: Floats, num_codes: int, weights: npt.NDArray[np.float64] | None = None, *, seed: int = 0
) -> tuple[Floats, Int64s]:
    """Find rows to share, by Lloyd's algorithm (k-means) with weights.

    Args:
        rows: float32[R, W].
        num_codes: C, centres, 1 or more.
        weights: float64[R], how much each row counts, 0 or more; all alike if not given. Rows of weight 0 get a code
            and move no centre.
        seed: Of the choice of the first centres, and of the sample that the centres of many rows are found from.

    Returns:
        The centres, float32[C, W], and the code of each row, int64[R] in [0, C). With no more rows of weight than
        centres, every one of them is its own centre.

    Raises:
        InvalidValueError: No codes, or weights that are not one per row.

    Source: Lloyd, "Least squares quantization in PCM", 1982. Shared rows found by clustering embeddings: Tsang and
    Ahle, "Clustering the Sketch", NeurIPS 2023.
    """
    if num_codes < 1:
        raise InvalidValueError(f"num_codes: expected 1 or more, got {num_codes}")
    if weights is None:
        weights = np.ones(len(rows))
    if weights.shape != (len(rows),) or (weights < 0).any():
        raise InvalidValueError(f"weights: expected one of 0 or more for each of {len(rows)} rows")
    generator = np.random.default_rng(seed)
    weighty = np.flatnonzero(weights)
    centres = np.zeros((num_codes, rows.shape[1]), dtype=np.float32)
    if weighty.size:
        sample = generator.permutation(weighty)[: max(_FEWEST_ROWS, _ROWS_PER_CENTRE * num_codes)]
        first = sample[:num_codes]
        centres[: first.size] = rows[first]
        if weighty.size > num_codes:
            centres = _moved(rows[sample], weights[sample], centres, generator)
    return centres, nearest(rows, centres)


def nearest(rows: Floats, centres: Floats) -> Int64s:
    """Return the code of the centre next to each row, int64[R]; the first of equals."""
    codes = np.empty(len(rows), dtype=np.int64)
    halves = (centres**2).sum(axis=1) / 2
    size = max(_CHUNK_FLOATS // len(centres), 1)
    for start in range(0, len(rows), size):
        part = rows[start : start + size]
        codes[start : start + size] = (halves - part @ centres.T).argmin(axis=1)
    return codes


def _moved(
    rows: Floats, weights: npt.NDArray[np.float64], centres: Floats, generator: np.random.Generator
) -> Floats:
    num_codes, width = centres.shape
    for _ in range(_ROUNDS):
        codes = nearest(rows, centres)
        mass = np.bincount(codes, weights, minlength=num_codes)
        sums = np.stack(
            [np.bincount(codes, weights * rows[:, column], minlength=num_codes) for column in range(width)],
            axis=1,
        )
        held = mass > 0
        centres = centres.copy()
        centres[held] = (sums[held] / mass[held, None]).astype(np.float32)
        empty = np.flatnonzero(~held)
        if empty.size:  # start again from rows that are badly served
            error = weights * ((rows - centres[codes]) ** 2).sum(axis=1)
            total = error.sum()
            if not total:
                break
            centres[empty] = rows[generator.choice(len(rows), empty.size, p=error / total)]
    return centres
