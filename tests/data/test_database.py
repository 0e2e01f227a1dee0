import shutil
from pathlib import Path

import duckdb
import pytest

from hybridhash.data.database import connect, our_errors, require_space, run
from hybridhash.errors import DataError


def test_the_disk_must_hold_what_is_written(tmp_path: Path) -> None:
    free_bytes = shutil.disk_usage(tmp_path).free
    require_space(tmp_path, free_bytes // 2, "rows")
    with pytest.raises(DataError, match="free for rows"):
        require_space(tmp_path, free_bytes * 2, "rows")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("IO Error: Unexpected end of GZIP stream: a.csv", "a.csv: expected a whole compressed file"),
        ("IO Error: Could not write: No space left on device", "the disk is full"),
        ("IO Error: Cannot open file: Permission denied", "got: Permission denied"),
        (
            "Something else\nPossible Solution: none",
            "a.csv: expected a whole file, got one that is damaged.*again$",
        ),
    ],
)
def test_errors_are_told_in_our_words(text: str, message: str) -> None:
    with pytest.raises(DataError, match=message), our_errors(("a.csv",)):
        raise duckdb.IOException(text)


def test_times_are_utc_and_rows_keep_their_order() -> None:
    connection = connect()
    [setting] = connection.execute("SELECT current_setting('TimeZone')").fetchall()
    assert setting == ("UTC",)
    [setting] = connection.execute("SELECT current_setting('preserve_insertion_order')").fetchall()
    assert setting == (True,)


class _Interrupted:
    def execute(self, sql: str) -> None:
        raise RuntimeError("Query interrupted")


def test_an_interrupt_inside_a_statement_is_an_interrupt() -> None:
    with pytest.raises(KeyboardInterrupt):
        run(_Interrupted(), "SELECT 1", "read", None)
