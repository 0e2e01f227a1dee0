"""Finished training runs on disk, so that an interrupted comparison goes on where it stopped."""

import glob
import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Final

from hybridhash import __version__
from hybridhash.files import locked_folder, remove_left_folders, remove_leftovers, scratch_folder, write_text

# Raise it with every change after which the same data and settings give other numbers (in kernels, hash functions,
# initial values, optimizers, the order of rows, metrics), or a kept run or a checkpoint holds other things.
RUNS_VERSION: Final = 2
# Raise it when learning rate and passes are chosen in another way. It stands apart because some benchmarks choose them
# in a way of their own, and what these have kept stays valid.
TUNING_VERSION: Final = 1

_DIGITS: Final = 16
_SCRATCH: Final = "scratch-"
_CHECKPOINT: Final = ".checkpoint"
_OF: Final = "@"  # between the name of a run and the part that a checkpoint is of


def fingerprint(files: Sequence[str], settings: Mapping[str, Any]) -> str:
    """Name a run by all it depends on: the input files (name, size, time of change), the settings and the code.

    The package's version, `RUNS_VERSION` and `TUNING_VERSION` stand for the code, so a run that another version has
    kept is made again.

    Args:
        files: The input files.
        settings: What JSON can hold.

    Returns:
        Hexadecimal digits.
    """
    stats = [(os.path.abspath(file), os.stat(file).st_size, os.stat(file).st_mtime_ns) for file in files]
    text = json.dumps(
        [RUNS_VERSION, TUNING_VERSION, __version__, stats, settings], sort_keys=True, default=str
    )
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]


class RunStore:
    """JSON results and checkpoints by the name of the run, in files of their own.

    Args:
        folder: Made by `open`.
    """

    def __init__(self, folder: Path) -> None:
        self.folder: Final = folder

    @contextmanager
    def open(self) -> Iterator[None]:
        """Hold the folder for this process, and remove what killed processes have left there.

        Raises:
            FileAccessError: Another process is at work there, or the folder cannot be made or written to.
        """
        with locked_folder(self.folder):
            remove_leftovers(self.folder)
            remove_left_folders(self.folder, _SCRATCH)
            for checkpoint in self.folder.glob(f"*{_CHECKPOINT}"):
                if self.get(checkpoint.name.removesuffix(_CHECKPOINT).partition(_OF)[0]) is not None:
                    checkpoint.unlink()
            yield

    def scratch(self) -> AbstractContextManager[Path]:
        """Yield a folder for files, which is removed afterwards."""
        return scratch_folder(self.folder, _SCRATCH)

    def path(self, name: str) -> Path:
        """Return the file of a result."""
        return self.folder / f"{name}.json"

    def checkpoint(self, name: str, part: str = "") -> Path:
        """Return the file of a checkpoint.

        Args:
            name: The name of the run, or of the tuning before it; its checkpoints go when a result is kept under this
                name.
            part: Tells several checkpoints of one name apart.
        """
        return self.folder / f"{name}{_OF if part else ''}{part}{_CHECKPOINT}"

    def get(self, name: str) -> dict[str, Any] | None:
        """Return what was kept, or None; a file that is not whole JSON counts as none."""
        try:
            found: dict[str, Any] = json.loads(self.path(name).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return found

    def keep(self, name: str, result: Mapping[str, Any]) -> None:
        """Write the result of a run, whole or not at all, and remove its checkpoints.

        Raises:
            FileAccessError: The folder cannot be written to.
        """
        write_text(self.path(name), json.dumps(result, indent=1))
        self.checkpoint(name).unlink(missing_ok=True)
        self.remove_checkpoints(f"{name}{_OF}")

    def remove_checkpoints(self, prefix: str = "") -> None:
        """Remove the checkpoints whose names begin with a text."""
        for checkpoint in self.folder.glob(f"{glob.escape(prefix)}*{_CHECKPOINT}"):
            checkpoint.unlink(missing_ok=True)
