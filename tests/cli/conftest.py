"""The command line run in this process, and one model made by it."""

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch

from hybridhash.cli import main

Run = Callable[..., Any]
COLUMNS = [
    "--label",
    "clicked",
    "--categorical",
    "user_id,ad_id,site",
    "--numeric",
    "price,age",
    "--list",
    "tags",
    "--time",
    "ts",
]
SMALL = ["--dim", "4", "--hidden", "8", "--epochs", "1", "--learning-rate", "0.05", "--batch-size", "64"]


@dataclass(frozen=True)
class Ended:
    """What a command left on the terminal."""

    code: int
    out: str
    err: str

    @property
    def error(self) -> str:
        """The one line of an error; notes on the data may stand before it."""
        lines = [line for line in self.err.splitlines() if not line.startswith("note: ")]
        assert len(lines) == 1, self.err
        assert lines[0].startswith("hybridhash: ")
        assert "Traceback" not in self.out + self.err
        return lines[0]


@pytest.fixture(autouse=True, scope="session")
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Ended]:
    """Runs a command line in this process."""

    def run(*arguments: str | Path) -> Ended:
        capsys.readouterr()
        monkeypatch.setattr(sys, "argv", ["hybridhash", *map(str, arguments)])
        code = main([str(argument) for argument in arguments])
        return Ended(code, *capsys.readouterr())

    return run


@pytest.fixture(scope="session")
def model(clicks: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that ``hybridhash train`` made of the clicks."""
    out = tmp_path_factory.mktemp("model") / "model.hh"
    assert main(["train", str(clicks), *COLUMNS, *SMALL, "--out", str(out)]) == 0
    return out
