"""The one place where DuckDB is loaded and set up, and where its errors become ours."""

import errno
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING, Any, Final

from hybridhash.data.progress import OnStage
from hybridhash.data.sql_quoting import quote_text
from hybridhash.errors import DataError, MissingDependencyError

if TYPE_CHECKING:
    import duckdb

_TICK_S: Final = 0.25
_SETTINGS: Final = (
    "preserve_insertion_order = true",
    "TimeZone = 'UTC'",
    "enable_progress_bar = true",
    "enable_progress_bar_print = false",
    "autoinstall_known_extensions = false",  # nothing is fetched from the network
    "autoload_known_extensions = false",
    "python_enable_replacements = false",  # no name in SQL is a variable of ours
)
LINE_FAULTS: Final = {
    "MISSING COLUMNS": "too few fields",
    "TOO MANY COLUMNS": "too many fields",
    "UNQUOTED VALUE": "a quote that is not closed, or stands inside a quoted field",
    "INVALID ENCODING": "bytes that are not UTF-8",
    "INVALID UNICODE": "bytes that are not UTF-8",
    "LINE SIZE OVER MAXIMUM": "a line of more than 2 MB",
}


def connect() -> "duckdb.DuckDBPyConnection":
    """Open an embedded database of our own that keeps the order of rows and reads times as UTC.

    Raises:
        MissingDependencyError: duckdb or pyarrow is not installed.
    """
    try:
        import duckdb
        import pyarrow  # noqa: F401
    except ImportError as error:
        raise MissingDependencyError(
            "reading data needs duckdb and pyarrow; install them with: pip install 'hybridhash[cli]'"
        ) from error
    connection = duckdb.connect()
    for setting in _SETTINGS:
        connection.execute(f"SET {setting}")
    return connection


def spill_to(connection: "duckdb.DuckDBPyConnection", folder: Path) -> None:
    """Let what does not fit memory go to files in a folder."""
    connection.execute(f"SET temp_directory = {quote_text(str(folder))}")


@contextmanager
def our_errors(files: tuple[str, ...]) -> Iterator[None]:
    """Turn DuckDB's errors about files into a `DataError` that names the file.

    Args:
        files: What is being read; the first is named when DuckDB names none.
    """
    import duckdb

    try:
        yield
    except duckdb.Error as error:
        text = str(error)
        named = next(
            (file for file in files if file in text), files[0] if len(files) == 1 else ", ".join(files[:3])
        )
        raise DataError(f"{named}: {_explain(text)}") from error
    except UnicodeEncodeError as error:
        raise DataError(f"{files[0]!r}: expected names in UTF-8, got other bytes") from error


def run(connection: "duckdb.DuckDBPyConnection", sql: str, stage: str, progress: OnStage | None) -> None:
    """Run one long statement, saying now and then which percentage is done.

    Args:
        connection: The database.
        sql: The statement.
        stage: The name under which progress is reported.
        progress: Called as ``progress(stage, percent, 100)`` from a helper thread, or None.
    """
    if progress is None:
        _execute(connection, sql)
        return
    finished = Event()

    def tick() -> None:
        while not finished.wait(_TICK_S):
            percent = int(connection.query_progress())
            if percent >= 0:
                progress(stage, min(percent, 99), 100)

    helper = Thread(target=tick, daemon=True)
    helper.start()
    try:
        _execute(connection, sql)
    finally:
        finished.set()
        helper.join()
    progress(stage, 100, 100)


def _execute(connection: "duckdb.DuckDBPyConnection", sql: str) -> None:
    """Run a statement; DuckDB reports Ctrl-C as a RuntimeError of its own."""
    try:
        connection.execute(sql)
    except RuntimeError as error:
        if "interrupted" in str(error).lower():
            raise KeyboardInterrupt from error
        raise


def require_space(folder: Path, needed_bytes: int, purpose: str) -> None:
    """Refuse to start what the disk cannot hold.

    Raises:
        DataError: Less than ``needed_bytes`` are free.
    """
    free_bytes = shutil.disk_usage(folder).free
    if free_bytes < needed_bytes:
        raise DataError(
            f"{folder}: expected about {needed_bytes / 1e9:.1f} GB free for {purpose}, "
            f"got {free_bytes / 1e9:.1f} GB; free some space or choose another work directory"
        )


def drop_rejects(connection: "duckdb.DuckDBPyConnection") -> None:
    """Forget the malformed lines that earlier scans put aside."""
    connection.execute("DROP TABLE IF EXISTS reject_errors")
    connection.execute("DROP TABLE IF EXISTS reject_scans")


def value_of(connection: "duckdb.DuckDBPyConnection", sql: str) -> Any:
    """Return the first row of a query as a tuple, or None when there is no row."""
    rows = connection.execute(sql).fetchall()
    return rows[0] if rows else None


def line_fault(text: str) -> str:
    """Say in our words what DuckDB's message about a line of text is about."""
    fields = re.search(r"Expected Number of Columns: (\d+) Found: (\d+)", text)
    if fields and int(fields[2]) < int(fields[1]):
        return f"too few fields, expected {fields[1]}, got {fields[2]}"
    if fields:  # DuckDB stops counting at the first that is too many
        return f"too many fields, expected {fields[1]}"
    for phrase, kind in (
        ("Value with unterminated quote found", "UNQUOTED VALUE"),
        ("Invalid unicode", "INVALID UNICODE"),
        ("not utf-8 encoded", "INVALID UNICODE"),
        ("Maximum line size", "LINE SIZE OVER MAXIMUM"),
    ):
        if phrase in text:
            return LINE_FAULTS[kind]
    return "a line that cannot be cut into fields"


def _explain(text: str) -> str:
    """Say in our words what DuckDB's message is about; the message itself is the cause of the error."""
    line = re.search(r"CSV Error on Line: (\d+)", text)
    if line:
        fault = line_fault(text)
        if fault == LINE_FAULTS["INVALID UNICODE"]:
            return f"expected UTF-8 text, got other bytes on line {line[1]}; convert the file to UTF-8 first"
        return f"line {line[1]}: {fault}; correct the line"
    if "CSV Parser state machine" in text:
        return (
            "expected lines that all end alike, got different line ends in one file, or a carriage return in a field "
            "without quotes; convert the file, as dos2unix does"
        )
    first = text.partition("\n")[0]
    system = next((words for words in map(os.strerror, _SYSTEM_ERRORS) if words in first), None)
    if system == os.strerror(errno.ENOSPC):
        return "the disk is full; free some space or choose another work directory"
    if system is not None:
        return f"expected a file that can be read, or a folder that can be written, got: {system}"
    if first.startswith("Out of Memory"):
        return "the memory is full; close other programs, or read fewer columns"
    if "GZIP" in first or "ZSTD" in first:
        return "expected a whole compressed file, got one that is cut short or damaged"
    if "utf-8" in first.lower() or "unicode" in first or "string encoding" in first:
        return "expected UTF-8 text, got other bytes; convert the file to UTF-8 first"
    return "expected a whole file, got one that is damaged or of an unknown make; write it again"


_SYSTEM_ERRORS: Final = (
    errno.ENOSPC,
    errno.EACCES,
    errno.ENOENT,
    errno.EIO,
    errno.EROFS,
    errno.EMFILE,
    errno.EDQUOT,
)
