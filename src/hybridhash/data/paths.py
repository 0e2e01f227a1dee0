"""Paths: which files they name, and of what kind each file is (Parquet or text, compressed or not)."""

import os
import stat
from collections.abc import Sequence
from glob import glob, has_magic
from pathlib import Path
from typing import Final, Literal

from hybridhash.errors import DataError

FileKind = Literal["parquet", "text"]
Compression = Literal["none", "gzip", "zstd"]

PARQUET: Final = (".parquet", ".pq")
TEXT: Final = (".csv", ".tsv", ".txt", ".dat")
COMPRESSED: Final[dict[str, Compression]] = {".gz": "gzip", ".zst": "zstd"}
_PARQUET_MAGIC: Final = b"PAR1"
_COMPRESSION_MAGIC: Final[dict[bytes, Compression]] = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd"}
_NO_TEXT: Final = {
    b"PAR1\x15": "a Parquet file",
    b"ARROW1\x00": "an Arrow file",
    b"PK\x03\x04": "a ZIP archive",
    b"BZh91AY&SY": "bzip2",
    b"\xfd7zXZ": "xz",
    b"\xff\xfe": "UTF-16 text",
    b"\xfe\xff": "UTF-16 text",
}


def resolve(paths: str | Path | Sequence[str | Path]) -> list[str]:
    """Find the files that paths and globs name.

    A path that exists is that file, whatever characters its name holds; any other path is tried as a glob.

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
        if os.path.lexists(path):
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


def require_file(path: str) -> None:
    """Refuse what cannot be read as often as need be: everything but a regular file.

    Raises:
        DataError: A folder, a pipe, a socket, a device, a broken link, a file that may not be read, or a name
            that is not UTF-8.
    """
    try:
        path.encode()
        mode = os.stat(path).st_mode
    except UnicodeEncodeError as error:
        raise DataError(f"{path!r}: expected a name in UTF-8, got other bytes; rename the file") from error
    except OSError as error:
        raise DataError(f"{path}: expected a file that can be read, got: {error.strerror}") from error
    if stat.S_ISDIR(mode):
        raise DataError(f"{path}: expected a file, got a folder; name its files, as in '{path}/*.parquet'")
    if not stat.S_ISREG(mode):
        kinds = {stat.S_ISFIFO: "a pipe", stat.S_ISSOCK: "a socket"}
        kind = next((name for is_kind, name in kinds.items() if is_kind(mode)), "a device")
        raise DataError(
            f"{path}: expected a file, got {kind}; data are read more than once, so write them to a file first"
        )
    if not os.access(path, os.R_OK):
        raise DataError(f"{path}: expected a file that can be read, got: Permission denied")


def kind_of(path: str, *, any_name: bool = False) -> FileKind:
    """Tell Parquet from text: by the ending of the name, or by the content where any name will do.

    Args:
        path: A regular file.
        any_name: Whether a name without a known ending is accepted, as where a format is named.

    Raises:
        DataError: An unknown ending.
    """
    ending = extension(path)
    if ending in PARQUET:
        return "parquet"
    if ending in TEXT:
        return "text"
    if any_name:
        return "parquet" if _first_bytes(path).startswith(_PARQUET_MAGIC) else "text"
    raise DataError(
        f"{path}: expected one of {', '.join(PARQUET + TEXT)} (text also with .gz or .zst), "
        f"got {Path(path).suffix or 'no extension'!r}; rename or convert it, or name its --format"
    )


def extension(path: str) -> str:
    """Return the ending of a name in lower case, with its dot, without that of the compression."""
    name = Path(path).name.lower()
    for ending in COMPRESSED:
        name = name.removesuffix(ending)
    return Path(name).suffix


def compression_of(path: str) -> Compression:
    """Tell from the first bytes of a text file how it is compressed.

    Raises:
        DataError: The name promises a compression that the content does not have, or the content is that of a
            known kind of file which is no text.
    """
    first = _first_bytes(path)
    found: Compression = "none"
    for magic, name in _COMPRESSION_MAGIC.items():
        if first.startswith(magic):
            found = name
    promised = COMPRESSED.get(Path(path).suffix.lower())
    if promised is not None and first and found != promised:
        raise DataError(
            f"{path}: expected {promised}, as its name says, got other bytes; rename the file, or write it again"
        )
    for magic, kind in _NO_TEXT.items():
        if first.startswith(magic):
            raise DataError(f"{path}: expected text, got {kind}; rename or convert the file")
    return found


def require_parquet(path: str) -> None:
    """Refuse a file that does not begin and end as Parquet does.

    Raises:
        DataError: Such a file.
    """
    size = os.path.getsize(path)
    if not size:
        raise DataError(f"{path}: expected a Parquet file, got an empty file")
    try:
        with open(path, "rb") as file:
            first = file.read(4)
            file.seek(max(size - 4, 0))
            last = file.read(4)
    except OSError as error:
        raise DataError(f"{path}: expected a file that can be read, got: {error.strerror}") from error
    if first != _PARQUET_MAGIC:
        raise DataError(f"{path}: expected a Parquet file, got other bytes; rename or convert the file")
    if last != _PARQUET_MAGIC or size < 12:
        raise DataError(f"{path}: expected a whole Parquet file, got one that is cut short; write it again")


def _first_bytes(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read(10)
    except OSError as error:
        raise DataError(f"{path}: expected a file that can be read, got: {error.strerror}") from error
