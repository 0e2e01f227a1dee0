import os
from pathlib import Path

import pytest

from hybridhash.errors import FileAccessError
from hybridhash.experiments.output import check_output_file, check_output_folder


def test_takes_what_can_be_made_and_makes_nothing(tmp_path: Path) -> None:
    check_output_folder(tmp_path)
    check_output_folder(tmp_path / "a" / "b")
    check_output_file(tmp_path / "a" / "model.hh")
    assert list(tmp_path.iterdir()) == []


def test_takes_relative_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    check_output_folder(Path("results"))
    check_output_file(Path("model.hh"))


def test_refuses_a_file_where_a_folder_should_be(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(FileAccessError, match="file is a file; name another one"):
            check_output_folder(path)


def test_refuses_a_folder_where_a_file_should_be(tmp_path: Path) -> None:
    with pytest.raises(FileAccessError, match="expected a file to write, got a folder"):
        check_output_file(tmp_path)


def test_refuses_a_closed_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may write anywhere
    with pytest.raises(FileAccessError, match="cannot be written to"):
        check_output_folder(tmp_path / "out")
