"""Rows in the order of the files, a chunk at a time, for prediction and evaluation by a schema that was learned."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from hybridhash.data.checked_rows import bad_row_error
from hybridhash.data.column_sql import (
    LABEL,
    WEIGHT,
    checked_select,
    feature_readings,
    label_reading,
    line_breaks,
    line_breaks_note,
    weight_reading,
)
from hybridhash.data.columns import Label
from hybridhash.data.database import our_errors
from hybridhash.data.schema import Schema
from hybridhash.data.source import Source
from hybridhash.data.sql_quoting import quote_name
from hybridhash.data.text_files import FILE_COLUMN

_BATCH_ROWS: Final = 1 << 16


@dataclass(frozen=True)
class RowChunk:
    """Consecutive rows of a source.

    Attributes:
        columns: Per column of the schema an Arrow array, as `encode_columns` takes it.
        num_rows: B.
        first_row: How many rows of the source came before.
        labels: float32[B], or None.
        weights: float32[B], or None.
        kept: Per column that was asked for beside the schema's an Arrow array of its values as they are.
    """

    columns: Mapping[str, Any]
    num_rows: int
    first_row: int
    labels: npt.NDArray[np.float32] | None = None
    weights: npt.NDArray[np.float32] | None = None
    kept: Mapping[str, Any] = field(default_factory=dict)


def read_chunks(
    source: Source,
    schema: Schema,
    *,
    label: Label | None = None,
    weight: str | None = None,
    keep: Sequence[str] = (),
    batch_rows: int = _BATCH_ROWS,
    tell: Callable[[str], None] | None = None,
) -> Iterator[RowChunk]:
    """Read the rows of a source in their order, a chunk at a time.

    Every row comes back, so that predictions stand beside their rows: a row that cannot be used is an
    error, never skipped.

    Args:
        source: The data.
        schema: Which columns, and their types.
        label: What to read as the label; None for rows without one.
        weight: The column of row weights, or None.
        keep: Columns that are handed on as they are, whether the schema has them or not.
        batch_rows: The most rows of a chunk.
        tell: A function that is called at the end with a note on the files, where there is one.

    Yields:
        The rows.

    Raises:
        DataError: A missing column, a type that does not fit the schema, or a value that cannot be used;
            the message names the file, the column and the 1-based row below the header.
    """
    readings = feature_readings(source, schema)
    if label is not None:
        readings.append(label_reading(source, label))
    if weight is not None:
        readings.append(weight_reading(source, weight))
    for name in keep:
        source.require(name)
    kept = [f"{quote_name(name)} AS k{index}" for index, name in enumerate(keep)]
    breaks = line_breaks(source)
    passed = [f"{quote_name(FILE_COLUMN)} AS file", *breaks, *kept]
    query = checked_select(source.scan(False), readings, passed)
    starts: dict[str, int] = {}
    first_row, num_rows, num_breaks = 0, 0, 0
    first_break = ("", 0)
    with our_errors(source.files):
        reader: Any = source.connection.cursor().sql(query).to_arrow_reader(batch_rows)
    while True:
        with our_errors(source.files):
            batch = next(iter(reader), None)
        if batch is None:
            break
        files = batch.column("file").dictionary_encode()
        codes, firsts = np.unique(files.indices.to_numpy(zero_copy_only=False), return_index=True)
        for code, first in zip(codes.tolist(), firsts.tolist(), strict=True):
            starts.setdefault(files.dictionary[code].as_py(), first_row + first)
        bad = batch.column("bad").to_numpy(zero_copy_only=False)
        if bad.any():
            at = int(np.flatnonzero(bad)[0])
            file = files[at].as_py()
            value = batch.column("bad_value")[at].as_py()
            raise bad_row_error(readings, int(bad[at]), value, file, first_row + at - starts[file] + 1)
        if breaks and (counts := batch.column("breaks").to_numpy(zero_copy_only=False)).any():
            at = int(np.flatnonzero(counts)[0])
            if not num_rows:
                first_break = (files[at].as_py(), first_row + at - starts[files[at].as_py()] + 1)
            num_rows += int(np.count_nonzero(counts))
            num_breaks += int(counts.sum())
        yield RowChunk(
            {name: batch.column(index) for index, name in enumerate(schema.columns)},
            batch.num_rows,
            first_row,
            _floats(batch, LABEL) if label is not None else None,
            _floats(batch, WEIGHT) if weight is not None else None,
            {name: batch.column(f"k{index}") for index, name in enumerate(keep)},
        )
        first_row += batch.num_rows
    if num_rows and tell is not None:
        tell(line_breaks_note(num_rows, num_breaks, *first_break))


def _floats(batch: Any, name: str) -> npt.NDArray[np.float32]:
    floats: npt.NDArray[np.float32] = batch.column(name).to_numpy(zero_copy_only=False).astype(np.float32)
    return floats
