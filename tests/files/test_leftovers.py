"""What a killed process leaves is removed by a later one; what a living process holds stays."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from hybridhash.files import remove_leftovers, scratch_folder, write_text

from .conftest import kill, names

pytestmark = pytest.mark.skipif(os.name != "posix", reason="locks are those of POSIX")


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
