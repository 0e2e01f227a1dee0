"""Files that are written whole or not at all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from hybridhash.errors import FileAccessError
from hybridhash.files.leftovers import temporary_beside


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Open a temporary file beside ``path`` that takes its name when all went well, and goes otherwise.

    One that a killed process has left behind for the same path is removed.

    Args:
        path: The file to be written; one that is there stays until the new one is whole.

    Yields:
        The temporary file, open for bytes; it is flushed to the disk before it is renamed.

    Raises:
        FileAccessError: The file cannot be written there.
    """
    try:
        if path.is_dir():
            raise IsADirectoryError(0, "it is a folder")
        if path.exists() and not path.is_file():
            raise FileExistsError(0, "it is a device or a pipe")
        temporary, file = temporary_beside(path)
        try:
            with file:
                yield file
                file.flush()
                os.fsync(file.fileno())
                os.replace(temporary, path)  # while it is locked
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        _sync_folder(path.parent)
    except FileAccessError:
        raise  # about a file that the caller's block reads or writes, and already says which
    except OSError as error:
        raise FileAccessError(
            f"{path}: cannot be written: {error.strerror or error}; name a file in a folder that exists and "
            "can be written to, on a disk with room"
        ) from error


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Write text as UTF-8, whole or not at all.

    Args:
        path: The path of the file, in a folder that exists.
        text: All of its content.

    Raises:
        FileAccessError: The file cannot be written there.
    """
    with replacing(Path(path)) as file:
        file.write(text.encode("utf-8"))


def make_folder(path: str | os.PathLike[str]) -> None:
    """Make a folder, and those above it, unless it is there; make sure that it can be written to.

    Args:
        path: The folder.

    Raises:
        FileAccessError: It cannot be made, is a file, or cannot be written to.
    """
    try:
        os.makedirs(path, exist_ok=True)
        probe, file = temporary_beside(Path(path) / "probe")
        with file:
            probe.unlink()
    except OSError as error:
        raise FileAccessError(
            f"{path}: expected a folder that can be written to: {error.strerror or error}; name another one"
        ) from error


def _sync_folder(folder: Path) -> None:
    """Make the new name itself survive a power cut, where folders can be opened at all."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
