"""Read a bundle and score rows, with numpy alone."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hybridhash.data.batch import Batch
from hybridhash.data.discretiser import Discretiser
from hybridhash.data.encode_native import ValueEncoder
from hybridhash.data.schema import Schema
from hybridhash.errors import FileFormatError, HybridHashError
from hybridhash.export.array_names import (
    DENSE,
    DISCRETISER,
    FORMAT,
    VERSION,
    ledger_entry,
    rows_prefix,
)
from hybridhash.files import CheckedFile, format_of, read_checked
from hybridhash.hashing import HASH_FAMILY
from hybridhash.spec import GroupSpec, Ledger, Mode, ModelSpec
from hybridhash.tables import FORMAT as TABLE_FORMAT
from hybridhash.tables import KeyIndex, ShippedTable, expected_arrays, read_index, read_rows

Floats = npt.NDArray[np.float32]
Int64s = npt.NDArray[np.int64]
Int32s = npt.NDArray[np.int32]
Tensors = Mapping[str, npt.NDArray[Any]]


@dataclass(frozen=True)
class Predictor:
    """A model that scores rows, as `load` returns it.

    Attributes:
        schema: The features and their value types.
        discretiser: The bin edges of the numeric features.
        spec: Tables and layers, in numbers.
        label: What the probabilities are of.
        notes: What was stored beside, such as the training settings.
        ledger: The bytes of the file, by purpose.
    """

    schema: Schema
    discretiser: Discretiser
    spec: ModelSpec
    label: str
    notes: Mapping[str, Any]
    ledger: Ledger
    _tensors: Tensors
    _deep: tuple[ShippedTable, ...]
    _wide: tuple[ShippedTable, ...]
    _encoder: ValueEncoder = field(init=False, repr=False, compare=False)
    _layers: tuple[tuple[Floats, Floats], ...] = field(init=False, repr=False, compare=False)
    _deep_modes: tuple[Mode, ...] = field(init=False, repr=False, compare=False)
    _deep_places: tuple[tuple[int, ...], ...] = field(init=False, repr=False, compare=False)
    _wide_modes: tuple[Mode, ...] = field(init=False, repr=False, compare=False)
    _wide_places: tuple[tuple[int, ...], ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        place = {name: index for index, name in enumerate(self.schema.names)}
        layers = range(len(self.spec.layer_shapes))
        found = {
            "_encoder": ValueEncoder(self.schema, self.discretiser),
            "_layers": tuple(
                (
                    np.ascontiguousarray(self._tensors[f"{DENSE}{index}.weight"].T),
                    self._tensors[f"{DENSE}{index}.bias"],
                )
                for index in layers
            ),
        }
        for part, groups in (("deep", self.spec.deep), ("wide", self.spec.wide)):
            found[f"_{part}_modes"] = tuple(group.mode for group in groups)
            found[f"_{part}_places"] = tuple(
                tuple(place[name] for name in group.features) for group in groups
            )
        for name, value in found.items():
            object.__setattr__(self, name, value)

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
        return self.predict_batch(self._encoder.encode(rows))

    def predict_batch(self, batch: Batch) -> Floats:
        """Return the probability of each row of a batch of keys.

        Args:
            batch: The batch from `hybridhash.data.encode_batch` with this schema and discretiser.

        Returns:
            float32[B].
        """
        found = [
            self._embed(table, mode, places, batch)
            for table, mode, places in zip(self._deep, self._deep_modes, self._deep_places, strict=True)
        ]
        x = found[0][0] if len(found) == 1 else np.concatenate([vectors for vectors, _ in found], axis=1)
        for index, (weight, bias) in enumerate(self._layers):
            if index:
                np.maximum(x, 0, out=x)
            x = x @ weight
            x += bias
        logits = x[:, 0]
        known = {
            (id(table.index), places): rows
            for table, places, (_, rows) in zip(self._deep, self._deep_places, found, strict=True)
        }
        for table, mode, places in zip(self._wide, self._wide_modes, self._wide_places, strict=True):
            weights, _ = self._embed(table, mode, places, batch, known.get((id(table.index), places)))
            logits = logits + weights.sum(axis=1)
        return _sigmoid(logits)

    def _embed(
        self,
        table: ShippedTable,
        mode: Mode,
        places: tuple[int, ...],
        batch: Batch,
        rows: Int32s | None = None,
    ) -> tuple[Floats, Int32s | None]:
        """Return float32[B, features of the group * D], and the rows of the keys for tables with the same index."""
        keys, offsets = _select(batch, places)
        if rows is None:
            rows = table.rows(keys)
        pooled = table.pool(keys, offsets, mode=mode, rows=rows)
        by_feature = pooled.reshape(len(places), batch.num_rows, table.spec.dim)
        width = len(places) * table.spec.dim
        return by_feature.transpose(1, 0, 2).reshape(batch.num_rows, width), rows


def load(path: str | os.PathLike[str]) -> Any:
    """Read what is shipped, without torch; every byte of the file is checked.

    Args:
        path: A model that ``hybridhash train`` or ``compare`` left, or a table that `hybridhash.pack` made and
            ``save`` wrote.

    Returns:
        A `Predictor` of a model, or the `hybridhash.tables.ShippedTable`.

    Raises:
        FileFormatError: The file is cut short, altered, of another kind, or of a newer version.
        FileAccessError: The file cannot be opened.
    """
    return ShippedTable.load(path) if format_of(path) == TABLE_FORMAT else load_model(path)


def load_model(path: str | os.PathLike[str]) -> Predictor:
    """Read a model; every byte of the file is checked.

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
        schema = Schema.from_json(metadata["schema"])
        _check_parts(spec, schema, file.tensors)
        indices: dict[tuple[object, ...], KeyIndex] = {}
        deep, wide = (
            tuple(
                _table(file.tensors, group, rows_prefix(part, number), indices)
                for number, group in enumerate(groups)
            )
            for part, groups in (("deep", spec.deep), ("wide", spec.wide))
        )
        predictor = Predictor(
            schema=schema,
            discretiser=Discretiser.from_arrays(edges),
            spec=spec,
            label=metadata["label"],
            notes=metadata["notes"],
            ledger=file_ledger(file, Path(path).stat().st_size),
            _tensors=file.tensors,
            _deep=deep,
            _wide=wide,
        )
    except KeyError as error:
        raise FileFormatError(f"{path}: expected a hybridhash bundle, got one without {error}") from error
    except (TypeError, HybridHashError) as error:
        raise FileFormatError(
            f"{path}: expected a hybridhash bundle, got one whose parts do not fit: {error}"
        ) from error
    return predictor


def file_ledger(file: CheckedFile, file_bytes: int) -> Ledger:
    """Return the bytes of a bundle by purpose; what is no tensor is metadata."""
    total = Ledger()
    for name, tensor in file.tensors.items():
        total += Ledger(**{ledger_entry(name): tensor.nbytes})
    return total + Ledger(metadata=file_bytes - total.total_bytes)


def _check_parts(spec: ModelSpec, schema: Schema, tensors: Tensors) -> None:
    """Refuse tensors that are not those of the spec, in name, shape and type."""
    wanted: dict[str, tuple[tuple[int, ...], str]] = {}
    for feature in schema.of_kind("numeric"):
        wanted[DISCRETISER + feature.name] = (tensors[DISCRETISER + feature.name].shape, "float64")
    for part, groups in (("deep", spec.deep), ("wide", spec.wide)):
        for index, group in enumerate(groups):
            wanted |= expected_arrays(group.table, rows_prefix(part, index), group.dictionary)
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


def _table(
    tensors: Tensors, group: GroupSpec, prefix: str, indices: dict[tuple[object, ...], KeyIndex]
) -> ShippedTable:
    """Return the table of a group; tables with the same rows share one index."""
    table = group.table
    identity = (group.dictionary, table.num_buckets, table.num_hashes, table.seed)
    if identity not in indices:
        indices[identity] = read_index(tensors, table, group.dictionary)
    return ShippedTable(
        table, indices[identity], read_rows(tensors, table, prefix), feature_names=group.features
    )


def _select(batch: Batch, places: tuple[int, ...]) -> tuple[Int64s, Int64s]:
    """Return keys and offsets of some features of a batch, feature-major."""
    if batch.num_rows and places == tuple(range((batch.offsets.size - 1) // batch.num_rows)):
        return batch.keys, batch.offsets
    parts = [batch.offsets[place * batch.num_rows : (place + 1) * batch.num_rows + 1] for place in places]
    keys = np.concatenate([batch.keys[part[0] : part[-1]] for part in parts])
    lengths = np.concatenate([np.diff(part) for part in parts])
    return keys, np.concatenate([[0], np.cumsum(lengths)])


def _sigmoid(logits: Floats) -> Floats:
    """Return 1 / (1 + exp(-x)) without overflow."""
    small = np.exp(-np.abs(logits))
    return np.where(logits >= 0, 1 / (1 + small), small / (1 + small)).astype(np.float32)
