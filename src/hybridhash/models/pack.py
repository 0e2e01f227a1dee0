"""A trained model as it is shipped."""

from collections.abc import Mapping

import torch
from torch import nn

from hybridhash.embeddings import pack_collections
from hybridhash.models.rankers import MLPRanker, WideDeep
from hybridhash.packing import Sensitivity


def pack_model(
    model: WideDeep | MLPRanker,
    sensitivities: Mapping[str, Sensitivity] | None = None,
) -> WideDeep | MLPRanker:
    """Return the model that is shipped: its tables are packed as their specs say.

    Args:
        model: Trained; it stays as it is.
        sensitivities: The sensitivities from `hybridhash.models.sensitivities`; with them rows that keys share are
            chosen by what they do to the predictions, which loses several times less.

    Returns:
        A model for inference with the same dense layers; the model itself where nothing is to be packed.
    """
    parts = [model.deep, model.wide] if isinstance(model, WideDeep) else [model.deep]
    if not any(group.table.is_packed for part in parts for group in part.groups):
        return model
    deep, *wide = pack_collections(parts, sensitivities)
    hidden = [layer.out_features for layer in model.dense if isinstance(layer, nn.Linear)][:-1]
    # Layers that are replaced at once draw from a generator of their own: torch's default is not ours to move.
    unused = torch.Generator()
    shipped = WideDeep(deep, wide[0], hidden, unused) if wide else MLPRanker(deep, hidden, unused)
    shipped.dense = model.dense
    return shipped
