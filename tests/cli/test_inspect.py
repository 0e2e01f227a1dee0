"""``hybridhash inspect`` on a model and a vocabulary."""

import json
import re
from pathlib import Path

import numpy as np

from hybridhash import Vocabulary, load

from .conftest import Run


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
