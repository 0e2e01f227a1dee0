"""Keys that are not known read one neutral row, in place of rows that others have filled."""

from dataclasses import replace
from typing import Final

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmarks.quality.need import Int64s, Need
from benchmarks.quality.tails.counted import Counted
from benchmarks.quality.tails.joined import JoinedTail
from benchmarks.quality.tails.own_rows import merged
from hybridhash.hashing import find_fingerprints, keys_that_fit, place_fingerprints

FILTER_SHARE: Final = 0.5  # of the tail's bytes, at most
FINGERPRINT_BITS: Final = 8
NUM_CHUNKS: Final = 8


class Filter(nn.Module):
    """Which keys are known: fingerprints of eight bits, of which about one in twenty unknown keys matches one.

    Args:
        keys: int64[K], distinct.
    """

    fingerprints: Tensor

    def __init__(self, keys: Int64s) -> None:
        """Place the fingerprints."""
        super().__init__()
        self.register_buffer(
            "fingerprints", torch.from_numpy(place_fingerprints(keys, FINGERPRINT_BITS).copy())
        )

    def forward(self, keys: Tensor) -> Tensor:
        """Return whether each key of int64[N] is known: bool[N], true of all that were put in."""
        found = find_fingerprints(keys.numpy(), self.fingerprints.numpy(), FINGERPRINT_BITS)
        return torch.from_numpy(found >= 0)


class NeutralTail(nn.Module):
    """Known keys read joined chunks; all others read one row, which starts at zero.

    Known are the keys seen ``min_count`` times or more, the most frequent ones if the filter has not room for all.
    With 1 the neutral row stays at zero, as that of a full table does, save for what has no room. With 2 the keys seen
    once stand in for those never seen, and the row learns what such keys have in common. It serves all features, as in
    the package.

    Args:
        need: What to serve, and at how many bytes.
        rare: The keys of the tail.
        min_count: Of a known key.
        num_neutral: Neutral rows; keys are served by the first.

    Source: the keys seen once estimate those never seen: Good, "The population frequencies of species and the
    estimation of population parameters", Biometrika 1953.
    """

    def __init__(self, need: Need, rare: Counted, min_count: int, num_neutral: int = 1) -> None:
        """Make the filter and the rows."""
        super().__init__()
        room = keys_that_fit(int(FILTER_SHARE * need.budget_bytes))
        known = rare.keys[rare.counts >= min_count][:room]
        self.known = Filter(known)
        self.neutral = nn.Parameter(torch.zeros(num_neutral, need.columns))
        spent = self.known.fingerprints.numel() + self.neutral.numel() * self.neutral.element_size()
        self.joined = JoinedTail(replace(need, budget_bytes=need.budget_bytes - spent), NUM_CHUNKS)

    def forward(self, keys: Tensor) -> Tensor:
        """Return the vectors float[N, columns] of keys int64[N]."""
        known = self.known(keys)
        unknown = self.neutral[:1].expand(int((~known).sum()), -1)
        return merged(known, self.joined(keys[known]), unknown)


class NeutralByFeatureTail(nn.Module):
    """As `NeutralTail`, with a neutral row for each feature, learned from its keys that were seen once.

    Args:
        need: What to serve, and at how many bytes.
        rare: The keys of the tail.
    """

    def __init__(self, need: Need, rare: Counted) -> None:
        """Make the filter and the rows."""
        super().__init__()
        self.tail = NeutralTail(need, rare, min_count=2, num_neutral=need.num_features)

    def forward(self, keys: Tensor, features: Tensor) -> Tensor:
        """Return the vectors float[N, columns] of keys int64[N] of features int64[N]."""
        known = self.tail.known(keys)
        unknown = F.embedding(features[~known], self.tail.neutral)
        return merged(known, self.tail.joined(keys[known]), unknown)
