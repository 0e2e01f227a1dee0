"""The one place where DuckDB is loaded, set up and its errors turned into ours."""

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING, Any, Final

from hybridhash.data.progress import Progress
from hybridhash.errors import DataError, MissingDependencyError

if TYPE_CHECKING:
    import duckdb

_TICK_S: Final = 0.25


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
            "reading data needs duckdb and pyarrow; install them with: pip install 'hybridhash[train]'"
        ) from error
    connection = duckdb.connect()
    for setting in ("preserve_insertion_order = true", "TimeZone = 'UTC'", "enable_progress_bar = true"):
        connection.execute(f"SET {setting}")
    connection.execute("SET enable_progress_bar_print = false")
    return connection


def spill_to(connection: "duckdb.DuckDBPyConnection", folder: Path) -> None:
    """Let what does not fit memory go to files in a folder."""
    connection.execute(f"SET temp_directory = {quote_text(str(folder))}")


def quote_name(name: str) -> str:
    """Quote an identifier for SQL, whatever it holds."""
    return '"' + name.replace('"', '""') + '"'


def quote_text(text: str) -> str:
    """Quote a string literal for SQL, whatever it holds."""
    return "'" + text.replace("'", "''") + "'"


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


def run(connection: "duckdb.DuckDBPyConnection", sql: str, stage: str, progress: Progress | None) -> None:
    """Run one long statement, saying now and then which percentage is done.

    Args:
        connection: Where.
        sql: The statement.
        stage: What the progress is called.
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
    return connection.execute(sql).fetchone()


def _explain(text: str) -> str:
    """Say in our words what DuckDB's message is about."""
    if "GZIP" in text or "ZSTD" in text:
        return f"expected a whole compressed file, got one that is cut short or damaged ({_first_line(text)})"
    line = re.search(r"CSV Error on Line: (\d+)", text)
    if "unicode" in text or "utf-8" in text or "UTF-8" in text:
        place = f" on line {line[1]}" if line else ""
        return f"expected UTF-8 text, got other bytes{place}; convert the file to UTF-8 first"
    if line:
        detail = re.search(r"Expected Number of Columns: (\d+) Found: (\d+)", text)
        found = f"expected {detail[1]} fields, got {detail[2]}" if detail else text.splitlines()[2][:200]
        return f"line {line[1]}: {found}; correct the line or skip such lines"
    if "space" in text.lower() and ("disk" in text.lower() or "device" in text.lower()):
        return f"the disk is full ({_first_line(text)}); free some space or choose another work directory"
    return _first_line(text)


def _first_line(text: str) -> str:
    return text.split("\n", 1)[0]
