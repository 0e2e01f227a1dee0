"""What a tail may know of the keys: how often each occurs in the rows that may be learned from."""

from dataclasses import dataclass

import numpy as np

from benchmarks.quality.need import Int64s, Need


@dataclass(frozen=True)
class Counted:
    """Keys and their counts, the most frequent first, ties by key, as `hybridhash.vocabulary.Counts.top` has them.

    Attributes:
        keys: int64[N], distinct.
        counts: int64[N], falling, each at least 1.
    """

    keys: Int64s
    counts: Int64s

    @property
    def num_keys(self) -> int:
        """N."""
        return self.keys.size

    def split(self, num_first: int) -> tuple["Counted", "Counted"]:
        """Return the most frequent keys, and the rest."""
        return (
            Counted(self.keys[:num_first], self.counts[:num_first]),
            Counted(self.keys[num_first:], self.counts[num_first:]),
        )


def count_keys(need: Need) -> Counted:
    """Count the keys of the rows that may be learned from, in one pass."""
    keys, counts = np.unique(np.concatenate(list(need.keys())), return_counts=True)
    order = np.argsort(-counts, kind="stable")
    return Counted(keys[order], counts[order].astype(np.int64))
