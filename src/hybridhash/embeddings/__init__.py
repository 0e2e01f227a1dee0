"""Embedding modules: bags, packed bags and collections, built from blueprints and specs."""

from hybridhash.embeddings.bag import EmbeddingBag
from hybridhash.embeddings.bags import (
    DoubleHashEmbeddingBag,
    FrequencyEmbeddingBag,
    FullEmbeddingBag,
    HashEmbeddingBag,
    HybridEmbeddingBag,
)
from hybridhash.embeddings.collection import EmbeddingCollection, GroupInput, build_collection
from hybridhash.embeddings.encoder import RowEncoder
from hybridhash.embeddings.packed import PackedEmbeddingBag
from hybridhash.embeddings.packing import pack, pack_bags, pack_collections
from hybridhash.embeddings.sensitivity import measure_sensitivity

__all__ = [
    "DoubleHashEmbeddingBag",
    "EmbeddingBag",
    "EmbeddingCollection",
    "FrequencyEmbeddingBag",
    "FullEmbeddingBag",
    "GroupInput",
    "HashEmbeddingBag",
    "HybridEmbeddingBag",
    "PackedEmbeddingBag",
    "RowEncoder",
    "build_collection",
    "measure_sensitivity",
    "pack",
    "pack_bags",
    "pack_collections",
]
