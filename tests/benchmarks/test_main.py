"""A tiny run of everything, as a user starts it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from benchmarks.peers import FOLDER

from benchmarks import __main__ as program

ROOT = Path(__file__).parents[2]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "benchmarks", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_a_quick_run_measures_every_comparison(tmp_path: Path) -> None:
    if not FOLDER.is_dir():
        pytest.skip(f"no peers: {FOLDER} is not a folder; run make bench")
    done = run("--quick", "--untested", "--out", str(tmp_path))
    assert done.returncode == 0, done.stderr
    for heading in ("Training step, Adagrad", "by T", "Keys to rows, K = 500", "Wide & deep"):
        assert heading in done.stdout
    for name in ("bags", "encode", "wide_deep"):
        rows = [json.loads(line) for line in (tmp_path / f"{name}.jsonl").read_text().splitlines()]
        assert rows
        for row in rows:
            assert len(row["times_ms"]) == 2
            assert row["machine"]["num_threads"] == 1
            assert row["median_ms"] > 0


def test_a_red_kernel_test_stops_the_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(program, "_kernels_pass", lambda: False)
    assert program.main(["--quick", "--out", str(tmp_path)]) == 1
    assert not list(tmp_path.iterdir())
