"""What the keys of a table are expected to do: the coming traffic of each, and how much hangs on it."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Outlook:
    """The keys of a table, the one with the greatest effect first.

    Attributes:
        effect: float64[N], falling: expected occurrences times the share of the key's effect that a model learns from
            those it has seen.
        expected: float64[N], occurrences expected in as much coming traffic as was counted.
        unseen: Occurrences of keys that are not among these, expected in the same traffic.
    """

    effect: Floats
    expected: Floats
    unseen: float
