"""From a blueprint to a model that can be trained, and to the one that is shipped."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Generic, TypeVar

import torch
from torch import nn

from hybridhash.data import KeyedRows
from hybridhash.models import MLPRanker, WideDeep, build_model
from hybridhash.optim import SGD, Adagrad, Adam, FusedOptimizer
from hybridhash.planner import ModelBlueprint
from hybridhash.trials.settings import RunSettings
from hybridhash.trials.shipping import ship

OPTIMIZERS: Final[Mapping[str, type[FusedOptimizer]]] = MappingProxyType(
    {"sgd": SGD, "adagrad": Adagrad, "adam": Adam}
)
"""What moves the rows of tables, by the names that `hybridhash.training.OPTIMIZERS` has for the dense layers."""

Model = TypeVar("Model", bound=nn.Module, covariant=True)


@dataclass(frozen=True)
class Built(Generic[Model]):
    """A model ready to train.

    Attributes:
        model: Takes (keys, offsets), returns logits float[B].
        embedding_bytes: All that inference needs of the embeddings of the shipped model.
        ship: Returns the model that is shipped, made from this one as it is trained by then, which stays as it is.
    """

    model: Model
    embedding_bytes: int
    ship: Callable[[], Model]


Build = Callable[[float, int], Built[Model]]
"""Builds a fresh model for a learning rate and a seed of its initial values."""


def build_of(
    blueprint: ModelBlueprint, rows: KeyedRows, settings: RunSettings
) -> Build[WideDeep | MLPRanker]:
    """Return what builds the models of a blueprint.

    Args:
        blueprint: Tables and layers.
        rows: The rows; shipping looks at some of the training rows.
        settings: The optimizer and the initial values.
    """

    def build(learning_rate: float, seed: int) -> Built[WideDeep | MLPRanker]:
        model = build_model(
            blueprint.spec,
            rows.schema.names,
            blueprint.blueprints,
            optimizer=OPTIMIZERS[settings.optimizer](learning_rate),
            init_std=settings.init_std,
            generator=torch.Generator().manual_seed(seed),
        )
        return Built(
            model, blueprint.spec.ledger().embedding_bytes, lambda: ship(model, blueprint.spec, rows)
        )

    return build
