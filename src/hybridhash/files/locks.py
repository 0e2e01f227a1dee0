"""Locks on files, which the system releases when their process ends, however it ends.

They are those of ``flock``: held by an open file, shared with forked children, and free when the last of them has
closed it or ended. Where the system or the file system has no such locks, nothing is locked, and nothing counts as left
behind.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from hybridhash.errors import FileAccessError

try:
    import fcntl
except ImportError:  # no POSIX system
    fcntl = None  # type: ignore[assignment]

LOCK_NAME: Final = ".lock"
HAS_LOCKS: Final = fcntl is not None


def acquire(file: Any, *, wait: bool = False) -> bool | None:
    """Lock an open file for as long as it is open.

    Args:
        file: A file that is open for writing.
        wait: Whether to wait for a process that holds it.

    Returns:
        True when it is locked, False when another process holds it, None where there are no locks.
    """
    if fcntl is None:
        return None
    try:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True


def is_at(file: Any, path: Path) -> bool:
    """Return whether an open file still has this name: another process may have removed it before it was locked."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), os.lstat(path))
    except OSError:
        return False


def check_free(folder: Path) -> None:
    """Refuse a folder that another process holds; nothing is made or locked.

    Args:
        folder: The folder that `locked_folder` would lock; it need not exist.

    Raises:
        FileAccessError: Another process is at work there.
    """
    try:
        file = open(folder / LOCK_NAME, "r+b")  # noqa: SIM115 (closed below)
    except OSError:
        return  # nobody has ever been at work there, or nobody can be
    with file:
        if acquire(file) is False:
            raise _busy(folder, file)


@contextmanager
def locked_folder(folder: Path) -> Iterator[None]:
    """Hold a folder for this process, so that two commands do not write there at once.

    Args:
        folder: Made if it is not there. The file ``.lock`` in it is gone afterwards.

    Raises:
        FileAccessError: Another process holds it, or the folder cannot be made or written to.
    """
    path = folder / LOCK_NAME
    while True:
        try:
            os.makedirs(folder, exist_ok=True)
            # Open for both, made if it is not there, and not emptied: another process may hold it.
            file = open(os.open(path, os.O_RDWR | os.O_CREAT, 0o666), "r+b", buffering=0)  # noqa: SIM115
        except OSError as error:
            raise FileAccessError(
                f"{folder}: expected a folder that can be written to: {error.strerror or error}; name another one"
            ) from error
        with file:
            if acquire(file) is False:
                raise _busy(folder, file)
            if not is_at(file, path):
                continue  # whoever held it has removed it meanwhile
            file.truncate(0)
            file.write(str(os.getpid()).encode())
            try:
                yield
            finally:
                path.unlink(missing_ok=True)  # the caller may have removed the whole folder
            return


def _busy(folder: Path, file: Any) -> FileAccessError:
    process = file.read().decode("ascii", "replace").strip()
    who = f"process {process}" if process else "another process"
    return FileAccessError(
        f"{folder}: expected no other command at work there, found {who}; wait until it has ended, or name another "
        "output"
    )
