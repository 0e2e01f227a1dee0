"""Write a trained model as one file that is served without torch."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from torch import Tensor, nn

from hybridhash.data import Discretiser, Schema
from hybridhash.embeddings import EmbeddingBag, EmbeddingCollection, PackedEmbeddingBag, pack
from hybridhash.embeddings.base import BaseEmbeddingBag
from hybridhash.errors import InvalidTypeError, InvalidValueError
from hybridhash.export.array_names import DENSE, DISCRETISER, FORMAT, VERSION, rows_prefix
from hybridhash.files import JSON, write_checked
from hybridhash.hashing import HASH_FAMILY
from hybridhash.spec import ModelSpec
from hybridhash.tables import ShippedTable, index_arrays, row_arrays, shipped_tiers


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
        path: The path of the file, which is replaced whole or not at all.
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
    """Return the arrays of a model by their names in the file, each dictionary once.

    Raises:
        InvalidTypeError: A table is not packed and its spec asks for that.
    """
    tensors: dict[str, npt.NDArray[Any]] = {}
    for part in ("deep", "wide"):
        collection: EmbeddingCollection | None = getattr(model, part, None)
        if collection is None:
            continue
        for number, (group, bag) in enumerate(collection.tables):
            table = _shipped(bag, part, number)
            tensors |= row_arrays(table.slabs, shipped_tiers(table.spec), rows_prefix(part, number))
            tensors |= index_arrays(table.index, group.dictionary)
    for number, layer in enumerate(_linear_layers(model)):
        tensors[f"{DENSE}{number}.weight"] = _array(layer.weight)
        tensors[f"{DENSE}{number}.bias"] = _array(layer.bias)
    return tensors


def _shipped(bag: BaseEmbeddingBag, part: str, number: int) -> ShippedTable:
    if isinstance(bag, PackedEmbeddingBag):
        return bag.shipped()
    if not isinstance(bag, EmbeddingBag) or bag.spec.is_packed:
        raise InvalidTypeError(
            f"model: expected packed tables, as the spec of {part} table {number} asks for, got {type(bag).__name__}; "
            "pack the trained model with pack_model"
        )
    return pack(bag)


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
