from collections.abc import Callable
from pathlib import Path

import pytest

from hybridhash.data import Dataset, open_source
from hybridhash.data.database import our_errors
from hybridhash.data.sniff import check_quote, sniff
from hybridhash.data.text_files import Dialect, read_head
from hybridhash.errors import DataError, InvalidValueError

Write = Callable[..., Path]
Load = Callable[..., Dataset]


@pytest.mark.parametrize(
    ("name", "header", "delimiter"),
    [
        ("a.csv", "x,y;z", ","),
        ("a.csv", "x;y;z", ";"),
        ("a.csv", '"x, in m";y;z', ";"),
        ("a.csv", "x", ","),
        ("a.tsv", "x\ty,z", "\t"),
        ("a.tsv", "x", "\t"),
        ("a.b.tsv", "x\ty", "\t"),
        ("a.txt", "x|y|z", "|"),
        ("a.dat", "x::y::z", "::"),
    ],
)
def test_the_delimiter_follows_from_extension_and_header(
    write: Write, name: str, header: str, delimiter: str
) -> None:
    assert sniff(read_head(str(write([header, "1"], name)))).delimiter == delimiter


@pytest.mark.parametrize(
    ("lines", "dialect"),
    [
        (["u\tt", "1\tFast"], Dialect("\t", "", is_guess=True)),
        (["u\tt", '1\t"Fast'], Dialect("\t", "")),
        (["u\tt", '1\t"Fast" and furious', '2\t"x"'], Dialect("\t", "")),
        (["u\tt", '1\t"say ""hi"""'], Dialect("\t", '"')),
        (['"u"\t"t"', '1\t"a\tb"'], Dialect("\t", '"')),
        (["u\tt", '1\t"a\tb"'], Dialect("\t", '"')),
        (["u,t", '1,"Fast'], Dialect(",", '"')),
        (["u::t", '1::"Fast'], Dialect("::", "")),
    ],
)
def test_between_tabs_quotes_count_where_the_first_lines_show_it(
    write: Write, lines: list[str], dialect: Dialect
) -> None:
    assert sniff(read_head(str(write(lines, "a.txt")))) == dialect


def test_a_quote_may_be_named(write: Write) -> None:
    path = write(["u\tt", "'a\tb'\t\"x\""], "a.tsv")
    source = open_source(path, quote="'")
    rows = source.connection.execute(f"SELECT u, t FROM {source.scan(False)}").fetchall()
    assert rows == [("a\tb", '"x"')]
    source = open_source(path, quote="none")
    with (
        pytest.raises(DataError, match="line 2: too many fields, expected 2"),
        our_errors(source.files),
    ):
        source.connection.execute(f"SELECT u, t FROM {source.scan(False)}")


def test_quotes_that_cannot_be(write: Write) -> None:
    assert check_quote(None) is None
    assert check_quote("none") == ""
    for quote in ("", "ab", "x", "\n", "é"):
        with pytest.raises(InvalidValueError, match="'none' or one character"):
            check_quote(quote)
    with pytest.raises(InvalidValueError, match="another character than the delimiter"):
        open_source(write(["a,b", "1,2"]), quote=",")
    with pytest.raises(InvalidValueError, match="format criteo, which has its own"):
        open_source(write(["1\t2"], "day_0"), "criteo", quote="none")
