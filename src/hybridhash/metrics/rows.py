"""Predictions, labels and weights as every metric takes them: checked, flat, float64."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from hybridhash.errors import InvalidTypeError, InvalidValueError

Floats = npt.NDArray[np.float64]

_DOUBLE_EPSILON: Final = float(np.finfo(np.float64).eps)
_SINGLE_EPSILON: Final = float(np.finfo(np.float32).eps)
_NARROW: Final = ("float32", "float16", "bfloat16", "float8")


@dataclass(frozen=True)
class ScoredRows:
    """N rows of a binary task with what a model said about them.

    Attributes:
        predictions: float64[N], probabilities in [0, 1].
        labels: float64[N], 0 or 1.
        weights: float64[N], not negative, with a positive sum.
        epsilon: What the predictions' own dtype cannot tell from 0 or 1; the log losses clip by it.
    """

    predictions: Floats
    labels: Floats
    weights: Floats
    epsilon: float


def score_rows(
    predictions: npt.ArrayLike, labels: npt.ArrayLike, weights: npt.ArrayLike | None = None
) -> ScoredRows:
    """Check the three inputs that all metrics share and bring them to one form.

    Args:
        predictions: [N] or any shape, probabilities in [0, 1]: a numpy array, a torch tensor on any
            device, or a sequence.
        labels: The labels, of the same shape, each 0 or 1 (of any numeric dtype, or bool).
        weights: The weights, of the same shape, finite and not negative; None counts every row once.

    Returns:
        The rows, flattened. ``epsilon`` is the machine epsilon of the predictions' dtype, as in
        scikit-learn's ``log_loss``; half precision and narrower count as float32, because their own
        epsilon (0.008 for bfloat16) is larger than many honest click probabilities.

    Raises:
        InvalidTypeError: An input does not hold numbers.
        InvalidValueError: No rows; shapes that differ; a prediction that is NaN or outside [0, 1]; a
            label that is neither 0 nor 1; a weight that is negative or not finite; weights that are all 0.
    """
    scores, epsilon = _as_float64(predictions, "predictions")
    truth, _ = _as_float64(labels, "labels")
    if weights is None:
        mass = np.ones_like(scores)
    else:
        mass, _ = _as_float64(weights, "weights")
    for name, values in (("labels", truth), ("weights", mass)):
        if values.shape != scores.shape:
            raise InvalidValueError(
                f"{name}: expected the shape of the predictions, {scores.shape}, got {values.shape}; "
                "reshape one of them, nothing is broadcast"
            )
    if not scores.size:
        raise InvalidValueError("predictions: expected at least one row, got none")
    scores, truth, mass = scores.reshape(-1), truth.reshape(-1), mass.reshape(-1)
    _refuse(
        ~((scores >= 0) & (scores <= 1)),
        scores,
        "predictions: expected probabilities in [0, 1]",
        "logits want a sigmoid first",
    )
    _refuse(
        (truth != 0) & (truth != 1),
        truth,
        "labels: expected 0 or 1",
        "turn ratings or soft labels into 0 and 1 first",
    )
    _refuse(
        ~((mass >= 0) & np.isfinite(mass)),
        mass,
        "weights: expected finite numbers of 0 or more",
        "leave such rows out",
    )
    if not mass.any():
        raise InvalidValueError(
            "weights: expected at least one above 0, got only zeros; leave them out or fix them"
        )
    return ScoredRows(scores, truth, mass, epsilon)


def _as_float64(values: Any, name: str) -> tuple[Floats, float]:
    dtype = str(getattr(values, "dtype", ""))
    if hasattr(values, "detach"):  # torch; numpy has no bfloat16
        values = values.detach().cpu().double().numpy()
    try:
        array = np.asarray(values)
    except ValueError as error:  # a ragged sequence
        raise InvalidValueError(f"{name}: expected a rectangular array of numbers, got {error}") from error
    if array.dtype.kind not in "biuf":
        raise InvalidTypeError(
            f"{name}: expected an array of numbers, got dtype {array.dtype}; convert it first"
        )
    narrow = dtype.removeprefix("torch.").startswith(_NARROW)
    return array.astype(np.float64), _SINGLE_EPSILON if narrow else _DOUBLE_EPSILON


def _refuse(bad: npt.NDArray[np.bool_], values: Floats, expected: str, advice: str) -> None:
    if bad.any():
        row = int(np.flatnonzero(bad)[0])
        raise InvalidValueError(
            f"{expected}, got {values[row]} at row {row} ({int(bad.sum())} such rows); {advice}"
        )
