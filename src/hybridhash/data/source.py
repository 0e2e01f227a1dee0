"""A source: files that can be read as one table, however they are stored."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from glob import glob, has_magic
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hybridhash.data.duck import connect, our_errors, quote_text, value_of
from hybridhash.data.schema import Columns, missing_column
from hybridhash.data.text_files import FILE_COLUMN, Dialect, Scan, head, read_header, sniff, text_scan
from hybridhash.errors import DataError

if TYPE_CHECKING:
    import duckdb

COMPRESSIONS: Final = (".gz", ".zst")
PARQUET: Final = (".parquet", ".pq")
TEXT: Final = (".csv", ".tsv", ".txt", ".dat")


@dataclass(frozen=True)
class Source:
    """Rows to be read: one table over one or more files, in the order of the files and their lines.

    Attributes:
        connection: The embedded database that reads; it holds no data.
        scan: Makes the SQL table expression; see `text_files.Scan`.
        types: DuckDB's type of each column; all VARCHAR in text files.
        files: The files, in the order they are read.
        is_text: Whether the fields come from text, where an empty field is null.
        defaults: The columns that a known format is used with; None for a generic file.
    """

    connection: "duckdb.DuckDBPyConnection"
    scan: Scan
    types: dict[str, str]
    files: tuple[str, ...]
    is_text: bool
    defaults: Columns | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns."""
        return tuple(self.types)

    @property
    def size_bytes(self) -> int:
        """Bytes of the files as they lie on disk."""
        return sum(os.path.getsize(file) for file in self.files)

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


def describe(
    connection: "duckdb.DuckDBPyConnection",
    scan: Scan,
    files: Sequence[str],
    is_text: bool,
    defaults: Columns | None = None,
) -> Source:
    """Make a source of a scan by asking DuckDB for its columns.

    Raises:
        DataError: The files cannot be read.
    """
    with our_errors(tuple(files)):
        rows = connection.execute(f"DESCRIBE SELECT * FROM {scan(False)}").fetchall()
    types = {row[0]: row[1] for row in rows if row[0] != FILE_COLUMN}
    return Source(connection, scan, types, tuple(files), is_text, defaults)


def resolve(paths: str | Path | Sequence[str | Path]) -> list[str]:
    """Find the files that paths and globs name.

    Args:
        paths: One or more paths or globs.

    Returns:
        Existing paths: in the order given, those of one glob sorted; a folder stays a folder.

    Raises:
        DataError: A path that does not exist, or a glob that matches nothing.
    """
    given = [paths] if isinstance(paths, str | Path) else list(paths)
    if not given:
        raise DataError("data: expected one or more paths, got none")
    found: list[str] = []
    for path in map(str, given):
        if os.path.exists(path):
            found.append(path)
        elif has_magic(path):
            matches = sorted(glob(path, recursive=True))
            if not matches:
                raise DataError(
                    f"{path}: expected the glob to match a file, it matches none; check the folder and name"
                )
            found.extend(matches)
        else:
            raise DataError(f"{path}: no such file; check the path")
    return found


def kind_of(file: str) -> str:
    """Return a file's extension in lower case, without that of its compression."""
    name = Path(file).name.lower()
    for ending in COMPRESSIONS:
        name = name.removesuffix(ending)
    return Path(name).suffix


def open_files(files: Sequence[str], dialect: Dialect | None = None) -> Source:
    """Open Parquet files, or text files with a header.

    Args:
        files: Existing paths of one kind.
        dialect: How text is cut; by default from the extension and the header.

    Returns:
        The source.

    Raises:
        DataError: A folder, an unknown or mixed extension, an empty file, no rows, headers or types that
            differ between the files.
    """
    for file in files:
        if os.path.isdir(file):
            raise DataError(
                f"{file}: expected a file, got a folder; name its files, as in '{file}/*.parquet'"
            )
        if kind_of(file) not in PARQUET + TEXT:
            raise DataError(
                f"{file}: expected one of {', '.join(PARQUET + TEXT)} (text also with .gz or .zst), "
                f"got {Path(file).suffix or 'no extension'!r}; rename or convert it, or name its --format"
            )
    parquet = [file for file in files if kind_of(file) in PARQUET]
    if parquet and len(parquet) < len(files):
        other = next(file for file in files if file not in parquet)
        raise DataError(
            f"data: expected files of one kind, got {parquet[0]} and {other}; convert one of them"
        )
    return _open_parquet(files) if parquet else _open_text(files, dialect)


def require_rows(files: Sequence[str], num_header_lines: int = 1) -> None:
    """Refuse text files without a row.

    Raises:
        DataError: A file without a byte, or no file with a line behind its header.
    """
    lines = [len(head(file, num_header_lines + 1)) for file in files]
    for file, count in zip(files, lines, strict=True):
        if not count:
            raise DataError(f"{file}: expected rows, got an empty file")
    if max(lines) <= num_header_lines:
        raise DataError(f"{files[0]}: expected rows below the header, got a header only")


def _open_text(files: Sequence[str], dialect: Dialect | None) -> Source:
    chosen = dialect or sniff(files[0], kind_of(files[0]))
    names = read_header(files[0], chosen)
    for file in files[1:]:
        other = read_header(file, chosen)
        if other != names:
            raise DataError(f"{file}: expected the header of {files[0]}, {names}, got {other}")
    require_rows(files)
    return describe(connect(), text_scan(files, names, chosen), files, is_text=True)


def _open_parquet(files: Sequence[str]) -> Source:
    connection = connect()
    paths = ", ".join(quote_text(file) for file in files)
    for file in files:
        if not os.path.getsize(file):
            raise DataError(f"{file}: expected a Parquet file, got an empty file")
    if len(files) > 1:
        _require_one_schema(connection, files)
    scan = f"read_parquet([{paths}], filename = {quote_text(FILE_COLUMN)})"
    source = describe(connection, lambda _: scan, files, is_text=False)
    with our_errors(source.files):
        [num_rows] = value_of(connection, f"SELECT count(*) FROM {scan}")
    if not num_rows:
        raise DataError(f"{source.name}: expected rows, got a table without any")
    return source


def _require_one_schema(connection: "duckdb.DuckDBPyConnection", files: Sequence[str]) -> None:
    expected: dict[str, str] = {}
    for index, file in enumerate(files):
        with our_errors((file,)):
            rows = connection.execute(f"DESCRIBE SELECT * FROM read_parquet({quote_text(file)})").fetchall()
        types = {row[0]: row[1] for row in rows}
        if not index:
            expected = types
        elif types != expected:
            names = sorted(
                name for name in expected.keys() | types.keys() if expected.get(name) != types.get(name)
            )
            name = names[0]
            raise DataError(
                f"{file}: expected column {name!r} as in {files[0]}, {expected.get(name, 'absent')}, got "
                f"{types.get(name, 'absent')}; write the files with one schema"
            )
