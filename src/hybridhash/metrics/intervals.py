"""How sure a mean of few values is."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from hybridhash.errors import InvalidValueError

CONFIDENCE: Final = 0.95


@dataclass(frozen=True)
class MeanInterval:
    """A mean and its confidence interval.

    Attributes:
        mean: The mean.
        low: Lower end of the interval; None for a single value, which says nothing about its spread.
        high: Upper end, or None.
    """

    mean: float
    low: float | None
    high: float | None


def mean_interval(values: Sequence[float], confidence: float = CONFIDENCE) -> MeanInterval:
    """Return the mean of independent values and Student's t interval around it.

    For a paired comparison the values are the differences of the pairs.

    Args:
        values: One or more finite numbers.
        confidence: The confidence, in (0, 1): how often such an interval holds the true mean, if the values are normal.

    Returns:
        The mean, and ``t * s / sqrt(n)`` to either side of it.

    Raises:
        InvalidValueError: No values, one that is not finite, or a confidence out of range.

    Source: Student, "The probable error of a mean", Biometrika 6, 1908.

    Example:
        >>> interval = mean_interval([1.0, 2.0, 3.0])
        >>> interval.mean, round(interval.low, 3), round(interval.high, 3)
        (2.0, -0.484, 4.484)
    """
    numbers = np.asarray(values, dtype=np.float64)
    if not numbers.size or not np.isfinite(numbers).all():
        raise InvalidValueError(f"values: expected one or more finite numbers, got {list(values)}")
    mean = float(numbers.mean())
    if numbers.size == 1:
        return MeanInterval(mean, None, None)
    half = t_quantile(confidence, numbers.size - 1) * float(numbers.std(ddof=1)) / math.sqrt(numbers.size)
    return MeanInterval(mean, mean - half, mean + half)


def t_quantile(confidence: float, degrees: int) -> float:
    """Return the t that a Student's t variable exceeds in size with the probability ``1 - confidence``.

    Args:
        confidence: The confidence, in (0, 1).
        degrees: Degrees of freedom, 1 or more.

    Raises:
        InvalidValueError: An argument out of range.

    Example:
        >>> round(t_quantile(0.95, 4), 4)
        2.7764
    """
    if not 0 < confidence < 1:
        raise InvalidValueError(f"confidence: expected a number in (0, 1), got {confidence}")
    if degrees < 1:
        raise InvalidValueError(f"degrees: expected 1 or more, got {degrees}")
    low, high = 0.0, math.pi / 2  # of the angle whose tangent is t / sqrt(degrees)
    while low < (middle := (low + high) / 2) < high:
        if _share_within(middle, degrees) < confidence:
            low = middle
        else:
            high = middle
    return math.tan(low) * math.sqrt(degrees)


def _share_within(angle: float, degrees: int) -> float:
    """Return the probability that a t variable lies within ``-t`` and ``t`` with t = sqrt(degrees) tan(angle).

    Source: Abramowitz and Stegun, Handbook of Mathematical Functions, 26.7.3 and 26.7.4.
    """
    cosine = math.cos(angle)
    odd = degrees % 2
    term, total = (cosine if odd else 1.0), 0.0
    for k in range(2 + odd, degrees + 1, 2):
        total += term
        term *= cosine * cosine * (k - 1) / k
    if odd:
        return 2 / math.pi * (angle + math.sin(angle) * total)
    return math.sin(angle) * total
