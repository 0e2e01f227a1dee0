"""Refuse an output that cannot be written before hours of work, without making anything."""

import os
from pathlib import Path

from hybridhash.errors import FileAccessError


def check_output_file(path: Path) -> None:
    """Refuse a file that cannot be written; its folder need not exist yet.

    Raises:
        FileAccessError: It is a folder, or the folder it goes to cannot be made or written to.
    """
    if path.is_dir():
        raise FileAccessError(f"{path}: expected a file to write, got a folder; name a file in it")
    check_output_folder(path.parent)


def check_output_folder(path: Path) -> None:
    """Refuse a folder that cannot be made or written to.

    Raises:
        FileAccessError: It, or the folder above it that exists, is a file or is closed to this user.
    """
    above = next(folder for folder in (path, *path.absolute().parents) if folder.exists())
    if not above.is_dir() or not os.access(above, os.W_OK | os.X_OK):
        reason = "cannot be written to" if above.is_dir() else "is a file"
        raise FileAccessError(
            f"{path}: expected a folder to write to, but {above} {reason}; name another one"
        )
