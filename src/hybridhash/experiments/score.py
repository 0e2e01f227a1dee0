"""`evaluate` and `predict`: rows scored with an exported model."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from hybridhash.data import Batch, Label, Source, encode_batch, open_source, read_chunks
from hybridhash.data.column_names import find_name
from hybridhash.data.row_chunks import RowChunk
from hybridhash.errors import InvalidValueError
from hybridhash.experiments.origin import trained_on
from hybridhash.experiments.output import check_not_an_input, input_files
from hybridhash.experiments.predictions import COLUMN, write_csv, write_parquet
from hybridhash.export import Predictor, load_model
from hybridhash.files import replacing
from hybridhash.trials import Listener, Quality, check_group_feature, quality_of


@dataclass(frozen=True, kw_only=True)
class Evaluation(Quality):
    """How good an exported model is on labelled rows.

    Attributes:
        bundle: The model.
        label: What its predictions were compared with.
        rows: Number of rows.
        positives: Rows with label 1.
    """

    bundle: str
    label: str
    rows: int
    positives: int


def evaluate(
    bundle: Path,
    data: Sequence[str],
    listener: Listener,
    *,
    format: str | None = None,
    quote: str | None = None,
    label: str | None = None,
    weight: str | None = None,
    group: str | None = None,
) -> Evaluation:
    """Measure an exported model on labelled rows.

    Args:
        bundle: The model.
        data: Files, globs or folders.
        listener: Hears how far it is.
        format: A known data set.
        quote: What stands around fields of text; see `hybridhash.data.open_source`.
        label: What to compare with; the label that the model was trained on if not given.
        weight: Column of row weights.
        group: A categorical feature within which GAUC and NDCG@10 are measured too.

    Raises:
        HybridHashError: The model or the data cannot be used.
    """
    model, source = load_model(bundle), _open(data, format, quote)
    wanted = Label.parse(label or model.label)
    seen = trained_on(model.notes, source.files)
    if seen is not None:
        listener.note(seen)
    if group is not None:
        check_group_feature(model.schema, group)
    predictions: list[npt.NDArray[np.float32]] = []
    labels: list[npt.NDArray[np.float32]] = []
    weights: list[npt.NDArray[np.float32]] = []
    groups: list[npt.NDArray[np.int64]] = []
    for rows, batch, probabilities in _scores(model, source, listener, label=wanted, weight=weight):
        predictions.append(probabilities)
        if group is not None:
            groups.append(_keys_of(batch, model.schema.names.index(group)))
        if rows.labels is not None:
            labels.append(rows.labels)
        if rows.weights is not None:
            weights.append(rows.weights)
    truth = np.concatenate(labels)
    quality = quality_of(
        np.concatenate(predictions),
        truth,
        np.concatenate(weights) if weights else None,
        np.concatenate(groups) if groups else None,
    )
    return Evaluation(
        bundle=str(bundle),
        label=str(wanted),
        rows=truth.size,
        positives=int(truth.sum()),
        **vars(quality),
    )


def predict_file(
    bundle: Path,
    data: Sequence[str],
    out: Path | BinaryIO,
    listener: Listener,
    *,
    format: str | None = None,
    quote: str | None = None,
    keep: Sequence[str] = (),
) -> int:
    """Write the probability of every row, in the order of the rows.

    Args:
        bundle: The model.
        data: Files, globs or folders.
        out: A ``.csv`` or ``.parquet`` file with the column ``probability``, written whole or not at all; or
            an open file that gets CSV.
        listener: Hears how far it is.
        format: A known data set.
        quote: What stands around fields of text; see `hybridhash.data.open_source`.
        keep: Columns of the data that are copied before the probability. In CSV the elements of a list stand with the
            separator of the model's schema between them.

    Returns:
        The number of rows.

    Raises:
        HybridHashError: The model, the data or the output cannot be used.
    """
    if isinstance(out, Path):
        check_not_an_input([out], [bundle, *input_files(data)])
    model, source = load_model(bundle), _open(data, format, quote)
    kept = tuple(find_name(name, source.columns) for name in keep)
    if len({*kept, COLUMN}) <= len(kept):
        raise InvalidValueError(
            f"--keep: expected different columns, none of them named {COLUMN!r}, got {', '.join(kept)}"
        )
    scores = (
        (rows.kept, probabilities) for rows, _, probabilities in _scores(model, source, listener, keep=kept)
    )
    if not isinstance(out, Path):
        return write_csv(scores, out, model.schema.list_separator)
    if out.suffix not in (".csv", ".parquet"):
        raise InvalidValueError(f"--out: expected a name that ends in .csv or .parquet, got {out}")
    with replacing(out) as file:
        if out.suffix == ".parquet":
            return write_parquet(scores, file)
        return write_csv(scores, file, model.schema.list_separator)


def _open(data: Sequence[str], format: str | None, quote: str | None) -> Source:
    if not data:
        raise InvalidValueError("data: expected one or more files, got none")
    return open_source(list(data), format, quote=quote)


def _scores(
    model: Predictor,
    source: Source,
    listener: Listener,
    *,
    label: Label | None = None,
    weight: str | None = None,
    keep: Sequence[str] = (),
) -> Iterator[tuple[RowChunk, Batch, npt.NDArray[np.float32]]]:
    done = 0
    chunks = read_chunks(source, model.schema, label=label, weight=weight, keep=keep, tell=listener.note)
    for rows in chunks:
        batch = encode_batch(rows.columns, model.schema, model.discretiser, rows.first_row)
        yield rows, batch, model.predict_batch(batch)
        done += rows.num_rows
        listener.stage("score", done, None)


def _keys_of(batch: Batch, feature: int) -> npt.NDArray[np.int64]:
    """Return the keys of a feature with one id a row, int64[B]."""
    first, last = feature * batch.num_rows, (feature + 1) * batch.num_rows
    return batch.keys[batch.offsets[first] : batch.offsets[last]]
