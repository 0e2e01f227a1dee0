"""Outputs: checked before hours of work, and locked while a command works in them."""

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from glob import glob
from pathlib import Path
from typing import Final

from hybridhash.errors import FileAccessError
from hybridhash.files import check_free, make_folder, remove_leftovers
from hybridhash.trials.runs import RunStore

_RUNS: Final = "runs"


def check_output_file(path: Path) -> None:
    """Refuse a file that cannot be written; nothing is made, and its folder need not exist yet.

    Raises:
        FileAccessError: It is a folder, a device or a pipe, or the folder it goes to cannot be made or written to.
    """
    if path.is_dir():
        raise FileAccessError(f"{path}: expected a file to write, got a folder; name a file in it")
    if path.exists() and not path.is_file():
        raise FileAccessError(f"{path}: expected a file to write, got a device or a pipe; name a file")
    _check_folder(path.parent)


def check_output_folder(path: Path) -> None:
    """Refuse a folder that cannot be made or written to, or in which another command is at work; nothing is made.

    Raises:
        FileAccessError: It, or the folder above it that exists, is a file or is closed to this user, or another process
            holds it.
    """
    _check_folder(path)
    check_free(path / _RUNS)


def check_not_an_input(outputs: Iterable[Path], inputs: Iterable[str | Path | None]) -> None:
    """Refuse outputs that would take the place of an input, by whatever path either is named.

    Args:
        outputs: Files that will be written; they need not exist.
        inputs: Files that are read; None and what does not exist are passed over.

    Raises:
        FileAccessError: An output is one of the inputs.
    """
    read = [Path(file) for file in inputs if file is not None and os.path.exists(file)]
    for output in outputs:
        for file in read:
            if output.exists() and output.samefile(file):
                raise FileAccessError(
                    f"{output}: expected an output that is none of the inputs, got the file that is read as {file}; "
                    "name another output"
                )


def input_files(data: Sequence[str]) -> list[str]:
    """Return the files that names on the command line stand for: a glob for its matches, a folder for its files."""
    found = []
    for name in data:
        for path in [name] if os.path.exists(name) else glob(name, recursive=True):
            found += list(map(str, Path(path).iterdir())) if os.path.isdir(path) else [path]
    return found


def run_store(path: Path) -> RunStore:
    """Return the finished runs of a command whose output goes to a folder; nothing is made."""
    return RunStore(path / _RUNS)


@contextmanager
def output_folder(path: Path) -> Iterator[RunStore]:
    """Make the folder of a command's output and hold it; remove what killed processes have left there.

    Args:
        path: The folder.

    Yields:
        The finished runs, which lie in ``runs`` within it.

    Raises:
        FileAccessError: It cannot be made or written to, or another process is at work there.
    """
    make_folder(path)
    store = run_store(path)
    with store.open():
        remove_leftovers(path)
        yield store


def _check_folder(path: Path) -> None:
    above = next(folder for folder in (path, *path.absolute().parents) if folder.exists())
    if not above.is_dir() or not os.access(above, os.W_OK | os.X_OK):
        reason = "cannot be written to" if above.is_dir() else "is a file"
        raise FileAccessError(
            f"{path}: expected a folder to write to, but {above} {reason}; name another one"
        )
