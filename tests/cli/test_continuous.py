"""``hybridhash continuous`` on good input."""

import json
from pathlib import Path

from .conftest import COLUMNS, SMALL, Run


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
