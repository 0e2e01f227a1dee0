"""Temporary files and folders that a later process removes where the one that made them was killed.

Whoever makes one holds a lock for as long as it is needed. What no process holds has been left behind.
"""

import os
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Final

from hybridhash.files.locks import HAS_LOCKS, LOCK_NAME, acquire, is_at

_DIGITS: Final = "[0-9a-f]{16}"
_FILE: Final = re.compile(rf"\.(?P<of>.*)\.{_DIGITS}\.tmp", re.DOTALL)


def temporary_beside(path: Path) -> tuple[Path, BinaryIO]:
    """Make a hidden file beside another one, open for bytes and locked for as long as it is open.

    Args:
        path: The file that the temporary one is for; those that were left behind for the same one are removed.

    Returns:
        Its path and the open file.

    Raises:
        OSError: It cannot be made there.
    """
    remove_leftovers(path.parent, path.name)
    while True:
        temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}.tmp")
        file = open(temporary, "xb")  # noqa: SIM115 (the caller closes it)
        acquire(file, wait=True)
        if is_at(file, temporary):
            return temporary, file
        file.close()  # another process took it for one that was left behind, before it was locked


def remove_leftovers(folder: Path, name: str | None = None) -> None:
    """Remove temporary files that processes have left behind in a folder.

    Args:
        folder: The folder; nothing happens where it is not there.
        name: The file that they were made for; any file if not given.
    """
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            found = _FILE.fullmatch(entry.name)
            if found and name in (None, found["of"]) and entry.is_file(follow_symlinks=False):
                _remove_file(Path(entry.path))


@contextmanager
def scratch_folder(parent: Path, prefix: str) -> Iterator[Path]:
    """Make a folder for temporary files that is gone afterwards.

    Args:
        parent: The folder to make it in; folders of this prefix that processes of this user have left behind there
            are removed.
        prefix: What the folder's name begins with.

    Yields:
        The folder; the file ``.lock`` in it is locked.

    Raises:
        OSError: It cannot be made there.
    """
    remove_left_folders(parent, prefix)
    while True:
        folder = parent / f"{prefix}{secrets.token_hex(8)}"
        folder.mkdir(mode=0o700)
        try:
            file = open(folder / LOCK_NAME, "xb")  # noqa: SIM115 (closed below)
        except FileNotFoundError:  # another process took it for one that was left behind
            continue
        with file:
            acquire(file, wait=True)
            if not is_at(file, folder / LOCK_NAME):
                continue
            try:
                yield folder
            finally:
                shutil.rmtree(folder, ignore_errors=True)
            return


def remove_left_folders(parent: Path, prefix: str) -> None:
    """Remove what processes of this user have left behind of `scratch_folder`.

    Args:
        parent: The folder that holds them; nothing happens where it does not exist.
        prefix: The prefix of their names, as in `scratch_folder`.
    """
    pattern = re.compile(re.escape(prefix) + _DIGITS)
    if not HAS_LOCKS:
        return
    with suppress(OSError), os.scandir(parent) as entries:
        for entry in entries:
            is_ours = pattern.fullmatch(entry.name) and entry.is_dir(follow_symlinks=False)
            if is_ours and entry.stat(follow_symlinks=False).st_uid == os.getuid():
                _remove_folder(Path(entry.path))


def _remove_folder(folder: Path) -> None:
    try:
        with open(folder / LOCK_NAME, "r+b") as file:
            if acquire(file) and is_at(file, folder / LOCK_NAME):
                shutil.rmtree(folder, ignore_errors=True)
    except FileNotFoundError:
        with suppress(
            OSError
        ):  # it has just been made, or it was left behind before it had a lock: then it is empty
            folder.rmdir()
    except OSError:
        return


def _remove_file(path: Path) -> None:
    with suppress(OSError), open(path, "r+b") as file:
        if acquire(file) and is_at(file, path):
            path.unlink()
