"""Counting rows: one group-by per feature on the engine that holds them, and hashing of what is distinct."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import numpy as np

from hybridhash.errors import DataError, InvalidTypeError, InvalidValueError, MissingDependencyError
from hybridhash.hashing import hash_keys
from hybridhash.vocabulary.checks import Int64s
from hybridhash.vocabulary.counts import Counts

_PARQUET: Final = (".parquet", ".pq")
_TEXT: Final = (".csv", ".tsv", ".csv.gz", ".tsv.gz")


def count(
    source: Any,
    features: Sequence[str],
    lists: Sequence[str] = (),
    seed: int = 0,
    keyed: bool = False,
) -> Counts:
    """Count how often each value of each feature occurs, exactly.

    The engine that holds the rows groups and counts, one feature at a time; only the distinct values come
    here, where they become keys. So memory is bounded by the distinct values of one feature (DuckDB's
    group-by spills to disk), and every engine gives the same counts. A null is a value of its own. A list
    counts each of its elements; an empty list and a null list have none, a null element is the null value.

    Args:
        source: A DuckDB relation, a Polars DataFrame or LazyFrame, a pyarrow Table, or any other frame that
            narwhals supports; or the path or glob of Parquet, CSV or TSV files (``.gz`` too), which DuckDB
            reads out of core. In text files DuckDB decides which columns are integers.
        features: Columns with one value a row: integers, booleans, strings or bytes.
        lists: Columns of lists of such values.
        seed: The seed of the keys, as in `hybridhash.hashing.hash_keys`.
        keyed: The columns already hold int64 keys made with that seed.

    Returns:
        The counts, with the features in the order of ``features`` and then ``lists``.

    Raises:
        DataError: A column is missing, or is a list where a single value is expected or the reverse; a
            keyed column has nulls; a file cannot be read.
        InvalidTypeError: The source is no frame, or a column holds values that have no keys, such as floats.
        InvalidValueError: No feature is named, or one is named twice; the file's ending is unknown.
        MissingDependencyError: narwhals or DuckDB is not installed.

    Example:
        >>> import pyarrow as pa
        >>> count(pa.table({"ad": ["x", "y", None, "y"]}), features=["ad"]).counts.tolist()
        [2, 1, 1]
    """
    names = (*features, *lists)
    if not names or len(set(names)) < len(names):
        raise InvalidValueError(f"features and lists: expected one or more distinct columns, got {names}")
    narwhals = _require("narwhals")
    with _opened(source) as native:
        try:
            frame = narwhals.from_native(native)
        except TypeError as error:
            raise InvalidTypeError(
                f"source: expected a path or a frame that narwhals supports, got {type(source).__name__}; "
                "convert it to a pyarrow Table"
            ) from error
        _check_columns(narwhals, frame, features, lists, keyed)
        num_rows = int(_collect(narwhals, frame.select(narwhals.len())).item())
        parts = [
            _count_column(narwhals, frame, name, index >= len(features), seed, keyed)
            for index, name in enumerate(names)
        ]
    return Counts(
        np.concatenate([keys for keys, _ in parts]),
        np.concatenate([counts for _, counts in parts]),
        np.repeat(np.arange(len(names), dtype=np.int32), [keys.size for keys, _ in parts]),
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
def _opened(source: Any) -> Iterator[Any]:
    """Give what narwhals can count: files and Arrow tables become relations of an embedded DuckDB."""
    is_path = isinstance(source, str | os.PathLike)
    if not is_path and type(source).__module__.partition(".")[0] != "pyarrow":
        yield source
        return
    duckdb = _require("duckdb")
    with duckdb.connect() as connection:
        if not is_path:
            yield _relation_of_arrow(connection, source)
            return
        try:
            yield _relation_of_file(connection, os.fspath(source))
        except duckdb.Error as error:
            # What follows are DuckDB's own settings, which a caller of ours does not have.
            reason = str(error).partition("\nPossible fixes")[0].replace("\n", "; ")
            raise DataError(
                f"{source}: DuckDB cannot read it: {reason}; mend or remove what it names"
            ) from error


def _relation_of_arrow(connection: Any, table: Any) -> Any:
    # A reader could be read only once, and each feature is a pass of its own.
    if type(table).__name__ != "Table":
        raise InvalidTypeError(
            f"source: expected a pyarrow Table, got {type(table).__name__}; convert it to a Table"
        )
    return connection.from_arrow(table)


def _relation_of_file(connection: Any, path: str) -> Any:
    name = Path(path).name.lower()
    if name.endswith(_PARQUET):
        return connection.read_parquet(path)
    if name.endswith(_TEXT):
        return connection.read_csv(path)
    raise InvalidValueError(
        f"{path}: expected a file name that ends in {', '.join(_PARQUET + _TEXT)}; open other files with "
        "DuckDB, Polars or Arrow and pass the frame"
    )


def _check_columns(
    narwhals: Any, frame: Any, features: Sequence[str], lists: Sequence[str], keyed: bool
) -> None:
    schema = frame.collect_schema()
    for name in (*features, *lists):
        if name not in schema:
            raise DataError(f"column {name!r}: not in the source, which has {', '.join(schema)}")
        dtype = schema[name]
        is_list = isinstance(dtype, narwhals.List)
        if is_list != (name in lists):
            raise DataError(
                f"column {name!r}: expected {'a list' if name in lists else 'one value a row'}, got {dtype}; "
                f"name it under {'lists' if is_list else 'features'}"
            )
        value_type = dtype.inner if is_list else dtype
        if keyed and value_type != narwhals.Int64:
            raise InvalidTypeError(
                f"column {name!r}: expected int64 keys, got {value_type}; count values with keyed=False"
            )


def _count_column(
    narwhals: Any, frame: Any, name: str, is_list: bool, seed: int, keyed: bool
) -> tuple[Int64s, Int64s]:
    values = frame.select(narwhals.col(name).alias("value"))
    value = narwhals.col("value")
    if is_list:
        # Engines differ in what empty and null lists explode to; neither has a length above 0.
        values = values.filter(value.list.len() > 0).explode("value")
    grouped = _collect(narwhals, values.group_by("value").agg(narwhals.len().alias("num")))
    distinct = grouped.get_column("value")
    counts = grouped.get_column("num").to_numpy().astype(np.int64)
    if not keyed:
        return hash_keys(distinct.to_native(), feature=name, seed=seed), counts
    if distinct.null_count():
        raise DataError(
            f"column {name!r}: expected int64 keys, got nulls; give them the key null_key({name!r})"
        )
    return distinct.to_numpy().astype(np.int64), counts


def _collect(narwhals: Any, frame: Any) -> Any:
    return frame.collect() if isinstance(frame, narwhals.LazyFrame) else frame
