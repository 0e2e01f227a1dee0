"""One pass over a source: every row is checked, and the needed columns are kept in a Parquet file in time order."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from hybridhash.data.column_sql import (
    TIME,
    Reading,
    checked_select,
    extra_reading,
    feature_readings,
    label_reading,
    line_breaks,
    line_breaks_note,
    part_reading,
    time_reading,
    weight_reading,
)
from hybridhash.data.columns import Columns
from hybridhash.data.database import (
    LINE_FAULTS,
    drop_rejects,
    line_fault,
    our_errors,
    require_space,
    run,
    spill_to,
    value_of,
)
from hybridhash.data.paths import COMPRESSED
from hybridhash.data.progress import OnStage
from hybridhash.data.schema import Schema
from hybridhash.data.source import Source
from hybridhash.data.split import Split
from hybridhash.data.sql_quoting import parquet_sql, quote_name, quote_text
from hybridhash.data.text_files import FILE_COLUMN
from hybridhash.errors import DataError, InvalidValueError

if TYPE_CHECKING:
    import duckdb

OnError = Literal["raise", "skip"]

_UNPACKED: Final = 5  # bytes of text per byte of gzip, as click logs have it


@dataclass(frozen=True)
class CheckedRows:
    """Rows that have passed the checks, in one Parquet file, in the order of time.

    Attributes:
        connection: The database that reads it.
        path: The file. Its columns are f0, f1, ... for the schema's columns, x0, ... for extra ones, label,
            weight, time and part where they are used, and ``row``, the row's number in the input.
        num_rows: Rows in it.
        columns: Its columns in order.
        skipped: How many rows were left out, by reason.
        note: What a reader of the results should know; may be empty.
    """

    connection: "duckdb.DuckDBPyConnection"
    path: Path
    num_rows: int
    columns: tuple[str, ...]
    skipped: dict[str, int]
    note: str = ""

    def batches(self, columns: Sequence[str], batch_rows: int) -> Any:
        """Return an Arrow reader over some columns, in order."""
        chosen = ", ".join(columns)
        query = f"SELECT {chosen} FROM {parquet_sql([self.path])}"
        return self.connection.cursor().sql(query).to_arrow_reader(batch_rows)

    def scalar(self, expression: str) -> Any:
        """Return one value over all rows, given as SQL."""
        [value] = value_of(self.connection, f"SELECT {expression} FROM {parquet_sql([self.path])}")
        return value


def check_rows(
    source: Source,
    columns: Columns,
    schema: Schema,
    split: Split,
    work_dir: Path,
    *,
    extra: Sequence[str] = (),
    on_error: OnError = "raise",
    progress: OnStage | None = None,
) -> CheckedRows:
    """Read a source once: check each row, keep what is needed, order by time.

    Rows of one time stay in the order of the input, and so do all rows where there is no time column.

    Args:
        source: What to read.
        columns: What is used as what; it has a label.
        schema: The features and their types.
        split: A column split's column is read too, and that of its validation.
        work_dir: The folder for the file, and for what does not fit into memory.
        extra: Columns of numbers to keep as they are.
        on_error: ``raise`` on the first row that cannot be used, or ``skip`` and count such rows.
        progress: Told the percentage of ``read`` and ``sort``.

    Returns:
        The file of the rows, and what was left out.

    Raises:
        InvalidValueError: ``on_error`` is something else.
        DataError: A missing column, a row that cannot be used (the message names the file, the column and
            the 1-based row below the header), no row left, a damaged file, or too little disk space.
    """
    if on_error not in ("raise", "skip"):
        raise InvalidValueError(f"on_error: expected 'raise' or 'skip', got {on_error!r}")
    readings = _readings(source, columns, schema, split, extra)
    has_many = len(source.files) > 1
    breaks = line_breaks(source)
    passed = ([f"{quote_name(FILE_COLUMN)} AS file"] if has_many else []) + breaks
    spill_to(source.connection, work_dir)
    require_space(work_dir, 2 * _expected_bytes(source), "the rows that are read and sorted")

    raw = work_dir / "raw.parquet"
    connection = source.connection
    query = checked_select(source.scan(source.is_text), readings, passed)
    with _temporary(raw):
        with our_errors((*source.files, str(work_dir))):
            run(connection, f"COPY ({query}) TO {quote_text(str(raw))} (FORMAT parquet)", "read", progress)
        skipped = _malformed(source, raise_first=on_error == "raise") if source.is_text else {}
        table = parquet_sql([raw], "file_row_number = true")
        checks = [check for reading in readings for check in reading.checks]
        counts = connection.execute(
            f"SELECT bad, count(*) FROM {table} WHERE bad > 0 GROUP BY bad ORDER BY bad"
        ).fetchall()
        if counts and on_error == "raise":
            raise _first_bad_row(source, table, readings)
        for bad, count in counts:
            reason = f"column {checks[bad - 1].column!r}: not {checks[bad - 1].expected}"
            skipped[reason] = skipped.get(reason, 0) + count

        note = _note_line_breaks(source, table) if breaks else ""
        names = [reading.name for reading in readings]
        path = work_dir / "rows.parquet"
        order = " ORDER BY time, file_row_number" if TIME in names else ""
        kept = f"SELECT {', '.join(names)}, file_row_number AS row FROM {table} WHERE bad = 0{order}"
        with our_errors((str(work_dir),)):
            run(connection, f"COPY ({kept}) TO {quote_text(str(path))} (FORMAT parquet)", "sort", progress)
    [num_rows] = value_of(connection, f"SELECT count(*) FROM {parquet_sql([path])}")
    if not num_rows:
        raise DataError(f"{source.name}: expected rows, got none that can be used; skipped: {skipped}")
    return CheckedRows(connection, path, num_rows, (*names, "row"), skipped, note)


@contextmanager
def _temporary(path: Path) -> Iterator[None]:
    """Remove a file at the end, also after an error."""
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def _readings(
    source: Source, columns: Columns, schema: Schema, split: Split, extra: Sequence[str]
) -> list[Reading]:
    if columns.label is None:
        raise InvalidValueError(
            "columns: expected a label to learn from, got none; name one, such as 'clicked'"
        )
    readings = [*feature_readings(source, schema), label_reading(source, columns.label)]
    if columns.weight is not None:
        readings.append(weight_reading(source, columns.weight))
    if columns.time is not None:
        readings.append(time_reading(source, columns.time))
    if split.kind == "column":
        readings.append(part_reading(source, split))
    return [*readings, *(extra_reading(source, name, index) for index, name in enumerate(extra))]


def _expected_bytes(source: Source) -> int:
    packed = any(file.lower().endswith(tuple(COMPRESSED)) for file in source.files)
    return source.size_bytes * (_UNPACKED if packed else 1)


def _malformed(source: Source, raise_first: bool) -> dict[str, int]:
    """Count the lines that DuckDB put aside, by reason, or raise on the first."""
    connection = source.connection
    lines = (
        "SELECT s.file_path, e.line, any_value(e.error_type) AS error_type, "
        "any_value(e.csv_line) AS csv_line, max(e.error_message) AS message FROM reject_errors e "
        "JOIN reject_scans s USING (scan_id, file_id) "
        "GROUP BY s.scan_id, s.file_id, s.file_path, e.line"
    )
    first = (
        value_of(connection, f"{lines} ORDER BY s.scan_id, s.file_id, e.line LIMIT 1")
        if raise_first
        else None
    )
    counts = connection.execute(
        f"SELECT error_type, count(*) FROM ({lines}) GROUP BY ALL ORDER BY ALL"
    ).fetchall()
    drop_rejects(connection)
    if first is not None:
        file, line, error_type, csv_line, message = first
        raise DataError(
            f"{file}, line {line}: {_fault(error_type, message)}: {csv_line[:80]!r}; "
            "correct the line, or leave bad lines out: --on-error skip"
        )
    return {f"malformed line: {_fault(reason)}": count for reason, count in counts}


def _fault(error_type: str, message: str = "") -> str:
    fault = line_fault(message)
    return fault if "fields" in fault and message else LINE_FAULTS.get(error_type, error_type.lower())


def _first_bad_row(source: Source, table: str, readings: Sequence[Reading]) -> DataError:
    file, row, bad, value = _first(source, table, "bad > 0", "bad", "bad_value")
    return bad_row_error(readings, bad, value, file, row, can_skip=True)


def _note_line_breaks(source: Source, table: str) -> str:
    num_rows, num_breaks = value_of(
        source.connection, f"SELECT count(*), sum(breaks) FROM {table} WHERE breaks > 0"
    )
    if not num_rows:
        return ""
    file, row = _first(source, table, "breaks > 0")
    return line_breaks_note(num_rows, int(num_breaks), file, row)


def _first(source: Source, table: str, condition: str, *columns: str) -> tuple[Any, ...]:
    """Return the file of the first row that meets a condition, its number there from 1, and columns of it."""
    name = "file" if len(source.files) > 1 else quote_text(source.files[0])
    number, file, *values = value_of(
        source.connection,
        f"SELECT {', '.join(('file_row_number', name, *columns))} FROM {table} WHERE {condition} "
        "ORDER BY file_row_number LIMIT 1",
    )
    [start] = value_of(
        source.connection, f"SELECT min(file_row_number) FROM {table} WHERE {name} = {quote_text(file)}"
    )
    return (file, number - start + 1, *values)


def bad_row_error(
    readings: Sequence[Reading], bad: int, value: str | None, file: str, row: int, *, can_skip: bool = False
) -> DataError:
    """Make the error about a row that fails a check.

    Args:
        readings: The readings that were given to `checked_select`.
        bad: What it found: 1 + the number of the check.
        value: The raw value.
        file: The row's file.
        row: Its number in the file, from 1, below the header.
        can_skip: Whether the caller can leave bad rows out.
    """
    check = [check for reading in readings for check in reading.checks][bad - 1]
    got = "nothing (null)" if value is None else repr(value)
    advice = "Correct the row, or leave bad rows out: --on-error skip" if can_skip else "Correct the row"
    return DataError(
        f"{file}, row {row}, column {check.column!r}: expected {check.expected}; got {got}. {advice}"
    )
