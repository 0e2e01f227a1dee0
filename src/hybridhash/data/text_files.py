"""Text files: the head of a file (its first lines and its header), and the SQL that reads the rows below."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Final

from hybridhash.data.paths import Compression, compression_of
from hybridhash.data.sql_quoting import quote_name, quote_path, quote_text
from hybridhash.errors import DataError

FILE_COLUMN: Final = "__file__"  # every scan adds the name of the file that a row comes from
_CHUNK_BYTES: Final = 1 << 16
_MAX_HEAD_BYTES: Final = 2_000_000
_MARK: Final = b"\xef\xbb\xbf"  # of UTF-8, at the beginning of a file
_LINE_END: Final = rb"\r\n|\r|\n"
_BLANK_LINES: Final = re.compile(rb"(?:[ \t]*(?:\r\n|\r|\n))*")

Scan = Callable[[bool], str]
"""Makes the SQL of a scan; True collects malformed lines in DuckDB's reject tables, False fails on one."""


@dataclass(frozen=True)
class Dialect:
    """How the lines of a text file are cut into fields.

    Attributes:
        delimiter: The text between fields; one to four characters.
        quote: The character around fields that hold a delimiter; empty where quotes are ordinary characters.
        header: Whether the first line names the columns.
        encoding: ``utf-8`` or ``latin-1``.
        is_guess: Whether nothing speaks for or against ``quote`` but the delimiter. Values that stand in quotes
            are refused then, since either reading could be meant.
    """

    delimiter: str
    quote: str = '"'
    header: bool = True
    encoding: str = "utf-8"
    is_guess: bool = False


@dataclass(frozen=True)
class Head:
    """The beginning of a text file.

    Attributes:
        file: The path.
        compression: How the file is compressed.
        num_blank_lines: Lines above the first record that hold nothing but spaces.
        start: Bytes from the first record on, decompressed; all of a small file, some lines of a large one.
        is_whole: Whether ``start`` goes to the end of the file.
        has_mark: Whether the file begins with the byte order mark of UTF-8.
    """

    file: str
    compression: Compression = "none"
    num_blank_lines: int = 0
    start: bytes = field(default=b"", repr=False)
    is_whole: bool = True
    has_mark: bool = False

    @property
    def lines(self) -> list[bytes]:
        """The complete lines of `start`, without their ends and without those that are empty."""
        lines = re.split(_LINE_END, self.start)
        return [line for line in (lines if self.is_whole else lines[:-1]) if line]


def read_head(file: str) -> Head:
    """Read the beginning of a text file: two lines that are not blank and 64 KiB, where there is so much.

    Args:
        file: A path; what is compressed by gzip or zstd is decompressed.

    Raises:
        DataError: The file cannot be read or decompressed, holds no text, or has a first line of more than 2 MB.
    """
    import pyarrow as pa

    compression = compression_of(file)
    data, is_whole = b"", False
    try:
        with pa.input_stream(file, compression=None if compression == "none" else compression) as stream:
            while not is_whole and len(data) < _MAX_HEAD_BYTES:
                chunk = stream.read(_CHUNK_BYTES)
                data += chunk
                is_whole = not chunk
                if sum(not line.isspace() for line in data.splitlines(keepends=True)[:-1]) > 1:
                    break
    except (OSError, pa.ArrowException) as error:
        expected = "a file that can be read" if compression == "none" else f"a whole {compression} file"
        raise DataError(f"{file}: expected {expected}, got one that is cut short or damaged") from error
    has_mark = data.startswith(_MARK)
    data = data.removeprefix(_MARK)
    blank = _BLANK_LINES.match(data)
    start = data[blank.end() :] if blank else data
    if is_whole and not start.strip():
        start = b""
    num_blank_lines = len(re.findall(_LINE_END, data[: len(data) - len(start)])) if start else 0
    if not is_whole and not re.search(rb"[\r\n]", start):
        raise DataError(
            f"{file}: expected lines of text, got {len(data):,} bytes without the end of the first one; "
            "check that this is the file that is meant"
        )
    return Head(file, compression, num_blank_lines, start, is_whole, has_mark)


def first_record(head: Head, dialect: Dialect) -> list[str]:
    """Return the fields of the first record of a file; the list is empty where there is none.

    Raises:
        DataError: A quote that is not closed or stands inside a quoted field, or bytes of another encoding.
    """
    return _cut(head, dialect)[0] if head.start else []


def header_names(head: Head, dialect: Dialect) -> list[str]:
    """Return the names that the first record of a file gives; a name left out becomes ``column<i>``, from 0.

    Raises:
        DataError: An empty file, a header that cannot be cut, or a name that stands there twice.
    """
    if not head.start:
        raise DataError(f"{head.file}: expected a header line and rows, got an empty file")
    names = [
        name if name.strip() else f"column{index}" for index, name in enumerate(first_record(head, dialect))
    ]
    folded = [name.casefold() for name in names]
    repeated = [name for name in names if folded.count(name.casefold()) > 1]
    if repeated:
        raise DataError(
            f"{head.file}: expected different column names, got {repeated[:4]} (case does not count)"
        )
    return names


def require_rows(heads: Sequence[Head], dialect: Dialect) -> None:
    """Refuse text files without a row.

    Raises:
        DataError: A file without a byte, or no file with a record below its header.
    """
    for head in heads:
        if not head.start:
            raise DataError(f"{head.file}: expected rows, got an empty file")
    if dialect.header and not any(head.start[_cut(head, dialect)[1] :].strip(b"\r\n") for head in heads):
        raise DataError(f"{heads[0].file}: expected rows below the header, got a header only")


def text_scan(heads: Sequence[Head], names: Sequence[str], dialect: Dialect) -> Scan:
    """Return what makes the SQL that reads text files, every field as text.

    Args:
        heads: The files, read in this order.
        names: One name per field.
        dialect: How lines are cut.
    """
    columns = ", ".join(f"{quote_text(name)}: 'VARCHAR'" for name in names)
    shared = {
        "columns": f"{{{columns}}}",
        "auto_detect": "false",
        "delim": quote_text(dialect.delimiter),
        "quote": quote_text(dialect.quote),
        "escape": quote_text(dialect.quote),
        "encoding": quote_text(dialect.encoding),
        "filename": quote_text(FILE_COLUMN),
        "hive_partitioning": "false",
    }

    def as_row(head: Head) -> bool:
        return dialect.header and _is_read_as_row(head, dialect)

    def select(files: Sequence[Head], collect_rejects: bool) -> str:
        options = {
            **shared,
            "header": str(dialect.header and not as_row(files[0])).lower(),
            "strict_mode": str(not (dialect.header and _has_breaks(files[0], dialect))).lower(),
            "skip": str(files[0].num_blank_lines),
            "compression": quote_text(files[0].compression),
        }
        if collect_rejects:
            options["store_rejects"] = "true"
        paths = ", ".join(quote_path(head.file) for head in files)
        sql = f"SELECT * FROM read_csv([{paths}], {', '.join(f'{key} = {value}' for key, value in options.items())})"
        if not as_row(files[0]):
            return sql
        same = (
            f"{quote_name(name)} IS NOT DISTINCT FROM nullif({quote_text(cell)}, '')"
            for name, cell in zip(names, first_record(files[0], dialect), strict=True)
        )
        return f"{sql} WHERE NOT ({' AND '.join(same)})"

    def make(collect_rejects: bool) -> str:
        groups = groupby(heads, key=lambda head: (head.compression, head.num_blank_lines, as_row(head)))
        return f"({' UNION ALL '.join(select(list(files), collect_rejects) for _, files in groups)})"

    return make


def _is_read_as_row(head: Head, dialect: Dialect) -> bool:
    """Say whether DuckDB must read the header as a row: it loses its way in some where they are told to be headers."""
    begins_quoted = bool(dialect.quote) and head.start.lstrip(b" ").startswith(dialect.quote.encode())
    return (head.has_mark and begins_quoted) or _has_breaks(head, dialect)


def _has_breaks(head: Head, dialect: Dialect) -> bool:
    return any("\n" in cell or "\r" in cell for cell in first_record(head, dialect))


def _cut(head: Head, dialect: Dialect) -> tuple[list[str], int]:
    """Return the fields of the first record and where it ends, by the rules of DuckDB's reader."""
    mark, delimiter = re.escape(dialect.quote.encode()), re.escape(dialect.delimiter.encode())
    end = rb" *(?:(%s)|%s|\Z)" % (delimiter, _LINE_END)
    quoted = re.compile(rb" *%s((?:[^%s]|%s%s)*)%s" % ((mark,) * 5) + end) if mark else None
    plain = re.compile(rb"(.*?)" + end.removeprefix(b" *"), re.DOTALL)
    fields: list[bytes] = []
    at = 0
    while True:
        match = quoted.match(head.start, at) if quoted else None
        if match:
            fields.append(match[1].replace(dialect.quote.encode() * 2, dialect.quote.encode()))
        elif quoted and head.start[at:].lstrip(b" ").startswith(dialect.quote.encode()):
            raise DataError(
                f"{head.file}: expected a closing quote and the next field behind it in the first line, "
                f"got {head.start[at : at + 60]!r}; correct the line, or name the quote: --quote none"
            )
        else:
            match = plain.match(head.start, at)
            assert match is not None
            fields.append(match[1])
        at = match.end()
        if match[2] is None:
            break
    try:
        return [item.decode(dialect.encoding) for item in fields], at
    except UnicodeDecodeError as error:
        raise DataError(
            f"{head.file}: expected UTF-8 text, got other bytes in the first line; convert the file to UTF-8 first"
        ) from error
