"""A folder is held by one process, and free when it has ended."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from hybridhash.errors import FileAccessError
from hybridhash.files import check_free, locked_folder

from .conftest import kill, names

pytestmark = pytest.mark.skipif(os.name != "posix", reason="locks are those of POSIX")


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
