"""From a model spec to a module."""

from collections.abc import Mapping, Sequence

import torch

from hybridhash.embeddings import build_collection
from hybridhash.embeddings.collection import Encoders
from hybridhash.models.rankers import MLPRanker, WideDeep
from hybridhash.optim import FusedOptimizer
from hybridhash.spec import ModelSpec
from hybridhash.tables import Blueprint


def build_model(
    spec: ModelSpec,
    features: Sequence[str],
    blueprints: Mapping[str, Blueprint],
    *,
    optimizer: FusedOptimizer | None = None,
    init_std: float = 0.01,
    generator: torch.Generator | None = None,
) -> WideDeep | MLPRanker:
    """Build a model with fresh parameters.

    Wide weights start at zero. Deep and wide tables that have the same rows share one encoder, so keys
    are looked up once.

    Args:
        spec: The model.
        features: All features of a batch, in schema order.
        blueprints: The keys of the tables, by dictionary name.
        optimizer: Moves the tables' rows inside the backward pass; None leaves sparse gradients to torch's
            optimizers.
        init_std: The standard deviation, as in `hybridhash.embeddings.EmbeddingBag`.
        generator: Source of the initial values; torch's default if not given.

    Returns:
        A wide & deep model, or an MLP ranker where the spec has no wide tables.
    """
    encoders: Encoders = {}
    deep = build_collection(
        features,
        spec.deep,
        blueprints,
        encoders=encoders,
        optimizer=optimizer,
        init_std=init_std,
        generator=generator,
    )
    if not spec.wide:
        return MLPRanker(deep, spec.hidden, generator)
    wide = build_collection(
        features,
        spec.wide,
        blueprints,
        encoders=encoders,
        optimizer=optimizer,
        init_std=0.0,
    )
    return WideDeep(deep, wide, spec.hidden, generator)
