"""A tiny run of everything, as a user starts it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from benchmarks.quality.__main__ import main
from benchmarks.quality.methods import METHODS

ROOT = Path(__file__).parents[3]


def test_a_tiny_run_writes_rows_tables_and_figures(tmp_path: Path) -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "benchmarks.quality",
            "--tiny",
            "--seeds",
            "1",
            "--jobs",
            "2",
            "--out",
            str(tmp_path),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in (tmp_path / "quality-tiny.jsonl").read_text().splitlines()]
    judged = [row for row in rows if row["kind"] == "judged"]
    assert len(judged) == 1 + 3 * (len(METHODS) - 1)
    assert {row["method"] for row in judged} == set(METHODS)
    assert all(row["embedding_bytes"] <= row["budget_bytes"] for row in judged if row["method"] != "full")
    text = (tmp_path / "quality.md").read_text()
    tables = text[text.index("\n## ") :]
    assert all(tables.count(f"| {method} |") == 3 for method in METHODS)
    assert (tmp_path / "quality.png").read_bytes().startswith(b"\x89PNG")
    assert "<svg" in (tmp_path / "quality.svg").read_text()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--only", "criteo"], "--only: expected names among tiny, got criteo"),
        (["--seeds", "0"], "--seeds: expected 1 or more, got 0"),
        (["--jobs", "0"], "--jobs: expected 1 or more, got 0"),
    ],
)
def test_what_cannot_be_run_is_refused(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(["--tiny", *arguments])
    assert message in capsys.readouterr().err
