"""Embeddings of other papers, one a file, from their definitions; see `need` for what they have in common."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from torch import nn

from benchmarks.quality.need import Need
from benchmarks.quality.peers.bloom import BloomEmbedding
from benchmarks.quality.peers.cafe import HotColdEmbedding
from benchmarks.quality.peers.compositional import ConcatEmbedding, SumEmbedding
from benchmarks.quality.peers.hash_embedding import HashEmbedding
from benchmarks.quality.peers.quotient_remainder import QuotientRemainderEmbedding
from benchmarks.quality.peers.robe import RobeEmbedding

PEERS: Final[Mapping[str, Callable[[Need], nn.Module]]] = MappingProxyType(
    {
        "quotient-remainder": QuotientRemainderEmbedding,
        "compositional sum": SumEmbedding,
        "compositional concat": ConcatEmbedding,
        "ROBE": RobeEmbedding,
        "hash embeddings": HashEmbedding,
        "Bloom": BloomEmbedding,
        "CAFE": HotColdEmbedding,
    }
)

__all__ = ["PEERS"]
