"""Outputs: never in the place of an input, never written by two commands at once, never other than their name."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .conftest import COLUMNS, SMALL

Run = Callable[..., Any]
NAMES = ("itself", "relative", "symlink", "hardlink", "dotted")


def named(path: Path, how: str, tmp_path: Path) -> Path:
    """Another way to say where a file is."""
    other = tmp_path / f"{how}{path.suffix}"
    if how == "symlink":
        other.symlink_to(path)
    elif how == "hardlink":
        os.link(path, other)
    elif how == "relative":
        return Path(os.path.relpath(path))
    elif how == "dotted":
        (tmp_path / "below").mkdir()
        return tmp_path / "below" / ".." / path.name
    return path if how == "itself" else other


@pytest.fixture
def data(clicks: Path, tmp_path: Path) -> Path:
    path = tmp_path / "in.parquet"
    path.write_bytes(clicks.read_bytes())
    return path


@pytest.mark.parametrize("how", NAMES)
@pytest.mark.parametrize("command", ["predict", "train", "plan"])
def test_an_input_is_not_replaced(
    run: Run, model: Path, data: Path, tmp_path: Path, command: str, how: str
) -> None:
    before = data.read_bytes()
    given = [model] if command == "predict" else COLUMNS
    read = tmp_path / "*.parquet" if how == "dotted" else data
    ended = run(command, *given, read, "--out", named(data, how, tmp_path))
    assert ended.code == 2
    assert "expected an output that is none of the inputs" in ended.error
    assert data.read_bytes() == before


def test_a_model_and_an_experiment_file_are_inputs_too(
    run: Run, model: Path, data: Path, tmp_path: Path
) -> None:
    copy, file = tmp_path / "m.csv", tmp_path / "e.toml"
    copy.write_bytes(model.read_bytes())
    file.write_text('label = "clicked"\n')
    assert "none of the inputs" in run("predict", copy, data, "--out", copy).error
    for command in ("train", "plan"):
        assert "none of the inputs" in run(command, data, "--experiment", file, "--out", file).error
    assert (copy.read_bytes(), file.read_text()) == (model.read_bytes(), 'label = "clicked"\n')


@pytest.mark.parametrize(
    ("command", "name"),
    [
        ("compare", "results.json"),
        ("compare", "hashed.hh"),
        ("sweep", "sweep.json"),
        ("continuous", "report.html"),
    ],
)
def test_an_input_in_the_folder_of_the_output(
    run: Run, clicks: Path, tmp_path: Path, command: str, name: str
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / name).write_bytes(clicks.read_bytes())
    ended = run(command, out / name, *COLUMNS, "--split", "time:60h", "--out", out)
    assert (ended.code, "none of the inputs" in ended.error) == (2, True)
    assert (out / name).read_bytes() == clicks.read_bytes()


def test_train_leaves_what_lies_beside_its_checkpoints(run: Run, clicks: Path, tmp_path: Path) -> None:
    folder = tmp_path / "m.hh.runs"
    folder.mkdir()
    (folder / "in.parquet").write_bytes(clicks.read_bytes())
    ended = run("train", folder / "in.parquet", *COLUMNS, *SMALL, "--out", tmp_path / "m.hh")
    assert ended.code == 0, ended.err
    assert [path.name for path in folder.iterdir()] == ["in.parquet"]


@pytest.mark.parametrize("out", ["device", "pipe"])
def test_a_device_or_a_pipe_is_no_output(run: Run, clicks: Path, tmp_path: Path, out: str) -> None:
    path = Path(os.devnull)
    if out == "pipe":
        path = tmp_path / "m.hh"
        os.mkfifo(path)
    assert "got a device or a pipe" in run("train", clicks, *COLUMNS, "--out", path).error
    assert not path.is_file()


@pytest.mark.parametrize(
    ("command", "runs"),
    [("train", "out.runs"), ("compare", "out/runs"), ("sweep", "out/runs"), ("continuous", "out/runs")],
)
def test_two_commands_into_one_output(
    run: Run, clicks: Path, tmp_path: Path, command: str, runs: str
) -> None:
    code = (
        "import sys, time; from pathlib import Path; from hybridhash.trials.runs import RunStore\n"
        "with RunStore(Path(sys.argv[1])).open(): print(flush=True); time.sleep(99)"
    )
    holder = subprocess.Popen([sys.executable, "-c", code, tmp_path / runs], stdout=subprocess.PIPE)
    with holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        ended = run(command, clicks, *COLUMNS, "--split", "time:60h", "--out", tmp_path / "out")
        assert ended.code == 2
        assert f"{tmp_path / runs}: expected no other command at work there" in ended.error
        assert f"process {holder.pid}; wait until it has ended" in ended.error
        holder.kill()


@pytest.mark.skipif(os.name != "posix", reason="signals are those of POSIX")
def test_a_killed_training_leaves_nothing_to_the_one_that_finishes(clicks: Path, tmp_path: Path) -> None:
    """Neither beside the output nor in the folder for temporary files."""
    out, work = tmp_path / "m.hh", tmp_path / "work"
    work.mkdir()
    flags = [*COLUMNS, *SMALL[:4], "--learning-rate", "0.05", "--work-dir", work, "--out", out]
    command = [sys.executable, "-m", "hybridhash", "train", str(clicks), *map(str, flags)]
    process = subprocess.Popen([*command, "--epochs", "100000", "--patience", "100000"])
    folder = tmp_path / "m.hh.runs"
    deadline = time.monotonic() + 60
    while not list(folder.glob("*.checkpoint")) and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert list(work.iterdir())
    (tmp_path / ".m.hh.0123456789abcdef.tmp").write_bytes(b"half a model")
    (folder / ".x.checkpoint.0123456789abcdef.tmp").write_bytes(b"half a checkpoint")
    subprocess.run([*command, "--epochs", "1"], check=True, capture_output=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["m.hh", "work"]
    assert list(work.iterdir()) == []
