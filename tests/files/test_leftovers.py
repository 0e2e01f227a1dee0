"""What a killed process leaves is removed by a later one; what a living process holds stays."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hybridhash.errors import FileAccessError
from hybridhash.files import check_free, locked_folder, remove_leftovers, scratch_folder, write_text

pytestmark = pytest.mark.skipif(os.name != "posix", reason="locks are those of POSIX")

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


def test_a_temporary_file_stays_as_long_as_its_process(
    at_work: Callable[[str, Path], subprocess.Popen[str]], tmp_path: Path
) -> None:
    process = at_work("file", tmp_path)
    [temporary] = names(tmp_path)
    assert temporary.startswith(".model.hh.")
    write_text(tmp_path / "model.hh", "another")
    remove_leftovers(tmp_path)
    assert names(tmp_path) == [temporary, "model.hh"]
    kill(process)
    write_text(tmp_path / "other", "of another name")
    assert names(tmp_path) == [temporary, "model.hh", "other"]
    write_text(tmp_path / "model.hh", "whole")
    assert names(tmp_path) == ["model.hh", "other"]


def test_leftovers_of_any_file_in_a_folder_of_ours(
    at_work: Callable[[str, Path], subprocess.Popen[str]], tmp_path: Path
) -> None:
    kill(at_work("file", tmp_path))
    for name in (".model.hh.0123456789abcdef", "model.hh.0123456789abcdef.tmp", ".x.0123456789abcde.tmp"):
        (tmp_path / name).touch()  # no names of ours
    remove_leftovers(tmp_path)
    remove_leftovers(tmp_path / "absent")
    assert names(tmp_path) == sorted(
        [".model.hh.0123456789abcdef", "model.hh.0123456789abcdef.tmp", ".x.0123456789abcde.tmp"]
    )


def test_a_scratch_folder_stays_as_long_as_its_process(
    at_work: Callable[[str, Path], subprocess.Popen[str]], tmp_path: Path
) -> None:
    process = at_work("folder", tmp_path)
    [left] = names(tmp_path)
    (tmp_path / "hybridhash-of-someone").mkdir()
    with scratch_folder(tmp_path, "hybridhash-") as mine:
        assert names(tmp_path) == sorted([left, "hybridhash-of-someone", mine.name])
        kill(process)
        with scratch_folder(tmp_path, "hybridhash-") as other:
            assert names(tmp_path) == sorted(["hybridhash-of-someone", mine.name, other.name])
    assert names(tmp_path) == ["hybridhash-of-someone"]


def test_a_folder_that_was_left_before_it_was_locked(tmp_path: Path) -> None:
    (tmp_path / "hybridhash-0123456789abcdef").mkdir()
    (tmp_path / "hybridhash-fedcba9876543210").symlink_to(tmp_path / "elsewhere")
    with scratch_folder(tmp_path, "hybridhash-"):
        pass
    assert names(tmp_path) == ["hybridhash-fedcba9876543210"]


def test_a_folder_is_held_by_one_process(
    at_work: Callable[[str, Path], subprocess.Popen[str]], tmp_path: Path
) -> None:
    check_free(tmp_path / "absent")
    check_free(tmp_path)
    process = at_work("lock", tmp_path)
    said = rf"expected no other command at work there, found process {process.pid}; wait"
    with pytest.raises(FileAccessError, match=said):
        check_free(tmp_path)
    with pytest.raises(FileAccessError, match=said), locked_folder(tmp_path):
        pass
    kill(process)
    check_free(tmp_path)
    with locked_folder(tmp_path):
        assert (tmp_path / ".lock").read_text() == str(os.getpid())
    assert names(tmp_path) == []
    with locked_folder(tmp_path / "new"):
        pass
    (tmp_path / "file").touch()
    below = locked_folder(tmp_path / "file" / "below")
    with pytest.raises(FileAccessError, match="expected a folder that can be written to"), below:
        pass
