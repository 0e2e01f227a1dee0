"""Score rows with an exported model."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from hybridhash.data import Label, encode_batch, open_source, read_columns
from hybridhash.data.read import RowBatch
from hybridhash.errors import InvalidValueError
from hybridhash.experiments.fit import quality_of
from hybridhash.experiments.progress import Listener
from hybridhash.export import Predictor, load
from hybridhash.files import replacing

COLUMN = "probability"


def evaluate(
    bundle: Path,
    data: Sequence[str],
    listener: Listener,
    *,
    format: str | None = None,
    label: str | None = None,
    weight: str | None = None,
) -> dict[str, Any]:
    """Measure an exported model on labelled rows.

    Args:
        bundle: The model.
        data: Files, globs or folders.
        listener: Hears how far it is.
        format: A known data set.
        label: What to compare with; the label that the model was trained on if not given.
        weight: Column of row weights.

    Returns:
        The measures, rows, and positives.

    Raises:
        HybridHashError: The model or the data cannot be used.
    """
    model = load(bundle)
    wanted = Label.parse(label or model.label)
    predictions: list[npt.NDArray[np.float32]] = []
    labels: list[npt.NDArray[np.float32]] = []
    weights: list[npt.NDArray[np.float32]] = []
    for rows, probabilities in _scores(model, data, listener, format, wanted, weight):
        predictions.append(probabilities)
        if rows.labels is not None:
            labels.append(rows.labels)
        if rows.weights is not None:
            weights.append(rows.weights)
    truth = np.concatenate(labels)
    quality = quality_of(np.concatenate(predictions), truth, np.concatenate(weights) if weights else None)
    return {
        "bundle": str(bundle),
        "label": str(wanted),
        "rows": truth.size,
        "positives": int(truth.sum()),
    } | vars(quality)


def predict_file(
    bundle: Path, data: Sequence[str], out: Path | BinaryIO, listener: Listener, *, format: str | None = None
) -> int:
    """Write the probability of every row, in the order of the rows.

    Args:
        bundle: The model.
        data: Files, globs or folders.
        out: A ``.csv`` or ``.parquet`` file with one column ``probability``, written whole or not at all; or
            an open file that gets CSV.
        listener: Hears how far it is.
        format: A known data set.

    Returns:
        The number of rows.

    Raises:
        HybridHashError: The model, the data or the output cannot be used.
    """
    scores = (probabilities for _, probabilities in _scores(load(bundle), data, listener, format, None, None))
    if not isinstance(out, Path):
        return _write_csv(scores, out)
    writers = {".csv": _write_csv, ".parquet": _write_parquet}
    if out.suffix not in writers:
        raise InvalidValueError(f"--out: expected a name that ends in .csv or .parquet, got {out}")
    with replacing(out) as file:
        return writers[out.suffix](scores, file)


def _scores(
    model: Predictor,
    data: Sequence[str],
    listener: Listener,
    format: str | None,
    label: Label | None,
    weight: str | None,
) -> Iterator[tuple[RowBatch, npt.NDArray[np.float32]]]:
    if not data:
        raise InvalidValueError("data: expected one or more files, got none")
    source = open_source(list(data), format)
    done = 0
    for rows in read_columns(source, model.schema, label=label, weight=weight):
        batch = encode_batch(rows.columns, model.schema, model.discretiser, rows.first_row)
        yield rows, model.predict_batch(batch)
        done += rows.num_rows
        listener.stage("score", done, None)


def _write_csv(scores: Iterator[npt.NDArray[np.float32]], file: BinaryIO) -> int:
    num_rows = 0
    for part in scores:
        if not num_rows:  # not before the first rows have proved good
            file.write(f"{COLUMN}\n".encode())
        file.write("".join(f"{value}\n" for value in part).encode())
        num_rows += part.size
    return num_rows


def _write_parquet(scores: Iterator[npt.NDArray[np.float32]], file: BinaryIO) -> int:
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema([(COLUMN, pa.float32())])
    num_rows = 0
    with pq.ParquetWriter(file, schema) as writer:
        for part in scores:
            writer.write_table(pa.table({COLUMN: part}, schema=schema))
            num_rows += part.size
    return num_rows
