"""``hybridhash generate``: a log that the other commands read."""

import json
import shlex
from pathlib import Path

import pytest

from .conftest import SMALL, Run


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
