"""Read a bundle and score rows, with numpy alone."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hybridhash.data.batch import Batch
from hybridhash.data.discretiser import Discretiser
from hybridhash.data.encode import encode_batch
from hybridhash.data.schema import Schema
from hybridhash.errors import FileFormatError, HybridHashError
from hybridhash.export.layout import (
    DENSE,
    DISCRETISER,
    FORMAT,
    VERSION,
    ledger_part,
)
from hybridhash.export.tables import Tensors, key_vectors, table_tensors
from hybridhash.files import CheckedFile, read_checked
from hybridhash.hashing import HASH_FAMILY
from hybridhash.spec import Ledger, ModelSpec

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Predictor:
    """A model that scores rows, as `load` returns it.

    Attributes:
        schema: The features and their value types.
        discretiser: The bin edges of the numeric features.
        spec: Tables and layers, in numbers.
        label: What the probabilities are of.
        notes: What was stored beside, such as the training settings.
        ledger: The bytes of the file, by part.
    """

    schema: Schema
    discretiser: Discretiser
    spec: ModelSpec
    label: str
    notes: Mapping[str, Any]
    ledger: Ledger
    _tensors: Tensors

    def predict(self, rows: Any) -> Floats:
        """Return the probability of each row.

        Args:
            rows: Columns by name (a mapping, a pandas or Polars frame, an Arrow table), one row as a mapping of its
                values, or a sequence of mappings, one a row. In a mapping, a value that stands alone is that of all
                rows: one user beside a column of items. Values never seen in training are legal; so are nulls, however
                a container writes them (None, NaN, NA).

        Returns:
            float32[B].

        Raises:
            DataError: A missing column or value, or a value of a wrong type; the message names column and row.
            InvalidTypeError: Rows in another form.

        Example:
            >>> import hybridhash as hh
            >>> columns = {"user_id": 7, "ad_id": 3, "site": ["news", "shop"], "price": 9.5, "age": 31, "tags": None}
            >>> hh.load("model.hh").predict(columns)  # doctest: +ELLIPSIS
            array([0..., 0...], dtype=float32)
        """
        return self.predict_batch(encode_batch(rows, self.schema, self.discretiser))

    def predict_batch(self, batch: Batch) -> Floats:
        """Return the probability of each row of a batch of keys.

        Args:
            batch: From `hybridhash.data.encode_batch` with this schema and discretiser.

        Returns:
            float32[B].
        """
        x = np.concatenate(
            [self._embed("deep", index, batch) for index in range(len(self.spec.deep))], axis=1
        )
        num_layers = len(self.spec.layer_shapes)
        for index in range(num_layers):
            x = x @ self._tensors[f"{DENSE}{index}.weight"].T + self._tensors[f"{DENSE}{index}.bias"]
            if index < num_layers - 1:
                np.maximum(x, 0, out=x)
        logits = x[:, 0]
        for index in range(len(self.spec.wide)):
            logits = logits + self._embed("wide", index, batch).sum(axis=1)
        return _sigmoid(logits)

    def _embed(self, part: str, index: int, batch: Batch) -> Floats:
        """Return float32[B, features of the group * D]."""
        group = (self.spec.deep if part == "deep" else self.spec.wide)[index]
        places = [self.schema.names.index(name) for name in group.features]
        pooled = []
        for place in places:
            offsets = batch.offsets[place * batch.num_rows : (place + 1) * batch.num_rows + 1]
            keys = batch.keys[offsets[0] : offsets[-1]]
            vectors = key_vectors(keys, self._tensors, part, index, group)
            pooled.append(_pool(vectors, offsets - offsets[0], group.mode))
        return np.concatenate(pooled, axis=1)


def load(path: str | os.PathLike[str]) -> Predictor:
    """Read a bundle; every byte of the file is checked.

    Args:
        path: A file that ``hybridhash train`` or ``compare`` left.

    Returns:
        A predictor that needs neither torch nor the training data.

    Raises:
        FileFormatError: The file is cut short, altered, of another kind, or of a newer version.
        FileAccessError: The file cannot be opened.
    """
    file = read_checked(path, FORMAT, VERSION)
    metadata = file.metadata
    family = metadata.get("hash_family")
    if family != HASH_FAMILY:
        raise FileFormatError(
            f"{path}: expected keys of the hash family {HASH_FAMILY}, got {family}; "
            "export the model again with this version"
        )
    try:
        spec = ModelSpec.from_dict(metadata["model"])
        edges = {
            name.removeprefix(DISCRETISER): tensor
            for name, tensor in file.tensors.items()
            if name.startswith(DISCRETISER)
        }
        predictor = Predictor(
            schema=Schema.from_json(metadata["schema"]),
            discretiser=Discretiser.from_arrays(edges),
            spec=spec,
            label=metadata["label"],
            notes=metadata["notes"],
            ledger=file_ledger(file, Path(path).stat().st_size),
            _tensors=file.tensors,
        )
        _check_parts(spec, predictor.schema, file.tensors)
    except KeyError as error:
        raise FileFormatError(f"{path}: expected a hybridhash bundle, got one without {error}") from error
    except (TypeError, HybridHashError) as error:
        raise FileFormatError(
            f"{path}: expected a hybridhash bundle, got one whose parts do not fit: {error}"
        ) from error
    return predictor


def file_ledger(file: CheckedFile, file_bytes: int) -> Ledger:
    """Return the bytes of a bundle by part; what is no tensor is metadata."""
    total = Ledger()
    for name, tensor in file.tensors.items():
        total += Ledger(**{ledger_part(name): tensor.nbytes})
    return total + Ledger(metadata=file_bytes - total.total_bytes)


def _check_parts(spec: ModelSpec, schema: Schema, tensors: Tensors) -> None:
    """Refuse tensors that are not those of the spec, in name, shape and type."""
    wanted: dict[str, tuple[tuple[int, ...], str]] = {}
    for feature in schema.of_kind("numeric"):
        wanted[DISCRETISER + feature.name] = (tensors[DISCRETISER + feature.name].shape, "float64")
    for part, groups in (("deep", spec.deep), ("wide", spec.wide)):
        for index, group in enumerate(groups):
            wanted |= table_tensors(part, index, group)
    for index, (outputs, inputs) in enumerate(spec.layer_shapes):
        wanted[f"{DENSE}{index}.weight"] = ((outputs, inputs), "float32")
        wanted[f"{DENSE}{index}.bias"] = ((outputs,), "float32")
    for name, (shape, dtype) in wanted.items():
        if tensors[name].shape != shape or tensors[name].dtype != dtype:
            raise FileFormatError(
                f"{name}: expected {dtype} of shape {shape}, got {tensors[name].dtype} of shape {tensors[name].shape}"
            )
    surplus = sorted(set(tensors) - set(wanted))
    if surplus:
        raise FileFormatError(f"{surplus[0]}: expected parts of the model alone, got one more")
    unknown = {name for group in (*spec.deep, *spec.wide) for name in group.features} - set(schema.names)
    if unknown:
        raise FileFormatError(f"tables: expected features among {schema.names}, got {sorted(unknown)}")


def _pool(vectors: Floats, offsets: npt.NDArray[np.int64], mode: str) -> Floats:
    """Return float32[B, D]: the sum, mean or maximum of each bag, zeros for an empty one."""
    lengths = np.diff(offsets)
    if (lengths == 1).all():
        return vectors
    pooled = np.zeros((lengths.size, vectors.shape[1]), dtype=np.float32)
    filled = lengths > 0
    if filled.any():
        reduce: np.ufunc = np.maximum if mode == "max" else np.add
        pooled[filled] = reduce.reduceat(vectors, offsets[:-1][filled], axis=0)
        if mode == "mean":
            pooled[filled] /= lengths[filled, None].astype(np.float32)
    return pooled


def _sigmoid(logits: Floats) -> Floats:
    """Return 1 / (1 + exp(-x)) without overflow."""
    small = np.exp(-np.abs(logits))
    return np.where(logits >= 0, 1 / (1 + small), small / (1 + small)).astype(np.float32)
