"""The commands together: help, completion, and where flags stand."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hybridhash import __version__
from hybridhash.cli.app import COMMANDS, make_app
from hybridhash.experiments import (
    CompareSettings,
    ContinuousSettings,
    PlanSettings,
    ProfileSettings,
    SingleSettings,
    SweepSettings,
)

from .conftest import COLUMNS, Run


def test_version(run: Run) -> None:
    assert run("--version").out.strip() == __version__


@pytest.mark.parametrize(
    ("command", "settings"),
    [
        ("compare", CompareSettings),
        ("continuous", ContinuousSettings),
        ("train", SingleSettings),
        ("profile", ProfileSettings),
        ("plan", PlanSettings),
        ("sweep", SweepSettings),
    ],
)
def test_help_names_every_flag_and_its_default(run: Run, command: str, settings: Any) -> None:
    ended = run(command, "--help")
    assert ended.code == 0
    shown = " ".join(ended.out.replace("│", " ").split())
    for name in settings.model_fields:
        assert f"--{name.replace('_', '-')} " in shown, name
    assert "--experiment" in shown
    assert ("[default: 10%]" if command != "sweep" else "[default: 1/32,1/16,1/8,1/4]") in shown
    assert "settings." not in shown


def test_every_command_has_help(run: Run) -> None:
    names = [name for name in make_app() if not name.startswith("-")]
    assert names == list(COMMANDS)
    overview = run("--help").out
    for name in names:
        assert name in overview
        ended = run(name, "--help")
        assert (ended.code, ended.err) == (0, "")
        assert ended.out.startswith(f"Usage: hybridhash {name}")


def test_flags_stand_before_or_behind_the_data(run: Run, clicks: Path, tmp_path: Path) -> None:
    behind = run("profile", clicks, *COLUMNS, "--json")
    before = run("profile", *COLUMNS, "--json", clicks)
    between = run("profile", *COLUMNS[:4], clicks, *COLUMNS[4:], "--json")
    with_equals = run(
        "profile", "--label=clicked", "--categorical=user_id,ad_id,site", clicks, *COLUMNS[4:], "--json"
    )
    twice = ("--categorical", "user_id", "--categorical", "ad_id,site")
    repeated = run("profile", "--label=clicked", *twice, clicks, *COLUMNS[4:], "--json")
    assert behind.code == 0
    assert behind.out == before.out == between.out == with_equals.out == repeated.out
    found = json.loads(behind.out)
    assert [row["name"] for row in found["features"]] == ["user_id", "ad_id", "site", "price", "age", "tags"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_knows_commands_and_flags(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shell: str
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))  # where it adds a line to what the shell reads first
    file = tmp_path / "completion"
    ended = run("--install-completion", "--shell", shell, "--output", file)
    assert ended.code == 0, ended.err
    script = file.read_text()
    for word in (*COMMANDS, "learning-rate", "top-k"):
        assert word in script, word


def test_an_unknown_command(run: Callable[..., Any]) -> None:
    ended = run("frobnicate")
    assert ended.code == 2
    assert "frobnicate" in ended.error
