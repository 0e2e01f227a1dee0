"""Importance: which keys go first."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from hybridhash.errors import InvalidValueError
from hybridhash.vocabulary.artefact import Vocabulary
from hybridhash.vocabulary.grouping import run_starts

if TYPE_CHECKING:
    from hybridhash.vocabulary.counts import Counts

Importance = Callable[["Counts"], npt.NDArray[Any]]
"""Counts to one score per (feature, key) pair, the higher the more important; a key's scores are summed."""


def frequency(counts: "Counts") -> npt.NDArray[np.int64]:
    """Score each pair by how often it occurred.

    Args:
        counts: What was counted.

    Returns:
        int64[N].

    Source: Zhang et al. 2020, section 3.3.
    """
    return counts.counts


IMPORTANCE: Final[Mapping[str, Importance]] = MappingProxyType({"frequency": frequency})
"""The measures that `Counts.top` knows, by name."""


def select(counts: "Counts", k: int, importance: str = "frequency") -> Vocabulary:
    """Take the k most important keys; `Counts.top` is this function.

    Args:
        counts: What was counted.
        k: How many keys, at least 0.
        importance: A name in `IMPORTANCE`.

    Returns:
        The vocabulary, with the counts of its keys. Keys of equal importance stand in ascending order.

    Raises:
        InvalidValueError: ``k`` is negative, or there is no such measure.
    """
    if importance not in IMPORTANCE:
        known = ", ".join(IMPORTANCE)
        raise InvalidValueError(f"importance: expected one of {known}, got {importance!r}")
    if k < 0:
        raise InvalidValueError(f"k: expected the number of keys, 0 or more, got {k}")
    order = np.argsort(counts.keys, kind="stable")
    keys = counts.keys[order]
    starts = run_starts(keys)
    scores = np.add.reduceat(IMPORTANCE[importance](counts)[order], starts)
    occurrences = np.add.reduceat(counts.counts[order], starts)
    # The keys are ascending, and a stable sort leaves ties so.
    best = np.argsort(-scores, kind="stable")[:k]
    return Vocabulary(keys[starts][best], occurrences[best], counts.seed)
