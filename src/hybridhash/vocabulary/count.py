"""Counting rows: one group-by per feature on the engine that holds them, and hashing of what is distinct."""

import os
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import numpy as np

from hybridhash.data.column_names import missing_column
from hybridhash.data.formats import open_source
from hybridhash.data.source import Source
from hybridhash.errors import InvalidTypeError, InvalidValueError, MissingDependencyError
from hybridhash.hashing.columns import is_arrow
from hybridhash.vocabulary.counts import Counts
from hybridhash.vocabulary.distinct import LazyRows, SqlRows, rows_of_arrow, rows_of_relation, rows_of_source


def count(
    source: Any,
    features: Sequence[str],
    lists: Sequence[str] = (),
    seed: int = 0,
    keyed: bool = False,
    *,
    list_separator: str = "|",
) -> Counts:
    """Count how often each value of each feature occurs, exactly.

    The engine that holds the rows groups and counts, one feature at a time; only the distinct values come
    here, where they become keys. So memory is bounded by the distinct values of one feature (DuckDB's
    group-by spills to disk), and every engine gives the same counts: those of the keys that a model is trained with.

    Values are read as the commands read them. In text files every id is a string (``007`` and ``7`` differ) and an
    empty field is null; in Parquet and in frames integers and booleans are integers. A null is a value of its own, also
    in place of a list; an empty list has no element, and a null element is a null.

    Args:
        source: The path or glob of Parquet, CSV or TSV files (``.gz`` and ``.zst`` too), several of them, or what
            `hybridhash.data.open_source` returned, which DuckDB reads out of core; a DuckDB relation, a pyarrow Table,
            or any frame that narwhals supports, such as those of pandas and Polars, lazy ones too.
        features: Columns with one value a row: integers, booleans, strings or bytes.
        lists: Columns of lists of such values, or of text with a separator.
        seed: The seed of the keys, as in `hybridhash.hashing.hash_keys`.
        keyed: Whether the columns already hold int64 keys made with that seed.
        list_separator: The text between the elements of a list that is text.

    Returns:
        The counts, with the features in the order of ``features`` and then ``lists``.

    Raises:
        DataError: A column is missing, or is a list where a single value is expected or the reverse; a
            keyed column has nulls; a file cannot be read, or its schema differs from that of the others.
        InvalidTypeError: The source is no frame, or a column holds values that have no keys, such as floats.
        InvalidValueError: No feature is named, or one is named twice.
        MissingDependencyError: DuckDB, pyarrow or, for frames of other engines, narwhals is not installed.

    Example:
        >>> import pyarrow as pa
        >>> count(pa.table({"ad": ["x", "y", None, "y"]}), features=["ad"]).counts.tolist()
        [2, 1, 1]
    """
    names = (*features, *lists)
    if not names or len(set(names)) < len(names):
        raise InvalidValueError(f"features and lists: expected one or more distinct columns, got {names}")
    with _opened(source, names) as rows:
        num_rows, num_broken, num_breaks = rows.size()
        parts = [
            rows.count(name, is_list=name in lists, separator=list_separator, seed=seed, keyed=keyed)
            for name in names
        ]
    if num_broken:
        warnings.warn(
            f"source: {num_broken:,} rows hold {num_breaks:,} line breaks between quotes; where quotes are ordinary "
            "characters, count hybridhash.data.open_source(path, quote='none')",
            stacklevel=2,
        )
    return Counts(
        np.concatenate([part.keys for part in parts]),
        np.concatenate([part.counts for part in parts]),
        np.repeat(np.arange(len(names), dtype=np.int32), [part.keys.size for part in parts]),
        names,
        num_rows,
        seed,
    )


def _require(package: str) -> Any:
    try:
        return import_module(package)
    except ImportError as error:
        raise MissingDependencyError(
            f"counting rows needs {package}, which is not installed; pip install 'hybridhash[train]'"
        ) from error


@contextmanager
def _opened(source: Any, names: Sequence[str]) -> Iterator[SqlRows | LazyRows]:
    """Give the rows to an engine that can group them."""
    if isinstance(source, Source):
        yield rows_of_source(source)
        return
    paths = source if isinstance(source, list | tuple) else [source]
    if paths and all(isinstance(path, str | os.PathLike) for path in paths):
        yield rows_of_source(open_source([os.fspath(path) for path in paths]))
        return
    duckdb, narwhals = _require("duckdb"), _require("narwhals")
    if isinstance(source, duckdb.DuckDBPyRelation):
        yield rows_of_relation(source)
        return
    with duckdb.connect() as connection:
        frame = source if is_arrow(source) else _frame(narwhals, source)
        if isinstance(frame, narwhals.LazyFrame):
            yield LazyRows(narwhals, frame, connection)
        else:
            yield rows_of_arrow(connection, _as_arrow(frame, names), names)


def _frame(narwhals: Any, source: Any) -> Any:
    try:
        return narwhals.from_native(source)
    except TypeError as error:
        raise InvalidTypeError(
            f"source: expected a path or a frame that narwhals supports, got {type(source).__name__}; "
            "convert it to a pyarrow Table"
        ) from error


def _as_arrow(frame: Any, names: Sequence[str]) -> Any:
    """Make a pyarrow Table of the columns that are counted."""
    import pyarrow as pa

    if isinstance(frame, pa.RecordBatch):
        return pa.Table.from_batches([frame])
    if isinstance(frame, pa.Table):
        return frame
    if is_arrow(frame):
        raise InvalidTypeError(
            f"source: expected a pyarrow Table, got {type(frame).__name__}; convert it to a Table"
        )
    columns: dict[str, Any] = {}
    for name in names:
        if name not in frame.columns:
            raise missing_column(name, frame.columns, "source")
        try:
            columns[name] = frame.select(name).to_arrow().column(name)
        except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
            raise InvalidTypeError(
                f"column {name!r}: expected values of one type, got: {str(error).splitlines()[0]}; "
                "cast ids to integers or text"
            ) from error
    return pa.table(columns)
