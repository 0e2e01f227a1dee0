"""``hybridhash train``: what it prints, and how it goes on after Ctrl-C."""

import json
from pathlib import Path
from typing import Any

import pytest

from hybridhash import load
from hybridhash.training import loop

from .conftest import COLUMNS, SMALL, Run


def test_train_prints_the_ledger_and_the_quality(run: Run, clicks: Path, tmp_path: Path) -> None:
    out = tmp_path / "m.hh"
    ended = run("train", clicks, *COLUMNS, *SMALL, "--out", out)
    assert ended.code == 0, ended.err
    model = load(out)
    assert f"{model.ledger.tail_rows:,}" in ended.out
    assert f"{out.stat().st_size:,}" in ended.out
    assert f"test RCE {model.notes['test']['rce']:.3f}" in ended.out
    assert f"written: {out}" in ended.err
    shown = json.loads(run("train", clicks, *COLUMNS, *SMALL, "--out", out, "--json").out)
    assert shown["ledger"] == model.ledger.as_dict()


def test_ctrl_c_ends_with_one_line_and_the_same_command_goes_on(
    run: Run, clicks: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "m.hh"
    real, steps = loop.train_step, []

    def train_step(*arguments: Any) -> Any:
        steps.append(1)
        if len(steps) == 3:
            raise KeyboardInterrupt
        return real(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(loop, "train_step", train_step)
        ended = run("train", clicks, *COLUMNS, *SMALL, "--out", out)
    assert ended.code == 130
    assert ended.err.splitlines()[-1].startswith("hybridhash: interrupted; ")
    assert "Traceback" not in ended.err
    [checkpoint] = (tmp_path / "m.hh.runs").iterdir()
    assert not out.exists()
    shown = run("inspect", checkpoint).out
    assert "progress steps: 2" in shown
    assert json.loads(run("inspect", checkpoint, "--json").out)["progress"]["worker_steps"] == [2]
    assert run("train", clicks, *COLUMNS, *SMALL, "--out", out).code == 0
    assert [path.name for path in tmp_path.iterdir()] == ["m.hh"]
