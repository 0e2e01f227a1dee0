"""The outlook of a table: for each key its coming traffic, and the effect on the predictions that depends on its
row."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from hybridhash.vocabulary.importance import effect, falling, per_key, recurrence

if TYPE_CHECKING:
    from hybridhash.vocabulary.counts import Counts

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


def outlook_of(counts: "Counts") -> Outlook:
    """Say what the keys are expected to do, in the order of `select` by effect; `Counts.outlook` is this function.

    Args:
        counts: What was counted.

    Returns:
        The outlook. Pairs that came once stand for as many new ones (Good 1953).
    """
    _, effects, expected = per_key(counts, effect(counts), recurrence(counts))
    order = falling(effects)
    return Outlook(effects[order], expected[order], float((counts.counts == 1).sum()))
