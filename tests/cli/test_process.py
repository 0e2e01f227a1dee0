"""What only a process of its own can show: exit codes, standard error to the end, pipes, signals."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from .conftest import COLUMNS, SMALL

Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def start() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts ``hybridhash`` with pipes on both outputs."""
    with ExitStack() as stack:

        def start(*arguments: str | Path) -> subprocess.Popen[str]:
            command = [sys.executable, "-m", "hybridhash", *map(str, arguments)]
            process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            return stack.enter_context(process)

        yield start


def test_a_whole_comparison_says_nothing_but_its_progress(start: Start, clicks: Path, tmp_path: Path) -> None:
    flags = [*COLUMNS, *SMALL, "--seeds", "1", "--method", "hashed", "--out", str(tmp_path / "out")]
    process = start("compare", clicks, *flags)
    out, err = process.communicate()
    assert process.returncode == 0, err
    lines = err.splitlines()
    assert lines[-1] == f"written: {tmp_path / 'out' / 'results.json'}, {tmp_path / 'out' / 'report.html'}"
    assert [line.partition(":")[0] for line in lines] == ["hashed", "hashed", "written"]
    assert "hashed" in out


def test_an_error_is_one_line_and_code_2(start: Start, clicks: Path) -> None:
    process = start("profile", clicks, "--label", "absent", "--categorical", "site")
    out, err = process.communicate()
    assert (process.returncode, out, len(err.splitlines())) == (2, "", 1)
    assert "'absent'" in err


@pytest.mark.parametrize("times", [1, 100])
def test_a_closed_pipe_is_no_error(start: Start, model: Path, clicks: Path, times: int) -> None:
    """As in ``| head -1``: the reader goes after the first line, with little or much still to come."""
    process = start("predict", model, *[clicks] * times)
    assert process.stdout is not None
    assert process.stderr is not None
    assert process.stdout.readline() == "probability\n"
    process.stdout.close()
    assert process.stderr.read() == ""
    assert process.wait() == 0


@pytest.mark.parametrize("command", ["profile", "inspect"])
def test_a_table_into_a_closed_pipe_is_no_error(model: Path, clicks: Path, command: str) -> None:
    arguments = [model] if command == "inspect" else [clicks, *COLUMNS]
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-m", "hybridhash", command, *map(str, arguments)],
        stdout=write, stderr=subprocess.PIPE, text=True, check=False,
    )  # fmt: skip
    os.close(write)
    assert (done.returncode, done.stderr) == (0, "")


def test_ctrl_c_while_training(start: Start, clicks: Path, tmp_path: Path) -> None:
    flags = [
        *COLUMNS,
        *SMALL[:4],
        "--epochs",
        "100000",
        "--patience",
        "100000",
        "--learning-rate",
        "0.0001,0.001",
    ]
    process = start("train", clicks, *flags, "--out", tmp_path / "m.hh")
    folder = tmp_path / "m.hh.runs"
    deadline = time.monotonic() + 60
    while not list(folder.glob("*.checkpoint")) and time.monotonic() < deadline:
        time.sleep(0.05)  # written after the first pass
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert out == ""
    assert err.splitlines()[-1].startswith("hybridhash: interrupted; ")
    assert "Traceback" not in err
    assert len(list(folder.iterdir())) == 1
