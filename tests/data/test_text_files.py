import gzip
from collections.abc import Callable
from pathlib import Path

import pytest

from hybridhash.data.text_files import Dialect, head, read_header, sniff
from hybridhash.errors import DataError

Write = Callable[..., Path]


@pytest.mark.parametrize(
    ("name", "header", "delimiter"),
    [
        ("a.csv", "x,y;z", ","),
        ("a.csv", "x;y;z", ";"),
        ("a.csv", "x", ","),
        ("a.tsv", "x\ty,z", "\t"),
        ("a.tsv", "x", "\t"),
        ("a.txt", "x|y|z", "|"),
        ("a.dat", "x::y::z", "::"),
    ],
)
def test_the_delimiter_follows_from_extension_and_header(
    write: Write, name: str, header: str, delimiter: str
) -> None:
    path = write([header, "1"], name)
    assert sniff(str(path), path.suffix).delimiter == delimiter


def test_the_head_is_decompressed_and_skips_blank_lines(write: Write) -> None:
    path = write(gzip.compress(b"\na,b\r\n\r\n1,2\n3,4\n", mtime=0), "a.csv.gz")
    assert head(str(path)) == [b"a,b", b"1,2"]
    assert head(str(write(b"", "empty.csv"))) == []


def test_names_that_are_left_out_get_one(write: Write) -> None:
    path = write(b'\xef\xbb\xbf,"b,c",d d\n1,2,3\n')
    assert read_header(str(path), Dialect(",")) == ["column0", "b,c", "d d"]


def test_headers_that_cannot_be_used(write: Write) -> None:
    for lines, message in [
        (b"", "empty file"),
        (b"a,A\n1,2\n", "different column names"),
        (b"a,\xff\n", "UTF-8"),
    ]:
        with pytest.raises(DataError, match=message):
            read_header(str(write(lines)), Dialect(","))
