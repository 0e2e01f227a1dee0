"""The small extra is enough for what does not train: commands in a process where the rest is not installed."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from hybridhash import load
from hybridhash.cli.app import COMMANDS, make_app
from hybridhash.cli.entry import _EXTRAS

from .conftest import COLUMNS

WITHOUT = """
import sys
from importlib.abc import MetaPathFinder

class NotInstalled(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in missing:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

missing = sys.argv[1].split(",")
sys.meta_path.insert(0, NotInstalled())
from hybridhash.cli import main
sys.exit(main(sys.argv[2:]))
"""
TRAIN = list(_EXTRAS["train"])


def run(missing: list[str], *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "error", "-c", WITHOUT, ",".join(missing), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def test_inspect_needs_no_data_stack(model: Path) -> None:
    done = run([*TRAIN, "duckdb", "pyarrow", "pydantic"], "inspect", model)
    assert (done.returncode, done.stderr) == (0, "")
    assert "label: clicked" in done.stdout


def test_predict_needs_no_torch(model: Path, clicks: Path) -> None:
    done = run(TRAIN, "predict", model, clicks)
    assert (done.returncode, done.stderr) == (0, "")
    expected = load(model).predict(pq.read_table(clicks))
    np.testing.assert_array_equal(np.array(done.stdout.split()[1:], dtype=np.float32), expected)


@pytest.mark.parametrize("command", ["evaluate", "profile", "plan", "generate"])
def test_what_else_needs_no_torch(model: Path, clicks: Path, tmp_path: Path, command: str) -> None:
    given = {
        "evaluate": [model, clicks],
        "generate": [tmp_path / "x.csv", "--rows", "100", "--scale", "0.01"],
    }.get(command, [clicks, *COLUMNS])
    done = run(TRAIN, command, *given)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("missing", "arguments", "said"),
    [
        (
            "torch",
            ["train", "clicks", *COLUMNS],
            "expected torch to be installed; run pip install 'hybridhash[train]'",
        ),
        (
            "duckdb",
            ["predict", "model", "clicks"],
            "reading data needs duckdb and pyarrow; install them with: pip install 'hybridhash[cli]'",
        ),
        ("rich", ["--help"], "expected rich to be installed; run pip install 'hybridhash[cli]'"),
    ],
)
def test_names_the_extra_that_is_missing(
    model: Path, clicks: Path, missing: str, arguments: list[str], said: str
) -> None:
    files = {"model": str(model), "clicks": str(clicks)}
    done = run([missing], *(files.get(argument, argument) for argument in arguments))
    assert (done.returncode, done.stdout) == (2, "")
    assert re.fullmatch(rf"hybridhash: (save_bundle: )?{re.escape(said)}\n", done.stderr), done.stderr


def test_the_extras_are_those_of_the_package() -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    declared = project["optional-dependencies"]
    for extra, packages in _EXTRAS.items():
        named = {line.partition(">")[0] for line in declared[extra]} - {"hybridhash[cli]"}
        assert named <= set(packages), extra


def test_the_help_of_commands_is_not_imported_for_their_list() -> None:
    code = "import sys; from hybridhash.cli import main; main(['--help'])\n"
    code += "print(sorted({'pydantic', 'matplotlib', 'torch', 'pyarrow'} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"
    app = make_app()
    for name, summary in COMMANDS.items():
        found = getattr(__import__(f"hybridhash.cli.{name}", fromlist=[name]), name)
        assert found.__doc__.partition("\n")[0] == summary
        assert name in app
