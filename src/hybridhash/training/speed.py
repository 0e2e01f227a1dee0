"""Steps per second, smoothed as the paper reports them."""

from typing import Final

SMOOTHING: Final = 0.995


class StepRate:
    """Exponentially smoothed steps per second.

    The seconds per step are smoothed, not their reciprocals, so that a few very short steps do not
    outweigh the long ones; the start is corrected for the missing past.

    Args:
        smoothing: Weight of the past, in [0, 1); the paper's is 0.995.

    Source: Zhang et al. 2020, section 4.1.1.
    """

    def __init__(self, smoothing: float = SMOOTHING) -> None:
        """Start with no steps."""
        self._smoothing = smoothing
        self._seconds = 0.0
        self._weight = 0.0

    def update(self, seconds: float) -> None:
        """Take in the duration of one step, in seconds."""
        self._seconds = self._smoothing * self._seconds + (1 - self._smoothing) * seconds
        self._weight = self._smoothing * self._weight + (1 - self._smoothing)

    @property
    def per_second(self) -> float:
        """Smoothed steps per second; 0 before the first step."""
        return self._weight / self._seconds if self._seconds else 0.0
