"""A trained model as it is shipped."""

from collections.abc import Mapping
from typing import TypeVar, cast

from torch import nn

from hybridhash.embeddings import pack_collections
from hybridhash.models.rankers import MLPRanker, WideDeep
from hybridhash.vocabulary import Vocabulary

Model = TypeVar("Model", WideDeep, MLPRanker)


def pack_model(model: Model, vocabularies: Mapping[str, Vocabulary]) -> Model:
    """Return the model that is shipped: its tables are packed as their specs say.

    Args:
        model: Trained; it stays as it is.
        vocabularies: The head keys by dictionary name, as the model was built from.

    Returns:
        A model for inference with the same dense layers; the model itself where nothing is to be packed.
    """
    parts = [model.deep, model.wide] if isinstance(model, WideDeep) else [model.deep]
    if not any(group.table.is_packed for part in parts for group in part.groups):
        return model
    packed = pack_collections(parts, vocabularies)
    hidden = [layer.out_features for layer in model.dense if isinstance(layer, nn.Linear)][:-1]
    shipped = type(model)(*packed, hidden)
    shipped.dense = model.dense
    return cast(Model, shipped)
