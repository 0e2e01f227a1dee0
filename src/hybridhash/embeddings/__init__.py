"""Embedding modules: spec to module in one place."""

from hybridhash.embeddings.bag import KeyEmbeddingBag
from hybridhash.embeddings.bags import (
    DoubleHashEmbeddingBag,
    FrequencyEmbeddingBag,
    FullEmbeddingBag,
    HashEmbeddingBag,
    HybridEmbeddingBag,
)
from hybridhash.embeddings.collection import EmbeddingCollection, GroupInput, build_collection
from hybridhash.embeddings.encoder import RowEncoder

__all__ = [
    "DoubleHashEmbeddingBag",
    "EmbeddingCollection",
    "FrequencyEmbeddingBag",
    "FullEmbeddingBag",
    "GroupInput",
    "HashEmbeddingBag",
    "HybridEmbeddingBag",
    "KeyEmbeddingBag",
    "RowEncoder",
    "build_collection",
]
