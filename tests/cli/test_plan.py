"""``hybridhash plan``, and the commands that take its file."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hybridhash import load
from hybridhash.planner import format_loss, read_plan

from .conftest import COLUMNS

Run = Callable[..., Any]
QUICK = ["--epochs", "1", "--learning-rate", "0.05", "--batch-size", "64"]
SHAPE = ["--dim", "8", "--hidden", "8"]


@pytest.fixture
def plan_file(run: Run, clicks: Path, tmp_path: Path) -> Path:
    """The file of a plan at an eighth of the baseline."""
    path = tmp_path / "plan.toml"
    ended = run("plan", clicks, *COLUMNS, *SHAPE, "--budget", "12%", "--out", path)
    assert ended.code == 0, ended.err
    assert f"written: {path} (hybridhash compare --experiment {path})" in ended.out
    return path


def test_it_prints_tiers_reasons_features_and_bytes(run: Run, clicks: Path) -> None:
    arguments = ["plan", clicks, *COLUMNS, *SHAPE, "--budget", "12%"]
    found = json.loads(run(*arguments, "--json").out)
    ended = run(*arguments)
    assert (ended.code, ended.err) == (0, "")
    [table] = found["tables"]
    assert "table deep:joint" in ended.out
    for tier in table["tiers"]:
        assert f"  - {tier['reason']}\n" in ended.out
        assert re.search(rf"│ +{tier['num_keys']:,} │ +{tier['bytes']:,} │", ended.out)
    for row in table["features"]:
        [line] = [line for line in ended.out.splitlines() if f"│ {row['feature']} " in line]
        assert f"{row['exclusive']:.1%}" in line
        assert line.endswith(f" {found['unseen'][row['feature']]:.1%} │")
    assert f"predicted loss {format_loss(table['loss'])} of" in ended.out
    assert table["loss"] > 0
    assert "0.00%" not in ended.out
    shares = [f"{found['bytes'] / found[whole]:.1%} of the" for whole in ("baseline_bytes", "full_bytes")]
    assert all(share in ended.out for share in shares)
    assert f"for {found['keys']:,} keys" in ended.out
    assert "written" not in ended.out


def test_compare_takes_the_file(run: Run, plan_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "compared"
    ended = run("compare", "--experiment", plan_file, *QUICK, "--seeds", "1", "--out", out)
    assert ended.code == 0, ended.err
    results = json.loads((out / "results.json").read_text())
    [row] = results["methods"]
    assert row["name"] == "auto"
    assert row["embedding_bytes"] <= results["budget"]["bytes"]
    model = load(out / row["bundle"])
    assert model.ledger.as_dict() == row["ledger"]
    assert "auto is best (" in ended.out.splitlines()[-1]
    shown = run("inspect", out / row["bundle"]).out
    for tier in model.spec.deep[0].table.tiers:
        assert re.search(rf"│ deep │ +{tier.num_keys:,} │ ", shown)
    assert "bits a float" in shown
    [line] = plan_lines(plan_file)
    assert model.spec.deep[0].table.tiers == read_plan([line])["deep:joint"]


def plan_lines(path: Path) -> list[str]:
    return re.findall(r'^  "(.*)",$', path.read_text(), re.MULTILINE)


def test_train_takes_the_file(run: Run, plan_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "model.hh"
    ended = run("train", "--experiment", plan_file, *QUICK, "--out", out)
    assert ended.code == 0, ended.err
    model = load(out)
    assert model.notes["method"] == "auto"
    assert model.spec.deep[0].table.tiers == read_plan(plan_lines(plan_file))["deep:joint"]
    assert model.spec.ledger().embedding_bytes == model.ledger.embedding_bytes


def test_sweep_takes_the_columns_of_the_file(run: Run, plan_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "swept"
    flags = ["--top-k", "5%", "--buckets", "1/8", "--beside", "nothing", "--seeds", "1"]
    ended = run("sweep", "--experiment", plan_file, *QUICK, *flags, "--out", out)
    assert ended.code == 0, ended.err
    assert json.loads((out / "sweep.json").read_text())["rows"]


def test_without_a_file_the_method_plans_anew(
    run: Run, clicks: Path, plan_file: Path, tmp_path: Path
) -> None:
    """The same counts and budget give the same tiers."""
    out = tmp_path / "model.hh"
    ended = run(
        "train", clicks, *COLUMNS, *SHAPE, *QUICK, "--budget", "12%", "--method", "auto", "--out", out
    )
    assert ended.code == 0, ended.err
    assert load(out).spec.deep[0].table.tiers == read_plan(plan_lines(plan_file))["deep:joint"]


@pytest.mark.parametrize(
    ("plan", "message"),
    [
        (
            "deep:joint = 3/8/16",
            r"--plan: expected tiers of \d+ keys in all, .* plan again with hybridhash plan",
        ),
        ("deep:user = 3/8/16", r"--plan: expected tables among deep:joint, got 'deep:user'; plan again"),
        ("deep:joint: 3", r"--plan: expected a line such as .*hybridhash plan writes them"),
        ("deep:joint = 3/5/16", r"bits: expected 0 or one of"),
    ],
)
def test_a_plan_that_does_not_fit_is_refused(
    run: Run, clicks: Path, tmp_path: Path, plan: str, message: str
) -> None:
    out = tmp_path / "model.hh"
    ended = run("train", clicks, *COLUMNS, *SHAPE, *QUICK, "--method", "auto", "--plan", plan, "--out", out)
    assert ended.code == 2
    assert re.search(message, ended.error), ended.error
    assert not out.exists()


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--budget", "50B"], r"budget: expected at least \d+ bytes"),
        (["--budget", "ten"], "expected a share such as '10%'"),
        (["--budget", "101%"], "at most 100% of the baseline"),
        (["--dim", "0"], "--dim"),
    ],
)
def test_what_cannot_be_planned(
    run: Run, clicks: Path, tmp_path: Path, flags: list[str], message: str
) -> None:
    ended = run("plan", clicks, *COLUMNS, *flags, "--out", tmp_path / "plan.toml")
    assert ended.code == 2
    assert re.search(message, ended.error), ended.error
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there(run: Run, clicks: Path, tmp_path: Path) -> None:
    ended = run("plan", clicks, *COLUMNS, "--out", tmp_path / "absent" / "plan.toml")
    assert ended.code == 2
    assert "absent" in ended.error
