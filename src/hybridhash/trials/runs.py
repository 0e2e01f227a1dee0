"""Finished training runs on disk, so that an interrupted comparison goes on where it stopped."""

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from hybridhash import __version__
from hybridhash.files import write_text

# Raise it with every change after which the same data and settings give other numbers (in kernels, hash functions,
# initial values, optimizers, the order of rows, metrics), or a kept run or a checkpoint holds other things.
RUNS_VERSION: Final = 2
# Raise it when learning rate and passes are chosen in another way. It stands apart because some benchmarks choose them
# in a way of their own, and what these have kept stays valid.
TUNING_VERSION: Final = 1

_DIGITS: Final = 16


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
    """JSON results by the name of the run, one file each.

    Args:
        folder: Made when the first run is kept.
    """

    def __init__(self, folder: Path) -> None:
        """Remember the folder."""
        self.folder: Final = folder

    def path(self, name: str, suffix: str = ".json") -> Path:
        """Return the file of a run."""
        return self.folder / f"{name}{suffix}"

    def get(self, name: str) -> dict[str, Any] | None:
        """Return what was kept, or None; a file that is not whole JSON counts as none."""
        try:
            found: dict[str, Any] = json.loads(self.path(name).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return found

    def keep(self, name: str, result: Mapping[str, Any]) -> None:
        """Write the result of a run, whole or not at all.

        Raises:
            FileAccessError: The folder cannot be written to.
        """
        write_text(self.path(name), json.dumps(result, indent=1))
