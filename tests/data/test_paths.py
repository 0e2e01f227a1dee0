import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from hybridhash.data import open_source
from hybridhash.data.paths import compression_of, kind_of, resolve
from hybridhash.errors import DataError

Write = Callable[..., Path]


def test_an_existing_path_is_no_glob(write: Write, tmp_path: Path) -> None:
    plain, magic = write(["a", "1"], "c1.csv"), write(["a", "1"], "c[1].csv")
    assert resolve(magic) == [str(magic)]
    assert resolve(tmp_path / "c[12].csv") == [str(plain)]
    assert resolve([tmp_path / "c*.csv", plain]) == [str(plain), str(magic), str(plain)]


def test_what_is_no_file_is_refused_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    os.mkfifo("pipe.csv")
    server = socket.socket(socket.AF_UNIX)
    server.bind("socket.csv")
    os.symlink("/dev/zero", "zero.csv")
    os.symlink("/dev/zero", "zero.parquet")
    os.symlink("absent", "broken.csv")
    os.symlink("loop.csv", "loop.csv")
    os.mkdir("folder.csv")
    for name, kind in [
        ("pipe.csv", "got a pipe"),
        ("socket.csv", "got a socket"),
        ("zero.csv", "got a device"),
        ("zero.parquet", "got a device"),
        ("/dev/null", "got a device"),
        ("broken.csv", "No such file"),
        ("loop.csv", "levels of symbolic links"),
        ("folder.csv", "got a folder"),
    ]:
        for format in (None, "avazu", "criteo"):
            with pytest.raises(DataError, match=f"{name}: expected .*{kind}"):
                open_source(name, format)
    server.close()
    os.mkfifo("ratings.dat")
    with pytest.raises(DataError, match=r"ratings\.dat: expected a file, got a pipe"):
        open_source(".", "movietweetings")


def test_a_name_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    path = os.fsdecode(os.fsencode(tmp_path) + b"/\xff.csv")
    Path(path).write_text("a\n1\n")
    with pytest.raises(DataError, match="expected a name in UTF-8"):
        open_source(path)


def test_any_name_will_do_where_the_content_tells(write: Write) -> None:
    assert kind_of(str(write(b"PAR1\x15", "train")), any_name=True) == "parquet"
    assert kind_of(str(write(b"\x1f\x8b", "train.gz")), any_name=True) == "text"
    assert compression_of(str(write(b"\x1f\x8b", "train"))) == "gzip"
    assert compression_of(str(write(b"\x28\xb5\x2f\xfd", "train.zst"))) == "zstd"
