"""Tails that were tried in place of the package's, one idea a file, each below the same head; see `hybrid`."""

from collections.abc import Callable, Mapping
from functools import partial
from math import sqrt
from types import MappingProxyType
from typing import Final

from torch import nn

from benchmarks.quality.need import Need
from benchmarks.quality.peers.hash_embedding import HashEmbedding
from benchmarks.quality.peers.quotient_remainder import QuotientRemainderEmbedding
from benchmarks.quality.tails.codebook import codebook_table
from benchmarks.quality.tails.counted import Counted
from benchmarks.quality.tails.hybrid import HybridEmbedding, Tail
from benchmarks.quality.tails.joined import JoinedTail
from benchmarks.quality.tails.mixed_dims import MixedDimsTail
from benchmarks.quality.tails.neutral import NeutralByFeatureTail, NeutralTail
from benchmarks.quality.tails.pooled import PooledTail
from benchmarks.quality.tails.shrunk import ShrunkTail
from benchmarks.quality.tails.signed import SignedJoinedTail, SignedSumTail
from hybridhash.planner import FeatureGroup, MethodOptions
from hybridhash.spec import TableSpec

NEUTRAL_BY_FEATURE: Final = "neutral by feature"


def _whatever_the_counts(make: Callable[..., nn.Module], *arguments: float) -> Tail:
    """Return a tail that does not look at the counts."""

    def tail(need: Need, _: Counted) -> nn.Module:
        return make(need, *arguments)

    return tail


_TAILS: Final[Mapping[str, Tail]] = {
    "sum of 2": _whatever_the_counts(PooledTail, 2, 1.0),
    "mean of 2": _whatever_the_counts(PooledTail, 2, 1 / 2),
    "sum / sqrt 2": _whatever_the_counts(PooledTail, 2, 1 / sqrt(2)),
    "signed sum of 2": _whatever_the_counts(SignedSumTail, 2),
    "sum of 3": _whatever_the_counts(PooledTail, 3, 1.0),
    "mean of 3": _whatever_the_counts(PooledTail, 3, 1 / 3),
    "sum of 4": _whatever_the_counts(PooledTail, 4, 1.0),
    "importance weights": _whatever_the_counts(HashEmbedding),
    "product of 2": _whatever_the_counts(QuotientRemainderEmbedding),
    "joined 2": _whatever_the_counts(JoinedTail, 2),
    "joined 4": _whatever_the_counts(JoinedTail, 4),
    "signed joined 8": _whatever_the_counts(SignedJoinedTail, 8),
    "shrunk by count": ShrunkTail,
    "neutral at zero": partial(NeutralTail, min_count=1),
    "neutral learned": partial(NeutralTail, min_count=2),
    NEUTRAL_BY_FEATURE: NeutralByFeatureTail,
    "mixed dims": MixedDimsTail,
}

TAILS: Final[Mapping[str, Callable[[Need], nn.Module]]] = MappingProxyType(
    {name: partial(HybridEmbedding, tail=tail) for name, tail in _TAILS.items()}
)
"""Those that are modules, by name."""

READS_FEATURES: Final = frozenset({NEUTRAL_BY_FEATURE})
"""Those of them that are told of which feature each key is."""

TABLES: Final[Mapping[str, Callable[[FeatureGroup, int, MethodOptions, int], TableSpec]]] = MappingProxyType(
    {"codebook": codebook_table}
)
"""Those that are tables of the package, by name."""

__all__ = ["READS_FEATURES", "TABLES", "TAILS"]
