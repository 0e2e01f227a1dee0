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
from hybridhash.embeddings.encoder import CodedRowEncoder, RowEncoder
from hybridhash.embeddings.pack import pack_collections
from hybridhash.embeddings.packed import PackedEmbeddingBag

__all__ = [
    "CodedRowEncoder",
    "DoubleHashEmbeddingBag",
    "EmbeddingCollection",
    "FrequencyEmbeddingBag",
    "FullEmbeddingBag",
    "GroupInput",
    "HashEmbeddingBag",
    "HybridEmbeddingBag",
    "KeyEmbeddingBag",
    "PackedEmbeddingBag",
    "RowEncoder",
    "build_collection",
    "pack_collections",
]
