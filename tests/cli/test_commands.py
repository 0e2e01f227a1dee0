"""Every command on good input, in this process."""

import csv
import io
import json
import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hybridhash import Vocabulary, __version__, load
from hybridhash.cli.app import COMMANDS, make_app
from hybridhash.experiments import (
    CompareSettings,
    ContinuousSettings,
    PlanSettings,
    ProfileSettings,
    Silence,
    SingleSettings,
    SweepSettings,
    merge_settings,
)
from hybridhash.experiments import evaluate as evaluate_file
from hybridhash.experiments.amounts import parse_amount
from hybridhash.training import loop

from .conftest import COLUMNS, SMALL

COMPARE = [*COLUMNS, *SMALL, "--seeds", "1", "--method", "hashed,hybrid"]
Run = Callable[..., Any]


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


def test_compare_leaves_results_report_and_models(run: Run, clicks: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    ended = run("compare", clicks, *COMPARE, "--out", out)
    assert ended.code == 0, ended.err
    results = json.loads((out / "results.json").read_text())
    assert [row["name"] for row in results["methods"]] == ["hashed", "hybrid"]
    assert results["command"].startswith(f"hybridhash compare {clicks} --label clicked")
    assert results["version"] == __version__
    for row in results["methods"]:
        [line] = [line for line in ended.out.splitlines() if re.match(rf"│ {row['name']}\b", line)]
        assert f"{row['rce_mean']:.2f}" in line
        assert load(out / row["bundle"]).label == "clicked"
    assert sorted(path.name for path in out.iterdir()) == [
        "hashed.hh",
        "hybrid.hh",
        "report.html",
        "results.json",
        "runs",
    ]
    assert str(out / "report.html") in ended.err


def test_sweep_leaves_results_and_a_report(run: Run, clicks: Path, tmp_path: Path) -> None:
    out, file = tmp_path / "out", tmp_path / "sweep.toml"
    file.write_text('top-k = ["5%", 100]\nbuckets = "1/8"\nseeds = 1\n')
    ended = run("sweep", clicks, *COLUMNS, *SMALL, "--experiment", file, "--group", "site", "--out", out)
    assert ended.code == 0, ended.err
    results = json.loads((out / "sweep.json").read_text())
    assert [row["stage"] for row in results["rows"]] == ["head", "head", "tail", "baseline"]
    for row in results["rows"]:
        [line] = [line for line in ended.out.splitlines() if row["title"] in line]
        assert f"{row['rce_mean']:.2f}" in line
        assert f"{row['gauc_mean']:.4f}" in line
    assert sorted(path.name for path in out.iterdir()) == ["report.html", "runs", "sweep.json"]


def test_quality_within_a_group(run: Run, clicks: Path, tmp_path: Path) -> None:
    """compare, train and evaluate agree on it; the test rows are all that evaluate sees."""
    out = tmp_path / "out"
    flags = [*COLUMNS, *SMALL, "--group", "site"]
    ended = run("compare", clicks, *flags, "--seeds", "1", "--method", "hashed", "--out", out)
    assert ended.code == 0, ended.err
    results = json.loads((out / "results.json").read_text())
    [row] = results["methods"]
    assert f"{row['gauc_mean']:.4f}" in ended.out
    table = pq.read_table(clicks)
    order = np.argsort(table["ts"].to_numpy(), kind="stable")
    test = tmp_path / "test.parquet"
    pq.write_table(table.take(order[1200 - results["data"]["test_rows"] :]), test)
    found = json.loads(run("evaluate", out / "hashed.hh", test, "--group", "site", "--json").out)
    assert found["gauc"] == pytest.approx(row["gauc"][0], abs=1e-6)
    assert found["ndcg"] == pytest.approx(row["ndcg"][0], abs=1e-6)
    assert (found["groups"], found["groups_left_out"]) == (row["groups"], row["groups_left_out"])
    assert "within site: GAUC" in run("evaluate", out / "hashed.hh", test, "--group", "site").out
    assert "--group: expected one of" in run("evaluate", out / "hashed.hh", test, "--group", "age").error


def test_the_commands_of_the_sweep_page_have_known_flags() -> None:
    page = (Path(__file__).parents[2] / "docs" / "sweep.md").read_text()
    commands = re.findall(r"^    (hybridhash sweep (?:.*\\\n)*.*)$", page, re.MULTILINE)
    assert len(commands) == 4
    for command in commands:
        words = shlex.split(command.replace("\\\n", " "))
        given = {
            words[at].removeprefix("--").replace("-", "_"): words[at + 1]
            for at in range(len(words))
            if words[at].startswith("--")
        }
        settings = merge_settings(SweepSettings, {}, given)
        for flag, texts in (("--top-k", settings.top_k), ("--buckets", settings.buckets)):
            assert all(parse_amount(flag, text) for text in texts)


def test_continuous_leaves_results_and_report(run: Run, clicks: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    flags = ("--split", "time:60h", "--window", "12h", "--seeds", "2", "--budget", "20%")
    ended = run("continuous", clicks, *COLUMNS, *SMALL, *flags, "--out", out)
    assert ended.code == 0, ended.err
    results = json.loads((out / "continuous.json").read_text())
    assert results["command"].startswith(f"hybridhash continuous {clicks} --label clicked")
    [line] = [line for line in ended.out.splitlines() if "│ hybrid" in line]
    [difference] = results["differences"]
    assert f"{difference['mean']:+.3f} [{difference['low']:+.3f}, {difference['high']:+.3f}]" in line
    assert "mean over 5 windows of 12h, 2 seeds" in ended.out
    assert sorted(path.name for path in out.iterdir()) == ["continuous.json", "report.html", "runs"]
    assert str(out / "report.html") in ended.err


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


def test_profile_prints_a_row_for_every_feature(run: Run, clicks: Path) -> None:
    ended = run("profile", clicks, *COLUMNS)
    assert ended.err == ""
    for name in ("user_id", "ad_id", "site", "price", "age", "tags"):
        assert re.search(rf"│ {name} ", ended.out)
    assert "1,200 rows" in ended.out
    assert "…" not in ended.out, "a table that is no terminal's is not cut"


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


@pytest.fixture
def expected(model: Path, clicks: Path) -> np.ndarray:
    return load(model).predict(pq.read_table(clicks))


def test_predict_to_standard_output(run: Run, model: Path, clicks: Path, expected: np.ndarray) -> None:
    ended = run("predict", model, clicks)
    lines = ended.out.splitlines()
    assert (ended.code, ended.err, lines[0]) == (0, "", "probability")
    np.testing.assert_array_equal(np.array(lines[1:], dtype=np.float32), expected)


def test_predict_to_files(run: Run, model: Path, clicks: Path, expected: np.ndarray, tmp_path: Path) -> None:
    for name in ("p.csv", "p.parquet"):
        ended = run("predict", model, clicks, clicks, "--out", tmp_path / name)
        assert (ended.code, ended.out) == (0, "")
        assert f"written: {tmp_path / name}, 2,400 rows" in ended.err
    twice = np.concatenate([expected, expected])
    np.testing.assert_array_equal(np.loadtxt(tmp_path / "p.csv", skiprows=1, dtype=np.float32), twice)
    np.testing.assert_array_equal(pq.read_table(tmp_path / "p.parquet")["probability"].to_numpy(), twice)


def test_predict_keeps_columns(
    run: Run, model: Path, clicks: Path, expected: np.ndarray, tmp_path: Path
) -> None:
    """Those of the model and others, a list among them, before the probability and as they are in the data."""
    data = pq.read_table(clicks)
    odd = [None if row % 7 == 0 else f'{row:04d}, "x"' for row in range(data.num_rows)]
    data = data.append_column("order, no", pa.array(odd))
    pq.write_table(data, tmp_path / "odd.parquet")
    names = 'user_id,"order, no",tags,ts'
    ended = run("predict", model, tmp_path / "odd.parquet", "--keep", names, "--out", tmp_path / "p.parquet")
    assert ended.code == 0
    found = pq.read_table(tmp_path / "p.parquet")
    assert found.column_names == ["user_id", "order, no", "tags", "ts", "probability"]
    for name in found.column_names[:-1]:
        assert found[name].to_pylist() == data[name].to_pylist()
    np.testing.assert_array_equal(found["probability"].to_numpy(), expected)

    ended = run("predict", model, tmp_path / "odd.parquet", "--keep", names)
    rows = list(csv.DictReader(io.StringIO(ended.out)))
    assert [row["order, no"] or None for row in rows] == odd
    assert [row["user_id"] for row in rows] == [str(value) for value in data["user_id"].to_pylist()]
    assert [row["tags"] for row in rows] == [
        "|".join(map(str, value)) if value else "" for value in data["tags"].to_pylist()
    ]
    assert [np.float32(row["probability"]) for row in rows] == expected.tolist()


@pytest.mark.parametrize(
    ("keep", "message"),
    [
        ("user", "did you mean 'user_id'?"),
        ("user_id,user_id", "expected different columns"),
        ("probability", "none of them named 'probability'"),
    ],
)
def test_columns_that_cannot_be_kept(run: Run, model: Path, clicks: Path, keep: str, message: str) -> None:
    ended = run("predict", model, clicks, "--keep", keep)
    assert (ended.code, ended.out) == (2, "")
    assert message in ended.err


def test_csv_refuses_structs(run: Run, model: Path, clicks: Path, tmp_path: Path) -> None:
    data = pq.read_table(clicks)
    place = pa.array([{"x": 1}] * data.num_rows)
    pq.write_table(data.append_column("place", place), tmp_path / "struct.parquet")
    ended = run("predict", model, tmp_path / "struct.parquet", "--keep", "place")
    assert (ended.code, ended.out) == (2, "")
    assert "--keep place: expected values that CSV can hold, got struct<x: int64>" in ended.err


def test_evaluate(run: Run, model: Path, clicks: Path) -> None:
    found = evaluate_file(model, [str(clicks)], Silence())
    assert json.loads(run("evaluate", model, clicks, "--json").out) == vars(found)
    shown = run("evaluate", model, clicks).out
    assert f"1,200 rows, {found.positives:,} positive (clicked)" in shown
    assert f"RCE {found.rce:.3f}, AUC {found.auc:.4f}, log loss {found.log_loss:.4f}" in shown


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


def test_inspect_a_model(run: Run, model: Path) -> None:
    found = json.loads(run("inspect", model, "--json").out)
    predictor = load(model)
    assert found["ledger"] == predictor.ledger.as_dict()
    shown = run("inspect", model).out
    assert f"{model.stat().st_size:,}" in shown
    assert "site (categorical, string)" in shown
    for part, count in predictor.ledger.as_dict().items():
        if count:
            assert re.search(rf"│ {part.replace('_', ' ')} +│ +{count:,} │", shown), part
    table = predictor.spec.deep[0].table
    assert (table.num_head, table.num_hashes) == (0, 4)
    assert f"│ deep │ all others │ 4 of {table.num_buckets:,} shared rows, joined, floats " in shown


def test_inspect_a_vocabulary(run: Run, tmp_path: Path) -> None:
    Vocabulary(np.arange(1000, 3000)).save(tmp_path / "v")
    assert "keys: 2,000" in run("inspect", tmp_path / "v").out
    assert json.loads(run("inspect", tmp_path / "v", "--json").out)["keys"] == 2000


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


@pytest.mark.parametrize("name", ["stream.parquet", "my stream.csv.gz"])
def test_generate_writes_what_compare_reads(run: Run, tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    ended = run("generate", path, "--rows", "500", "--scale", "0.01", "--seed", "1")
    assert ended.code == 0
    [line] = [line for line in ended.err.splitlines() if line.startswith("  hybridhash compare ")]
    given = shlex.split(line)[1:]
    assert run(*given, *SMALL, "--seeds", "1", "--method", "hashed", "--out", tmp_path / "out").code == 0
    results = json.loads((tmp_path / "out" / "results.json").read_text())
    assert results["data"]["best_reachable_rce"] > 0
    assert results["data"]["rows"] == 500


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--preset", "big"], "demo"),
        (["--scale", "0"], "scale"),
        (["--rows", "0"], "rows"),
        (["--seed", "-1"], "seed"),
    ],
)
def test_generate_refuses(run: Run, tmp_path: Path, flags: list[str], message: str) -> None:
    ended = run("generate", tmp_path / "x.parquet", *flags)
    assert ended.code == 2
    assert message in ended.error
    assert list(tmp_path.iterdir()) == []


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
