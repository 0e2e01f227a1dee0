"""What must be known of a text file before DuckDB reads it: its header and its delimiter."""

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from hybridhash.data.duck import quote_text
from hybridhash.errors import DataError

FILE_COLUMN: Final = "__file__"  # every scan adds the name of the file that a row comes from
DELIMITERS: Final = {".csv": ",", ".tsv": "\t"}
_CANDIDATES: Final = ("::", "\t", ",", ";", "|")
_MAX_LINE_BYTES: Final = 2_000_000

Scan = Callable[[bool], str]
"""Makes the SQL of a scan; True collects malformed lines in DuckDB's reject tables, False fails on one."""


@dataclass(frozen=True)
class Dialect:
    """How the lines of a text file are cut into fields.

    Attributes:
        delimiter: Between fields; one to four characters.
        quote: Around fields that hold a delimiter; empty where quotes are ordinary characters.
        header: Whether the first line names the columns.
        encoding: ``utf-8`` or ``latin-1``.
    """

    delimiter: str
    quote: str = '"'
    header: bool = True
    encoding: str = "utf-8"


def text_scan(files: Sequence[str], names: Sequence[str], dialect: Dialect) -> Scan:
    """Return what makes the SQL that reads text files, every field as text.

    Args:
        files: Paths, read in this order.
        names: One name per field.
        dialect: How lines are cut.
    """
    paths = ", ".join(quote_text(file) for file in files)
    columns = ", ".join(f"{quote_text(name)}: 'VARCHAR'" for name in names)
    options = {
        "columns": f"{{{columns}}}",
        "auto_detect": "false",
        "header": str(dialect.header).lower(),
        "delim": quote_text(dialect.delimiter),
        "quote": quote_text(dialect.quote),
        "escape": quote_text(dialect.quote),
        "strict_mode": "true",
        "encoding": quote_text(dialect.encoding),
        "filename": quote_text(FILE_COLUMN),
    }

    def make(collect_rejects: bool) -> str:
        chosen = {**options, "store_rejects": "true"} if collect_rejects else options
        return f"read_csv([{paths}], {', '.join(f'{name} = {value}' for name, value in chosen.items())})"

    return make


def head(file: str, num_lines: int = 2) -> list[bytes]:
    """Return the first lines of a file that are not blank, decompressed, without their line ends.

    Args:
        file: A path; ``.gz`` and ``.zst`` are decompressed.
        num_lines: At most so many.

    Raises:
        DataError: The file cannot be read or decompressed.
    """
    import pyarrow as pa

    lines: list[bytes] = []
    try:
        with pa.input_stream(file, compression="detect") as stream:
            data = b""
            while len(data) < _MAX_LINE_BYTES:
                chunk = stream.read(1 << 16)
                data += chunk
                lines = [line for line in data.splitlines() if line.strip()]
                if not chunk or len(lines) > num_lines:
                    break
    except (OSError, pa.ArrowException) as error:
        raise DataError(f"{file}: expected a readable file, whole if compressed, got: {error}") from error
    return lines[:num_lines]


def read_header(file: str, dialect: Dialect) -> list[str]:
    """Return the names in the first line of a text file; a name left out becomes ``column<i>``, from 0.

    Raises:
        DataError: An empty file, a header that is not UTF-8, or a name that stands there twice.
    """
    lines = head(file, 1)
    if not lines:
        raise DataError(f"{file}: expected a header line and rows, got an empty file")
    names = split_line(lines[0], dialect, file)
    names = [name if name.strip() else f"column{index}" for index, name in enumerate(names)]
    folded = [name.casefold() for name in names]
    repeated = [name for name in names if folded.count(name.casefold()) > 1]
    if repeated:
        raise DataError(f"{file}: expected different column names, got {repeated[:4]} (case does not count)")
    return names


def split_line(line: bytes, dialect: Dialect, file: str) -> list[str]:
    """Cut one line into fields.

    Raises:
        DataError: The line is not UTF-8.
    """
    try:
        text = line.decode("utf-8-sig" if dialect.encoding == "utf-8" else dialect.encoding)
    except UnicodeDecodeError as error:
        raise DataError(
            f"{file}: expected UTF-8 text, got other bytes on line 1; convert the file first"
        ) from error
    if len(dialect.delimiter) > 1 or not dialect.quote:
        return text.split(dialect.delimiter)
    return next(csv.reader([text], delimiter=dialect.delimiter))


def sniff(file: str, extension: str) -> Dialect:
    """Find the delimiter of a file with a header.

    It is the extension's own (``.csv`` a comma, ``.tsv`` a tab) where the header has it, otherwise the
    one of ``::``, tab, comma, semicolon and bar that the header has most often.

    Args:
        file: A path.
        extension: In lower case, with the dot, without that of the compression.
    """
    first = (head(file, 1) or [b""])[0]
    own = DELIMITERS.get(extension, ",")
    if own.encode() in first:
        return Dialect(own)
    counts = [(first.count(candidate.encode()), candidate) for candidate in _CANDIDATES]
    most = max(count for count, _ in counts)
    delimiter = next(candidate for count, candidate in counts if count == most) if most else own
    return Dialect(delimiter, quote='"' if len(delimiter) == 1 else "")
