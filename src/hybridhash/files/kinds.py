"""What a file is, told by its first bytes: for errors about a file that is none of ours."""

import zipfile
from pathlib import Path
from typing import Final

_HEAD_BYTES: Final = 4096
_STARTS: Final = {
    b"PAR1": "a Parquet file",
    b"ARROW1": "an Arrow file",
    b"\x93NUMPY": "a NumPy array (.npy)",
    b"\x89HDF\r\n": "an HDF5 file",
    b"\x1f\x8b": "a gzip file",
    b"\x28\xb5\x2f\xfd": "a zstd file",
    b"BZh": "a bzip2 file",
    b"\xfd7zXZ\x00": "an xz file",
    b"SQLite format 3\x00": "an SQLite database",
    b"GGUF": "a GGUF model",
    b"%PDF": "a PDF",
    b"\x89PNG": "a PNG image",
    b"\x7fELF": "a program",
}
_PICKLE: Final = b"\x80"  # and the number of its protocol, 2 to 5
_OLD_TORCH: Final = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19"
_ENDINGS: Final = {
    ".csv": "a CSV file",
    ".tsv": "a TSV file",
    ".toml": "a TOML file, such as an experiment file",
    ".html": "an HTML page",
}


def kind_of_content(path: Path) -> str | None:
    """Say what a file is, as a noun with its article, by its first bytes and, for text, its ending.

    Args:
        path: A plain file that can be read.

    Returns:
        Such as ``a PyTorch checkpoint``; None where its bytes are of no kind that is known here.
    """
    with open(path, "rb") as file:
        head = file.read(_HEAD_BYTES)
    if not head:
        return "an empty file"
    for start, kind in _STARTS.items():
        if head.startswith(start):
            return kind
    if head.startswith(b"PK\x03\x04"):
        return _kind_of_zip(path)
    if head.startswith(_OLD_TORCH):
        return "a PyTorch checkpoint"
    if head.startswith(_PICKLE) and head[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05"):
        return "a pickle"
    if _is_safetensors(head, path):
        return "a safetensors file that hybridhash did not write"
    return _kind_of_text(head, path)


def _kind_of_zip(path: Path) -> str:
    try:
        names = zipfile.ZipFile(path).namelist()
    except (zipfile.BadZipFile, OSError):
        return "a zip file that is cut short"
    if any(name.endswith("/data.pkl") for name in names):
        return "a PyTorch checkpoint"
    if names and all(name.endswith(".npy") for name in names):
        return "an archive of NumPy arrays (.npz)"
    return "a zip file"


def _is_safetensors(head: bytes, path: Path) -> bool:
    length = int.from_bytes(head[:8], "little")
    return head[8:9] == b"{" and length <= path.stat().st_size


def _kind_of_text(head: bytes, path: Path) -> str | None:
    try:
        text = head.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if error.start < len(head) - 4:  # else the last character is cut
            return None
        text = head[: error.start].decode("utf-8-sig")
    if "\x00" in text:
        return None
    named = _ENDINGS.get(path.suffix.lower())
    if named is not None:
        return named
    return "a JSON file" if text.lstrip().startswith(("{", "[")) else "a text file"
