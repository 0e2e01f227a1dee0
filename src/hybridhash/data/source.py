"""A source: files that can be read as one table, however they are stored."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Final

from hybridhash.data.column_names import missing_column
from hybridhash.data.columns import Columns
from hybridhash.data.database import connect, our_errors, value_of
from hybridhash.data.paths import kind_of, require_file, require_parquet
from hybridhash.data.sniff import sniff
from hybridhash.data.sql_comparison import HALF
from hybridhash.data.sql_quoting import parquet_sql, quote_path, quote_text
from hybridhash.data.text_files import (
    FILE_COLUMN,
    Dialect,
    Scan,
    header_names,
    read_head,
    require_rows,
    text_scan,
)
from hybridhash.errors import DataError

if TYPE_CHECKING:
    import duckdb

NULL: Final = '"NULL"'  # DuckDB's type of a column that is null throughout


@dataclass(frozen=True)
class Relation:
    """A table as SQL reads it: an expression, and what must be known of its columns.

    Attributes:
        scan: Makes the SQL table expression; see `text_files.Scan`.
        types: DuckDB's type of each column, `HALF` for 16-bit floats; all VARCHAR in text files.
        files: The files, in the order they are read; for a table in memory what errors call it.
        dialect: How the lines of text files are cut; None for other files. In text an empty field is null.
    """

    scan: Scan
    types: dict[str, str]
    files: tuple[str, ...]
    dialect: Dialect | None = None

    @property
    def is_text(self) -> bool:
        """Whether the fields come from text."""
        return self.dialect is not None

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns."""
        return tuple(self.types)

    @property
    def name(self) -> str:
        """The file, or the first of several, as errors name it."""
        return self.files[0] if len(self.files) == 1 else f"{self.files[0]} (and {len(self.files) - 1} more)"

    def require(self, column: str) -> str:
        """Return DuckDB's type of a column.

        Raises:
            DataError: There is no such column; near names are suggested.
        """
        if column not in self.types:
            raise missing_column(column, self.types, self.name)
        return self.types[column]


@dataclass(frozen=True, kw_only=True)
class Source(Relation):
    """Rows to be read: one table over one or more files, in the order of the files and their lines.

    Attributes:
        connection: The embedded database that reads; it holds no data.
        defaults: The columns that a known format is used with; None for a generic file.
    """

    connection: "duckdb.DuckDBPyConnection"
    defaults: Columns | None = None

    @property
    def size_bytes(self) -> int:
        """Bytes of the files as they lie on disk."""
        return sum(os.path.getsize(file) for file in self.files)


def describe(
    connection: "duckdb.DuckDBPyConnection",
    scan: Scan,
    files: Sequence[str],
    dialect: Dialect | None = None,
    defaults: Columns | None = None,
) -> Source:
    """Make a source of a scan by asking DuckDB for its columns.

    Raises:
        DataError: The files cannot be read.
    """
    with our_errors(tuple(files)):
        types = _types(connection, scan(False))
    return Source(scan, types, tuple(files), dialect, connection=connection, defaults=defaults)


def open_files(
    files: Sequence[str], dialect: Dialect | None = None, *, quote: str | None = None, any_name: bool = False
) -> Source:
    """Open Parquet files, or text files with a header.

    Args:
        files: Existing paths of one kind.
        dialect: How text is cut; by default from the extension and the first lines.
        quote: The quote character of text, empty for none; None finds it. Parquet has none.
        any_name: Whether files without a known extension are told by their content.

    Returns:
        The source.

    Raises:
        DataError: What is no regular file, an unknown or mixed extension, an empty file, no rows, headers or
            types that differ between the files.
    """
    for file in files:
        require_file(file)
    kinds = {file: kind_of(file, any_name=any_name) for file in files}
    other = next((file for file in files if kinds[file] != kinds[files[0]]), None)
    if other is not None:
        raise DataError(f"data: expected files of one kind, got {files[0]} and {other}; convert one of them")
    return _open_parquet(files) if kinds[files[0]] == "parquet" else _open_text(files, dialect, quote)


def _open_text(files: Sequence[str], dialect: Dialect | None, quote: str | None) -> Source:
    heads = [read_head(file) for file in files]
    chosen = dialect or sniff(heads[0], quote)
    names = header_names(heads[0], chosen)
    for head in heads[1:]:
        other = header_names(head, chosen)
        if other != names:
            raise DataError(f"{head.file}: expected the header of {files[0]}, {names}, got {other}")
    require_rows(heads, chosen)
    return describe(connect(), text_scan(heads, names, chosen), files, chosen)


def _open_parquet(files: Sequence[str]) -> Source:
    connection = connect()
    schemas: list[dict[str, str]] = []
    for file in files:
        require_parquet(file)
        with our_errors((file,)):
            schemas.append(_parquet_types(connection, file))
    types = _one_schema(files, schemas)
    groups = groupby(range(len(files)), key=schemas.__getitem__)
    option = f"filename = {quote_text(FILE_COLUMN)}"
    scans = [f"SELECT * FROM {parquet_sql([files[i] for i in group], option)}" for _, group in groups]
    scan = f"({' UNION ALL BY NAME '.join(scans)})"
    source = Source(lambda _: scan, types, tuple(files), connection=connection)
    with our_errors(source.files):
        [num_rows] = value_of(connection, f"SELECT count(*) FROM {scan}")
    if not num_rows:
        raise DataError(f"{source.name}: expected rows, got a table without any")
    return source


def _parquet_types(connection: "duckdb.DuckDBPyConnection", file: str) -> dict[str, str]:
    types = _types(connection, parquet_sql([file]))
    if "FLOAT" in types.values():
        leaves = f"parquet_schema({quote_path(file)})"
        halves = connection.execute(
            f"SELECT name FROM {leaves} WHERE logical_type = 'Float16Type()'"
        ).fetchall()
        types |= {name: HALF for [name] in halves if types.get(name) == "FLOAT"}
    return types


def _types(connection: "duckdb.DuckDBPyConnection", table: str) -> dict[str, str]:
    rows = connection.execute(f"DESCRIBE SELECT * FROM {table}").fetchall()
    return {row[0]: row[1] for row in rows if row[0] != FILE_COLUMN}


def _one_schema(files: Sequence[str], schemas: Sequence[dict[str, str]]) -> dict[str, str]:
    """Return the types that all files have; a column that is null throughout a file goes with every type."""
    types = dict(schemas[0])
    for file, schema in zip(files, schemas, strict=True):
        for name in sorted(types.keys() | schema.keys()):
            expected, got = types.get(name, "absent"), schema.get(name, "absent")
            joined = _joined(expected, got)
            if joined is None:
                raise DataError(
                    f"{file}: expected column {name!r} as in {files[0]}, {expected}, got {got}; "
                    "write the files with one schema"
                )
            types[name] = joined
    return types


def _joined(first: str, second: str) -> str | None:
    if first == second or (second == NULL and first != "absent"):
        return first
    if first == NULL and second != "absent":
        return second
    if first.endswith("[]") and second.endswith("[]"):
        element = _joined(first.removesuffix("[]"), second.removesuffix("[]"))
        return None if element is None else f"{element}[]"
    return None
