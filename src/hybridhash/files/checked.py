"""Files that are either read right or refused: safetensors with a format name, a version and a checksum.

The bytes are those of the safetensors format, so its tools open our files. ``__metadata__`` holds four
strings: ``format`` and ``version`` say what the file is, ``metadata`` is one JSON object, and ``sha256``
is the digest of the whole file with its own 64 digits read as zeros, so that any changed byte shows.

The header is written here and not by the safetensors package, whose writer orders the metadata at random
and resets the file's permissions: the same content gives the same file, byte for byte.
"""

import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError
from safetensors.numpy import load_file

from hybridhash.errors import FileAccessError, FileFormatError, InvalidTypeError, InvalidValueError
from hybridhash.files.kinds import kind_of_content
from hybridhash.files.whole import replacing

JSON = None | bool | int | float | str | list["JSON"] | dict[str, "JSON"]

_DTYPES: Final = {
    "bool": "BOOL",
    "uint8": "U8",
    "int8": "I8",
    "uint16": "U16",
    "int16": "I16",
    "float16": "F16",
    "uint32": "U32",
    "int32": "I32",
    "float32": "F32",
    "uint64": "U64",
    "int64": "I64",
    "float64": "F64",
}
_LENGTH_BYTES: Final = 8  # the little-endian length of the header, which opens every safetensors file
_ZERO_DIGITS: Final = b"0" * 64
_OPENING: Final = b'{"__metadata__":{"format":'
_DIGEST_FIELD: Final = b'"sha256":"'  # quotes inside the JSON strings are escaped, so this occurs once
_CHUNK_BYTES: Final = 1 << 20
_UPGRADE: Final = "pip install --upgrade hybridhash"


@dataclass(frozen=True)
class CheckedFile:
    """What a checked file holds.

    Attributes:
        tensors: The arrays by name.
        metadata: The JSON object that was stored with them.
        version: The version of the format that the file was written in.
    """

    tensors: Mapping[str, npt.NDArray[Any]]
    metadata: Mapping[str, Any]
    version: int


@dataclass(frozen=True)
class _Header:
    raw: bytes
    format: str
    version: int
    digest: str
    metadata: str


def write_checked(
    path: str | os.PathLike[str],
    tensors: Mapping[str, npt.NDArray[Any]],
    metadata: Mapping[str, JSON],
    format: str,
    version: int,
) -> None:
    """Write arrays and a JSON object as one checked file, whole or not at all.

    The bytes go to a temporary name in the same folder, are flushed to the disk, and take the final name in
    one step: a file that was there before stays until then. Arrays of any layout are stored in C order,
    little-endian.

    Args:
        path: The path of the file, in a folder that exists.
        tensors: Arrays of bool, float16/32/64 or (u)int8/16/32/64, by name.
        metadata: What JSON can hold, without NaN and infinity.
        format: What kind of file it is, such as ``"hybridhash-vocabulary"``.
        version: The version of that format, at least 1.

    Raises:
        FileAccessError: The file cannot be written there.
        InvalidTypeError: An array's dtype cannot be stored, or the metadata is not JSON.
        InvalidValueError: The metadata holds NaN or infinity, or a tensor has a reserved name.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     write_checked(f"{folder}/x", {"a": np.arange(3)}, {"unit": "s"}, "example", version=1)
        ...     read_checked(f"{folder}/x", "example", max_version=1).metadata
        {'unit': 's'}
    """
    arrays = {name: _storable(name, tensor) for name, tensor in tensors.items()}
    # The widest first, as the safetensors package does it, so that every tensor starts aligned.
    order = sorted(arrays, key=lambda name: (-arrays[name].dtype.itemsize, name))
    strings = {"format": format, "version": str(version), "sha256": _ZERO_DIGITS.decode()}
    header = _header_bytes({name: arrays[name] for name in order}, strings | {"metadata": _json(metadata)})
    digest = hashlib.sha256(header)
    for name in order:
        digest.update(_raw(arrays[name]))
    header = header.replace(
        _DIGEST_FIELD + _ZERO_DIGITS, _DIGEST_FIELD + digest.hexdigest().encode("ascii"), 1
    )
    with replacing(Path(path)) as file:
        file.write(header)
        for name in order:
            file.write(_raw(arrays[name]))


def read_checked(path: str | os.PathLike[str], format: str, max_version: int) -> CheckedFile:
    """Read a file that `write_checked` wrote; every byte of it has been checked.

    Args:
        path: The file.
        format: The kind of file it must be.
        max_version: The newest version of that format that the caller understands.

    Returns:
        The arrays and the metadata.

    Raises:
        FileAccessError: The file cannot be opened.
        FileFormatError: The file is cut short, altered, of another kind, or of a newer version.
    """
    path = Path(path)
    with _opened(path) as file:
        header = _read_header(path, file)
        if header.format != format:
            raise FileFormatError(f"{path}: expected a {format} file, got a {header.format} file")
        if header.version > max_version:
            raise FileFormatError(
                f"{path}: expected {format} version {max_version} or older, got version {header.version}, "
                f"written by a newer hybridhash; upgrade this one: {_UPGRADE}"
            )
        if _digest(header, file) != header.digest:
            raise _damaged(path, "its checksum does not match its content")
    return CheckedFile(_tensors(path), json.loads(header.metadata), header.version)


def format_of(path: str | os.PathLike[str]) -> str:
    """Say which kind of checked file this is, without reading the tensors or checking them.

    Args:
        path: The file.

    Returns:
        The format name it was written with.

    Raises:
        FileAccessError: The file cannot be opened.
        FileFormatError: It is not one of our files, or its header is damaged.
    """
    with _opened(Path(path)) as file:
        return _read_header(Path(path), file).format


def _storable(name: str, tensor: npt.NDArray[Any]) -> npt.NDArray[Any]:
    if name == "__metadata__":
        raise InvalidValueError("tensors: '__metadata__' is reserved by safetensors; use another name")
    if tensor.dtype.name not in _DTYPES:
        raise InvalidTypeError(f"tensor {name!r}: expected one of {', '.join(_DTYPES)}, got {tensor.dtype}")
    return np.asarray(tensor, dtype=tensor.dtype.newbyteorder("<"), order="C")


def _json(metadata: Mapping[str, JSON]) -> str:
    try:
        return json.dumps(dict(metadata), sort_keys=True, allow_nan=False)
    except TypeError as error:
        raise InvalidTypeError(f"metadata: expected what JSON can hold, got: {error}") from error
    except ValueError as error:
        raise InvalidValueError(f"metadata: expected finite numbers, got: {error}") from error


def _header_bytes(arrays: Mapping[str, npt.NDArray[Any]], strings: Mapping[str, str]) -> bytes:
    entries: dict[str, Any] = {"__metadata__": strings}
    end = 0
    for name, array in arrays.items():
        start, end = end, end + array.nbytes
        entries[name] = {
            "dtype": _DTYPES[array.dtype.name],
            "shape": list(array.shape),
            "data_offsets": [start, end],
        }
    text = json.dumps(entries, separators=(",", ":")).encode("ascii")
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(_LENGTH_BYTES, "little") + text


def _raw(array: npt.NDArray[Any]) -> memoryview:
    return array.reshape(-1).view(np.uint8).data


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    try:
        if path.exists() and not path.is_dir() and not path.is_file():
            raise OSError(0, "it is a device or a pipe")  # which may have no end, or nobody who writes to it
        with open(path, "rb") as file:
            yield file
    except OSError as error:
        raise FileAccessError(
            f"{path}: cannot be read: {error.strerror or error}; check the name and its permissions"
        ) from error


def _read_header(path: Path, file: BinaryIO) -> _Header:
    prefix = file.read(_LENGTH_BYTES)
    length = int.from_bytes(prefix, "little")
    begins_ours = file.read(len(_OPENING)) == _OPENING
    kind = None if begins_ours else kind_of_content(path)
    if kind is not None:
        raise _foreign(path, kind)
    file.seek(_LENGTH_BYTES)
    left = path.stat().st_size - len(prefix)
    if len(prefix) < _LENGTH_BYTES or length > left:
        raise _damaged(path, f"its header should have {length} bytes, and {left} are left")
    raw = file.read(length)
    try:
        strings = json.loads(raw.decode("utf-8"))["__metadata__"]
        header = _Header(
            raw=prefix + raw,
            format=strings["format"],
            version=int(strings["version"]),
            digest=strings["sha256"],
            metadata=strings["metadata"],
        )
    except KeyError as error:
        raise _foreign(path, "a safetensors file that hybridhash did not write, or an altered one") from error
    except (ValueError, TypeError, RecursionError) as error:
        raise _damaged(path, "its header has no hybridhash format, version and checksum") from error
    if not re.fullmatch("[0-9a-f]{64}", header.digest):
        raise _damaged(path, "its checksum is not a sha256")
    return header


def _digest(header: _Header, file: BinaryIO) -> str:
    field = _DIGEST_FIELD + header.digest.encode("ascii")
    digest = hashlib.sha256(header.raw.replace(field, _DIGEST_FIELD + _ZERO_DIGITS))
    while chunk := file.read(_CHUNK_BYTES):
        digest.update(chunk)
    return digest.hexdigest()


def _tensors(path: Path) -> dict[str, npt.NDArray[Any]]:
    try:
        return dict(load_file(path))
    except (SafetensorError, KeyError, ValueError) as error:
        raise _damaged(path, f"safetensors cannot read it ({error})") from error


def _foreign(path: Path, kind: str) -> FileFormatError:
    return FileFormatError(
        f"{path}: expected a file that hybridhash wrote, such as model.hh, got {kind}; name another one"
    )


def _damaged(path: Path, reason: str) -> FileFormatError:
    return FileFormatError(
        f"{path}: expected a hybridhash file, got one that is cut short, altered or of another kind: {reason}"
        "; copy or save it again from its source"
    )
