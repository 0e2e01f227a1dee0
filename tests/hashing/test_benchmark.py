"""The program that measures hashing runs, and refuses to time wrong keys."""

import importlib.util
import json
import os
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

pytest.importorskip("xxhash", reason="xxhash is not installed: pip install hybridhash[dev]")
if not hasattr(os, "sched_setaffinity"):
    pytest.skip("needs os.sched_setaffinity", allow_module_level=True)

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "hashing.py"


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("benchmark_hashing", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses looks its module up
    spec.loader.exec_module(module)
    return module


def test_it_measures_every_form(
    script: ModuleType, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = tmp_path / "results" / "hashing.jsonl"
    monkeypatch.setattr(script, "RESULTS", kept)
    rows = script.main(["--quick"])
    assert not kept.exists()
    measured = {(row.form, row.engine) for row in rows}
    assert {form for form, engine in measured if engine == "native"} == {"int64", "arrow", "U16", "S16"}
    assert {form for form, engine in measured if engine == "reference"} == {"int64", "arrow", "U16", "S16"}
    assert ("bytes", "xxhash") in measured
    assert all(row.slowest_keys_per_s <= row.keys_per_s <= row.fastest_keys_per_s for row in rows)
    by_case = {(row.form, row.engine, row.threads): row for row in rows}
    one, slow = by_case["S16", "native", 1], by_case["S16", "reference", 1]
    assert one.times_reference == pytest.approx(one.keys_per_s / slow.keys_per_s)
    assert slow.times_reference == 1
    assert len(capsys.readouterr().out.splitlines()) == 3 + len(rows)


def test_rows_are_kept_when_asked(
    script: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = tmp_path / "results" / "hashing.jsonl"
    monkeypatch.setattr(script, "RESULTS", kept)
    row = script.Row("int64", "native", 1, 3.0, 2.0, 4.0, 16.0, 1.5, 10, "machine")
    monkeypatch.setattr(script, "cases", lambda _: [])
    monkeypatch.setattr(script, "measure", lambda *_: [row])
    script.main(["--keep"])
    script.main(["--keep"])
    lines = [json.loads(line) for line in kept.read_text().splitlines()]
    assert [line["keys_per_s"] for line in lines] == [3.0, 3.0]


@pytest.mark.parametrize("function", ["integer_keys", "numpy_text_keys"])
def test_wrong_keys_are_not_timed(script: ModuleType, monkeypatch: pytest.MonkeyPatch, function: str) -> None:
    def wrong(values: Any, salt: int) -> Any:
        return np.zeros(len(values), dtype=np.int64)

    monkeypatch.setattr(script.native, function, wrong)
    with pytest.raises(SystemExit, match=r"the keys of hybridhash\.hashing\.native are not those"):
        script.cases(1000)
