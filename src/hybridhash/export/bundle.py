"""Write a trained model as one file that is served without torch."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from hybridhash.data import Discretiser, Schema
from hybridhash.embeddings import EmbeddingCollection, PackedEmbeddingBag, RowEncoder
from hybridhash.embeddings.bag import KeyEmbeddingBag
from hybridhash.embeddings.base import BaseEmbeddingBag
from hybridhash.errors import InvalidTypeError, InvalidValueError
from hybridhash.export.layout import (
    DENSE,
    DISCRETISER,
    FORMAT,
    SCALES,
    VERSION,
    codes_name,
    dictionary_name,
    head_name,
    tail_name,
)
from hybridhash.files import JSON, write_checked
from hybridhash.hashing import HASH_FAMILY
from hybridhash.spec import NOT_SHIPPED, ModelSpec


class Ranker(Protocol):
    """A model of deep embeddings under dense layers, perhaps with a ``wide`` collection beside."""

    @property
    def deep(self) -> EmbeddingCollection:
        """Embeddings that feed the dense layers."""

    @property
    def dense(self) -> nn.Sequential:
        """Linear layers with ReLU between them."""


def save_bundle(
    path: str | Path,
    model: Ranker,
    schema: Schema,
    discretiser: Discretiser,
    *,
    label: str,
    notes: Mapping[str, JSON] | None = None,
) -> None:
    """Write a model, and all that turns rows into its input, as one checked file.

    Args:
        path: Where; replaced whole or not at all.
        model: The trained model, packed if its spec asks for that (`hybridhash.models.pack_model`).
        schema: The features, their value types and the hash seed.
        discretiser: The bin edges of the numeric features.
        label: What the probabilities are of, as the user named it.
        notes: Anything else worth keeping, such as the training settings.

    Raises:
        InvalidValueError: The model's features are not the schema's, a numeric feature has no edges, or a
            weight is not finite.
        InvalidTypeError: The dense layers are not linear layers with ReLU between them, or the model is not packed
            and its spec asks for that.
        FileAccessError: The file cannot be written there.
    """
    if model.deep.features != schema.names:
        raise InvalidValueError(
            f"schema: expected the model's features {model.deep.features}, got {schema.names}"
        )
    missing = [feature.name for feature in schema.of_kind("numeric") if feature.name not in discretiser.edges]
    if missing:
        raise InvalidValueError(
            f"discretiser: expected edges of every numeric feature, got none for {missing}"
        )
    spec = model_spec(model)
    metadata: dict[str, JSON] = {
        "hash_family": HASH_FAMILY,
        "model": spec.as_dict(),
        "schema": schema.to_json(),
        "label": label,
        "notes": dict(notes or {}),
    }
    tensors = model_tensors(model)
    for name, tensor in tensors.items():
        if tensor.dtype == np.float32 and not np.isfinite(tensor).all():
            raise InvalidValueError(
                f"{name}: expected finite weights, got NaN or infinity; the training diverged"
            )
    tensors |= {DISCRETISER + feature: edges for feature, edges in discretiser.to_arrays().items()}
    write_checked(path, tensors, metadata, FORMAT, VERSION)


def model_spec(model: Ranker) -> ModelSpec:
    """Return the spec of a built model.

    Raises:
        InvalidTypeError: The dense layers are not linear layers with ReLU between them.
    """
    wide: EmbeddingCollection | None = getattr(model, "wide", None)
    return ModelSpec(
        deep=model.deep.groups,
        wide=wide.groups if wide is not None else (),
        hidden=tuple(layer.out_features for layer in _linear_layers(model)[:-1]),
    )


def model_tensors(model: Ranker) -> dict[str, npt.NDArray[Any]]:
    """Return the arrays of a model by their names in the file, each dictionary once."""
    tensors: dict[str, npt.NDArray[Any]] = {}
    for part in ("deep", "wide"):
        collection: EmbeddingCollection | None = getattr(model, part, None)
        if collection is None:
            continue
        for index, (group, bag) in enumerate(collection.tables):
            tensors |= _rows(bag, part, index)
            tensors |= _dictionary(bag.encoder, group.dictionary)
    for index, layer in enumerate(_linear_layers(model)):
        tensors[f"{DENSE}{index}.weight"] = _array(layer.weight)
        tensors[f"{DENSE}{index}.bias"] = _array(layer.bias)
    return tensors


def _rows(bag: BaseEmbeddingBag, part: str, index: int) -> dict[str, npt.NDArray[Any]]:
    """Return the rows of each tier that is shipped, and of the tail, with their scales."""
    shipped = [place for place, tier in enumerate(bag.spec.head_tiers) if tier.bits != NOT_SHIPPED]
    names = [*(head_name(part, index, place) for place in shipped), tail_name(part, index)]
    if isinstance(bag, PackedEmbeddingBag):
        rows = {name: _array(slab.codes) for name, slab in zip(names, bag.slabs, strict=True)}
        scales = zip(names, bag.slabs, strict=True)
        return rows | {name + SCALES: _array(slab.scales) for name, slab in scales if slab.scales.numel()}
    if not isinstance(bag, KeyEmbeddingBag) or bag.spec.is_packed:
        raise InvalidTypeError(
            f"model: expected packed tables, as the spec of {part} table {index} asks for, got {type(bag).__name__}; "
            "pack the trained model with pack_model"
        )
    heads = torch.split(bag.head, [tier.num_positions for tier in bag.spec.head_tiers])
    return dict(zip(names, map(_array, (*heads, bag.tail)), strict=True))


def _dictionary(encoder: RowEncoder, name: str) -> dict[str, npt.NDArray[Any]]:
    """Return the keys or fingerprints of each tier that is shipped, and its codes."""
    shipped = [place for place, tier in enumerate(encoder.tiers) if tier.bits != NOT_SHIPPED]
    tensors: dict[str, npt.NDArray[Any]] = {}
    for place, dictionary in zip(shipped, encoder.dictionaries, strict=True):
        tensors[dictionary_name(name, place)] = _array(dictionary.places)
        if dictionary.codes.numel():
            tensors[codes_name(name, place)] = _array(dictionary.codes)
    return tensors


def _linear_layers(model: Ranker) -> list[nn.Linear]:
    layers = list(model.dense)
    linears = [layer for layer in layers[::2] if isinstance(layer, nn.Linear) and layer.bias is not None]
    relus = [layer for layer in layers[1::2] if isinstance(layer, nn.ReLU)]
    if len(linears) + len(relus) != len(layers) or len(linears) != len(relus) + 1:
        raise InvalidTypeError(f"dense: expected linear layers with ReLU between them, got {model.dense}")
    return linears


def _array(tensor: Tensor) -> npt.NDArray[Any]:
    array: npt.NDArray[Any] = tensor.detach().cpu().numpy()
    return array
