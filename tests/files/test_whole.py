"""Files that are written whole or not at all."""

import os
from pathlib import Path

import pytest

from hybridhash.errors import FileAccessError
from hybridhash.files import format_of, make_folder, replacing, whole, write_text


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A file that is there before."""
    path = tmp_path / "old"
    path.write_bytes(b"before")
    return path


def test_text_is_written_as_utf8_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    write_text(path, "é\n")
    assert path.read_bytes() == b"\xc3\xa9\n"
    with pytest.raises(UnicodeEncodeError):
        write_text(path, "\ud800")
    assert path.read_bytes() == b"\xc3\xa9\n"
    with pytest.raises(FileAccessError, match="cannot be written: No such file"):
        write_text(tmp_path / "no" / "x", "")
    assert list(tmp_path.iterdir()) == [path]


def test_an_error_inside_the_block_keeps_its_own_words(small: Path) -> None:
    before = small.read_bytes()
    missing = small.parent / "missing"
    with pytest.raises(FileAccessError, match=r"missing: cannot be read"), replacing(small) as file:
        file.write(format_of(missing).encode())
    assert small.read_bytes() == before
    assert list(small.parent.iterdir()) == [small]


def test_a_folder_is_made_with_those_above_it_and_left_empty(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    make_folder(folder)
    make_folder(folder)
    assert list(folder.iterdir()) == []


def test_a_folder_that_cannot_be_made_or_written_is_a_clear_error(
    small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(FileAccessError, match=r"old: expected a folder .* File exists"):
        make_folder(small)

    def denied(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(whole, "temporary_beside", denied)
    with pytest.raises(FileAccessError, match=r"expected a folder .* Permission denied"):
        make_folder(small.parent)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes with a name are those of POSIX")
def test_a_device_or_a_pipe_is_not_replaced(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(FileAccessError, match="pipe: cannot be written: it is a device or a pipe"):
        write_text(tmp_path / "pipe", "text")
    assert [path.is_fifo() for path in tmp_path.iterdir()] == [True]
