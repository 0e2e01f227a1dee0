"""Processes at work in a folder, which a test can kill."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

AT_WORK = """
import sys, time
from pathlib import Path
from hybridhash.files import locked_folder, replacing, scratch_folder
kind, where = sys.argv[1], Path(sys.argv[2])
held = {
    "file": lambda: replacing(where / "model.hh"),
    "folder": lambda: scratch_folder(where, "hybridhash-"),
    "lock": lambda: locked_folder(where),
}[kind]()
with held as made:
    if kind == "file":
        made.write(b"half")
        made.flush()
    if kind == "folder":
        (made / "rows").write_text("rows")
    print("ready", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def at_work() -> Iterator[Callable[[str, Path], subprocess.Popen[str]]]:
    """Starts a process that holds a temporary file, a folder or a lock until it is killed."""
    started: list[subprocess.Popen[str]] = []

    def start(kind: str, where: Path) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", AT_WORK, kind, str(where)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def kill(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.wait()


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())
