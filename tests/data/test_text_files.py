"""Heads and rows of text files, against Python's csv module, which writes them."""

import csv
import gzip
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hybridhash.data import open_source
from hybridhash.data.database import our_errors
from hybridhash.data.sql_quoting import quote_name
from hybridhash.data.text_files import Dialect, header_names, read_head
from hybridhash.errors import DataError

Write = Callable[..., Path]
CELLS = st.lists(st.sampled_from([*"ab \"',;\t#é\n\r7", "\r\n"]), max_size=4).map("".join)


def rows_of(path: Path | list[Path], **options: Any) -> list[tuple[str | None, ...]]:
    """Read all rows as the commands do."""
    source = open_source(path, **options)
    columns = ", ".join(map(quote_name, source.columns))
    return source.connection.execute(f"SELECT {columns} FROM {source.scan(False)}").fetchall()


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    header=st.lists(CELLS, min_size=2, max_size=4),
    rows=st.lists(st.lists(CELLS, min_size=4, max_size=4), min_size=1, max_size=5),
    end=st.sampled_from(["\n", "\r\n"]),
    above=st.sampled_from([[], [""], ["  ", " \t", ""]]),
    mark=st.sampled_from(["", "\ufeff"]),
)
def test_what_csv_writes_is_read(
    tmp_path: Path, header: list[str], rows: list[list[str]], end: str, above: list[str], mark: str
) -> None:
    names = [f"{index}{name}" for index, name in enumerate(header)]
    # Text cannot tell an empty value from a null, nor DuckDB a value of spaces from the spaces around quotes.
    cut = [[f"{cell}x" if cell.isspace() else cell for cell in row[: len(names)]] for row in rows]
    cut = [row if any(row) else ["x", *row[1:]] for row in cut]
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator=end, quoting=csv.QUOTE_ALL).writerows([names, *cut])
    path = tmp_path / "a.csv"
    path.write_bytes((mark + "".join(f"{line}{end}" for line in above) + text.getvalue()).encode())
    assert header_names(read_head(str(path)), Dialect(",")) == names
    assert rows_of(path) == [tuple(cell or None for cell in row) for row in cut]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("above", [[], [""], ["", ""], ["   "], [" \t", ""]])
@pytest.mark.parametrize("below", [[], ["", ""], ["", "", ""]])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_blank_lines_are_no_rows(
    write: Write, end: str, above: list[str], below: list[str], mark: str
) -> None:
    path = write((mark + end.join([*above, "u,y", "a,1", "", "b,0", *below])).encode())
    assert rows_of(path) == [("a", "1"), ("b", "0")]


def test_an_empty_line_is_a_null_where_there_is_one_column(write: Write) -> None:
    assert rows_of(write(b"\nu\na\n\nb\n")) == [("a",), (None,), ("b",)]


def test_files_with_other_blank_lines_and_compressions_are_one_table(write: Write) -> None:
    paths = [
        write(b"\n\nu,y\na,1\n", "c.csv"),
        write(gzip.compress(b"\xef\xbb\xbfu,y\nb,2\n", mtime=0), "a.csv.gz"),
        write(gzip.compress(b'\xef\xbb\xbf"u",y\nb,2\n', mtime=0), "e.csv.gz"),
        write(gzip.compress(b"u,y\nc,3\n", mtime=0), "b.csv"),
        write(b"\nu,y\nd,4\n", "d.csv"),
    ]
    assert rows_of(paths) == [("a", "1"), ("b", "2"), ("b", "2"), ("c", "3"), ("d", "4")]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("inside", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_a_name_may_hold_a_line_break(write: Write, end: str, inside: str, mark: bytes) -> None:
    text = end.join([f'"us{inside}er",y', "a,1", '"b,""c",0', ""])
    path = write(mark + text.encode())
    assert open_source(path).columns == (f"us{inside}er", "y")
    assert rows_of(path) == [("a", "1"), ('b,"c', "0")]


def test_lines_that_end_in_different_ways_are_refused_in_words(write: Write) -> None:
    for lines in (b"u,y\r\na,1\nb,2\r\n", b"u,y\na,1\r\nb,2\n", b"u,y\na\rb,1\n"):
        path = write(lines)
        with pytest.raises(DataError, match="lines that all end alike"), our_errors((str(path),)):
            rows_of(path)


def test_names_that_are_left_out_get_one(write: Write) -> None:
    path = write(b'\xef\xbb\xbf,"b,c",d d, "e"\n1,2,3,4\n')
    assert header_names(read_head(str(path)), Dialect(",")) == ["column0", "b,c", "d d", "e"]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (b"", "empty file"),
        (b" \n\n", "empty file"),
        (b"a,A\n1,2\n", "different column names"),
        (b"a,\xff\n1,2\n", "UTF-8"),
        (b'a,"b\n1,2\n', "closing quote"),
        (b'a,"b"c\n1,2\n', "closing quote"),
        (b"a," * 1_100_000, "2,031,616 bytes without the end of the first one"),
    ],
)
def test_headers_that_cannot_be_used(write: Write, lines: bytes, message: str) -> None:
    with pytest.raises(DataError, match=message):
        header_names(read_head(str(write(lines))), Dialect(","))


def test_a_header_of_any_width_is_read(write: Write) -> None:
    names = [f"{'x' * 150_000}{index}" for index in range(3)]
    path = write(",".join(names).encode() + b"\n1,2,3\n")
    assert open_source(path).columns == tuple(names)


def test_a_bomb_ends_at_the_head(write: Write) -> None:
    path = write(gzip.compress(b"\0" * 50_000_000, mtime=0), "a.csv.gz")
    with pytest.raises(DataError, match="without the end of the first one"):
        open_source(path)
