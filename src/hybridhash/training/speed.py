"""Steps per second, smoothed as the paper reports them."""

from dataclasses import dataclass
from typing import Final

SMOOTHING: Final = 0.995


@dataclass
class StepRate:
    """Exponentially smoothed steps per second.

    The seconds per step are smoothed, not their reciprocals, so that a few very short steps do not
    outweigh the long ones; the start is corrected for the missing past.

    Attributes:
        smoothing: Weight of the past, in [0, 1); the paper's is 0.995.
        seconds: Smoothed seconds per step, before the correction.
        weight: Share of the smoothed past that exists, which it is corrected by.

    Source: Zhang et al. 2020, section 4.1.1.

    Example:
        >>> rate = StepRate(smoothing=0.5)
        >>> rate.update(0.5)
        >>> rate.per_second
        2.0
    """

    smoothing: float = SMOOTHING
    seconds: float = 0.0
    weight: float = 0.0

    def update(self, seconds: float) -> None:
        """Take in the duration of one step, in seconds."""
        self.seconds = self.smoothing * self.seconds + (1 - self.smoothing) * seconds
        self.weight = self.smoothing * self.weight + (1 - self.smoothing)

    @property
    def per_second(self) -> float:
        """Smoothed steps per second; 0 before the first step."""
        return self.weight / self.seconds if self.seconds else 0.0
