"""Importance: which keys go first."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from hybridhash.errors import InvalidValueError
from hybridhash.theory import expected_recurrence, learned_share
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


def effect(counts: "Counts") -> npt.NDArray[np.float64]:
    """Score each pair by the effect of its row: how often it will come again, times the share of it that was learned.

    Pairs that came equally often differ by feature: a user who came once will likely come again, a cross of a user and
    a site will not.

    Args:
        counts: What was counted.

    Returns:
        float64[N].
    """
    return recurrence(counts) * learned_share(counts.counts)


def recurrence(counts: "Counts") -> npt.NDArray[np.float64]:
    """Return how often each pair is expected in as much traffic as was counted, estimated feature by feature.

    Args:
        counts: What was counted.

    Returns:
        float64[N]; see `hybridhash.theory.expected_recurrence`.
    """
    expected = np.empty(counts.counts.size)
    for feature in range(len(counts.feature_names)):
        mine = counts.feature == feature
        expected[mine] = expected_recurrence(counts.counts[mine])
    return expected


IMPORTANCE: Final[Mapping[str, Importance]] = MappingProxyType({"frequency": frequency, "effect": effect})
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
    keys, scores, occurrences = per_key(counts, IMPORTANCE[importance](counts), counts.counts)
    best = falling(scores)[:k]
    return Vocabulary(keys[best], occurrences[best], counts.seed)


def per_key(counts: "Counts", *columns: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], ...]:
    """Return the distinct keys, ascending, and the sum of each column over the features of a key."""
    order = np.argsort(counts.keys, kind="stable")
    keys = counts.keys[order]
    starts = run_starts(keys)
    return keys[starts], *(np.add.reduceat(column[order], starts) for column in columns)


def falling(scores: npt.NDArray[Any]) -> npt.NDArray[np.intp]:
    """Return the order of falling scores; equal scores stay in order."""
    return np.argsort(-scores, kind="stable")
