"""An experiment file in place of flags."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .conftest import COLUMNS, Run


def test_an_experiment_file_in_place_of_flags(run: Run, clicks: Path, tmp_path: Path) -> None:
    path = tmp_path / "experiment.toml"
    path.write_text(
        f'data = "{clicks}"\nlabel = "clicked"\ncategorical = ["user_id", "ad_id", "site"]\n'
        'numeric = "price,age"\nlist = ["tags"]\ntime = "ts"\nbudget = "20%"\nlearning-rate = 0.05\n'
    )
    by_flags = json.loads(run("profile", clicks, *COLUMNS, "--budget", "20%", "--json").out)
    assert json.loads(run("profile", "--experiment", path, "--json").out) == by_flags
    half = json.loads(run("profile", "--experiment", path, "--budget", "10%", "--json").out)
    assert half["budget_bytes"] == by_flags["budget_bytes"] // 2


def test_scoring_takes_an_experiment_file(run: Run, model: Path, clicks: Path, tmp_path: Path) -> None:
    file = tmp_path / "experiment.toml"
    file.write_text(f'data = "{clicks}"\nlabel = "clicked"\nbudget = "10%"\n')
    by_flags = run("evaluate", model, clicks, "--label", "clicked", "--json")
    by_file = run("evaluate", model, "--experiment", file, "--json")
    assert by_flags.code == by_file.code == 0
    assert by_flags.out == by_file.out
    predicted = run("predict", model, "--experiment", file)
    assert predicted.code == 0
    assert predicted.out == run("predict", model, clicks).out


def test_an_experiment_file_with_unknown_names(run: Callable[..., Any], tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    path.write_text("labl = 'clicked'\n")
    assert "did you mean 'label'" in run("profile", "--experiment", path).error
    path.write_text("label = \n")
    assert "expected TOML" in run("profile", "--experiment", path).error
