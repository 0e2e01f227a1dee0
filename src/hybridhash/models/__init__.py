"""Ranking models over injected embeddings."""

from hybridhash.models.build import build_model
from hybridhash.models.layers import dense_layers
from hybridhash.models.pack import pack_model
from hybridhash.models.rankers import MLPRanker, WideDeep
from hybridhash.models.sensitivity import sensitivities

__all__ = ["MLPRanker", "WideDeep", "build_model", "dense_layers", "pack_model", "sensitivities"]
