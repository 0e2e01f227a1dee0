"""Names, texts and paths in quotes for SQL, and scans of Parquet files."""

import re
from collections.abc import Sequence
from pathlib import Path


def quote_name(name: str) -> str:
    """Quote an identifier for SQL, whatever it holds."""
    return '"' + name.replace('"', '""') + '"'


def quote_text(text: str) -> str:
    """Quote a string literal for SQL, whatever it holds."""
    return "'" + text.replace("'", "''") + "'"


def quote_path(path: str | Path) -> str:
    """Quote the path of one file for a DuckDB reader, which takes paths as globs and addresses.

    Glob characters stand in brackets, and ``./`` stands before what would be a home folder or an address.
    """
    name = str(path)
    if re.match(r"~|[^/]*:", name):
        name = f"./{name}"
    return quote_text("".join(f"[{letter}]" if letter in "*?[" else letter for letter in name))


def parquet_sql(paths: Sequence[str | Path], *options: str) -> str:
    """Return the SQL of a scan of Parquet files that takes nothing from the names of their folders.

    Args:
        paths: The files, of one schema.
        options: More options, such as ``file_row_number = true``.
    """
    files = ", ".join(map(quote_path, paths))
    return f"read_parquet([{files}], {', '.join(('hive_partitioning = false', *options))})"
