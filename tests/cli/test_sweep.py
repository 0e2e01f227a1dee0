"""``hybridhash sweep`` on good input, and as the documentation shows it."""

import json
import re
import shlex
from pathlib import Path

from hybridhash.experiments import (
    SweepSettings,
    merge_settings,
)
from hybridhash.experiments.amounts import parse_amount

from .conftest import COLUMNS, SMALL, Run


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
