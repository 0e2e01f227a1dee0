"""The distinct values of a column with how often each occurs, grouped by the engine that holds the rows."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from hybridhash.data.column_names import missing_column
from hybridhash.data.column_sql import Reading, checked_select, feature_reading, id_dtype, line_breaks
from hybridhash.data.database import our_errors
from hybridhash.data.schema import Feature
from hybridhash.data.source import NULL, Relation, Source
from hybridhash.data.sql_quoting import quote_name
from hybridhash.data.values import conform
from hybridhash.errors import DataError, InvalidTypeError
from hybridhash.hashing import hash_keys
from hybridhash.vocabulary.checks import Int64s

_BYTES: Final = "BLOB"


@dataclass(frozen=True)
class KeyCounts:
    """The keys of one feature.

    Attributes:
        keys: int64[N]; a key may occur more than once.
        counts: int64[N], how often each occurred.
    """

    keys: Int64s
    counts: Int64s


@dataclass(frozen=True)
class SqlRows:
    """Rows that DuckDB groups: files, Arrow tables, and its own relations.

    Attributes:
        source: The rows as the commands read them.
        query: Runs SQL over ``source.scan(False)`` and returns an Arrow table.
        weight: The column that says how many rows a row stands for; None where each stands for itself.
    """

    source: Relation
    query: Callable[[str], Any]
    weight: str | None = None

    def size(self) -> tuple[int, int, int]:
        """Return the number of rows, of rows with line breaks in quoted fields, and of those line breaks."""
        breaks = line_breaks(self.source) or ["0 AS breaks"]
        table = self.query(
            "SELECT count(*), count(*) FILTER (breaks > 0), CAST(sum(breaks) AS BIGINT) "
            f"FROM (SELECT {breaks[0]} FROM {self.source.scan(False)})"
        )
        num_rows, num_broken, num_breaks = (column[0].as_py() for column in table.columns)
        return num_rows, num_broken, num_breaks or 0

    def count(self, name: str, *, is_list: bool, separator: str, seed: int, keyed: bool) -> KeyCounts:
        """Count one column.

        Args:
            name: The column.
            is_list: Whether each of its values is a list, whose elements are counted.
            separator: What stands between the elements of a list that is text.
            seed: The seed of the keys.
            keyed: Whether the column already holds int64 keys.

        Returns:
            Its keys. A null, also in place of a list, is a value; an empty list counts nothing.

        Raises:
            DataError: No such column, a list where one value is expected or the reverse, a value that cannot be
                used, or a null among keys.
            InvalidTypeError: Values that have no keys.
        """
        reading, dtype = self._reading(name, is_list, separator, keyed)
        weight = "1" if self.weight is None else quote_name(self.weight)
        rows = checked_select(self.source.scan(False), [reading], [f"{weight} AS num"])
        value = "unnest(coalesce(f0, [NULL]))" if is_list else "f0"
        grouped = self.query(
            "SELECT value, bad, min(bad_value) AS shown, CAST(sum(num) AS BIGINT) AS num FROM "
            f"(SELECT {value} AS value, bad, bad_value, num FROM ({rows})) GROUP BY value, bad"
        )
        bad = grouped.column("bad").to_numpy()
        if bad.any():
            at = int(np.flatnonzero(bad)[0])
            raise DataError(
                f"{self.source.name}, column {name!r}: expected {reading.checks[bad[at] - 1].expected}; "
                f"got {grouped.column('shown')[at].as_py()!r}"
            )
        values, counts = grouped.column("value"), grouped.column("num").to_numpy()
        if not keyed:
            return KeyCounts(hash_keys(conform(values, dtype, name) if dtype else values, name, seed), counts)
        if values.null_count:
            raise DataError(
                f"column {name!r}: expected int64 keys, got nulls; give them the key null_key({name!r})"
            )
        return KeyCounts(values.to_numpy(), counts)

    def _reading(self, name: str, is_list: bool, separator: str, keyed: bool) -> tuple[Reading, str | None]:
        """Return how to read a column, and whether its values are ``int`` or ``string``; None for keys and bytes."""
        sql_type = self.source.require(name)
        has_lists = sql_type.endswith("]")
        if has_lists != is_list and not (is_list and sql_type in ("VARCHAR", NULL)):
            raise _other_shape(name, is_list, sql_type)
        element = sql_type.rpartition("[")[0] if has_lists else sql_type
        if keyed and element != "BIGINT":
            raise InvalidTypeError(
                f"column {name!r}: expected int64 keys, got {element}; count values with keyed=False"
            )
        if keyed or element == _BYTES:
            raw = quote_name(name)
            return Reading("f0", f"CAST({raw} AS {element}[])" if has_lists else raw, raw), None
        dtype = id_dtype(element)
        if dtype is None:
            raise InvalidTypeError(
                f"column {name!r}: expected integers, booleans, strings or bytes, got {sql_type}; cast ids to integers "
                "or text; numbers have no keys before they are put into bins"
            )
        return feature_reading(
            self.source, Feature(name, "list" if is_list else "categorical", dtype), 0, separator
        ), dtype


@dataclass(frozen=True)
class LazyRows:
    """Rows that another engine groups, through narwhals; what it found is counted by DuckDB.

    Attributes:
        narwhals: The package.
        frame: A lazy frame of narwhals.
        connection: The embedded database.
    """

    narwhals: Any
    frame: Any
    connection: Any

    def size(self) -> tuple[int, int, int]:
        """Return the number of rows, and zeros: no field of a frame is in quotes."""
        return self._number(self.narwhals.len()), 0, 0

    def count(self, name: str, *, is_list: bool, separator: str, seed: int, keyed: bool) -> KeyCounts:
        """Count one column; arguments, result and errors are those of `SqlRows.count`."""
        import pyarrow as pa

        schema = self.frame.collect_schema()
        if name not in schema:
            raise missing_column(name, schema, "source")
        has_lists = isinstance(schema[name], self.narwhals.List | self.narwhals.Array)
        if has_lists and not is_list:
            raise _other_shape(name, is_list, str(schema[name]))
        column = self.narwhals.col(name)
        values = self.frame.select(name)
        if has_lists:
            values = values.with_columns(column.cast(self.narwhals.List(schema[name].inner)))
            num_nulls = self._number(column.is_null().sum())
            # Engines differ in what empty and null lists explode to; neither has a length above 0.
            values = values.filter(column.list.len() > 0).explode(name)
        weight = f"number of {name}"
        grouped = values.group_by(name).agg(self.narwhals.len().alias(weight)).collect().to_arrow()
        if has_lists and num_nulls:
            nulls = pa.table([pa.nulls(1, grouped.schema.field(name).type), [num_nulls]], [name, weight])
            grouped = pa.concat_tables([grouped, nulls], promote_options="permissive")
        rows = rows_of_arrow(self.connection, grouped, [name], weight)
        return rows.count(
            name, is_list=is_list and not has_lists, separator=separator, seed=seed, keyed=keyed
        )

    def _number(self, expression: Any) -> int:
        return int(self.frame.select(expression).collect().item())


def _other_shape(name: str, is_list: bool, kind: str) -> DataError:
    return DataError(
        f"column {name!r}: expected {'a list' if is_list else 'one value a row'}, got {kind}; "
        f"name it under {'features' if is_list else 'lists'}"
    )


def rows_of_source(source: Source) -> SqlRows:
    """Return the rows of opened files."""

    def query(sql: str) -> Any:
        with our_errors(source.files):
            return source.connection.cursor().sql(sql).to_arrow_table()

    return SqlRows(source, query)


def rows_of_relation(relation: Any, weight: str | None = None) -> SqlRows:
    """Return the rows of a DuckDB relation.

    Args:
        relation: The relation.
        weight: The column that says how many rows a row stands for; None where each stands for itself.
    """
    import duckdb

    types = {name: str(kind) for name, kind in zip(relation.columns, relation.types, strict=True)}

    def query(sql: str) -> Any:
        try:
            return relation.query(_TABLE, sql).to_arrow_table()
        except duckdb.Error as error:
            reason = str(error).partition("\n")[0]
            raise DataError(f"source: expected a relation that can be run, got: {reason}") from error

    return SqlRows(Relation(lambda _: _TABLE, types, ("source",)), query, weight)


_TABLE: Final = "hybridhash_rows"


def rows_of_arrow(connection: Any, table: Any, names: Sequence[str], weight: str | None = None) -> SqlRows:
    """Return the rows of a pyarrow Table.

    Args:
        connection: The embedded database that groups.
        table: The table.
        names: The columns that are counted.
        weight: The column that says how many rows a row stands for; None where each stands for itself.

    Raises:
        DataError: A column is missing.
        InvalidTypeError: Columns of a type that DuckDB does not know.
    """
    import duckdb

    for name in names:
        if name not in table.column_names:
            raise missing_column(name, table.column_names, "source")
    try:
        relation = connection.from_arrow(table.select([*names] if weight is None else [*names, weight]))
    except duckdb.Error as error:
        types = ", ".join(f"{name} of {table.schema.field(name).type}" for name in names)
        raise InvalidTypeError(
            f"source: expected columns of integers, booleans, strings or bytes, got {types}; "
            "cast ids to integers or text"
        ) from error
    return rows_of_relation(relation, weight)
