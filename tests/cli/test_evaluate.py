"""``hybridhash evaluate`` on good input."""

import json
from pathlib import Path

from hybridhash.experiments import (
    Silence,
)
from hybridhash.experiments import evaluate as evaluate_file

from .conftest import Run


def test_evaluate(run: Run, model: Path, clicks: Path) -> None:
    found = evaluate_file(model, [str(clicks)], Silence())
    assert json.loads(run("evaluate", model, clicks, "--json").out) == vars(found)
    shown = run("evaluate", model, clicks).out
    assert f"1,200 rows, {found.positives:,} positive (clicked)" in shown
    assert f"RCE {found.rce:.3f}, AUC {found.auc:.4f}, log loss {found.log_loss:.4f}" in shown
