"""``hybridhash compare`` on good input."""

import json
import re
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from hybridhash import __version__, load

from .conftest import COLUMNS, SMALL, Run

COMPARE = [*COLUMNS, *SMALL, "--seeds", "1", "--method", "hashed,hybrid"]


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
