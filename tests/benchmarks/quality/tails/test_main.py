"""A tiny run of everything, as a user starts it."""

import json
import subprocess
import sys
from pathlib import Path

from benchmarks.quality.benchmark import TAILS_BENCHMARK

ROOT = Path(__file__).parents[4]


def test_a_tiny_run_writes_rows_and_the_verdict(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "benchmarks.quality.tails", "--tiny", "--seeds", "1", "--jobs", "2"]
    done = subprocess.run(
        [*command, "--out", str(tmp_path)], cwd=ROOT, capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in (tmp_path / "tails-tiny.jsonl").read_text().splitlines()]
    judged = [row for row in rows if row["kind"] == "judged"]
    assert len(judged) == 1 + 2 * (len(TAILS_BENCHMARK.methods) - 1)
    assert {row["method"] for row in judged} == set(TAILS_BENCHMARK.methods)
    assert all(row["embedding_bytes"] <= row["budget_bytes"] for row in judged if row["method"] != "full")
    text = (tmp_path / "tails.md").read_text()
    # Once in the verdict, where the yardsticks are not, and once for each budget.
    assert all(
        text.count(f"| {name} |") == 3
        for name in TAILS_BENCHMARK.methods
        if name not in ("full", "hashed", "hybrid")
    )
    assert all(text.count(f"| {name} |") == 2 for name in ("full", "hashed", "hybrid"))
