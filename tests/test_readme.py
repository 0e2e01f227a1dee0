"""The figures that the README quotes are those of the records that commands have left."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from hybridhash.report import format_bytes
from hybridhash.results import Comparison, read_record

ROOT = Path(__file__).parents[1]
RECORDS = ROOT / "benchmarks" / "results"
README = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())


def spread(values: list[float]) -> str:
    return f"{np.mean(values):.2f} ± {np.std(values, ddof=1):.2f}"


def test_the_loop_of_ones_own() -> None:
    """``python examples/own_loop.py FOLDER --record benchmarks/results/own_loop.json`` writes the record."""
    record: dict[str, Any] = json.loads((RECORDS / "own_loop.json").read_text(encoding="utf-8"))
    trained, packed, sizes = zip(*(tuple(run.values()) for run in record["seeds"]), strict=True)
    assert len(trained) == 3
    assert (
        f"With a budget of {record['budget'].replace('%', ' %')} it has an RCE of {spread(trained)} with"
        in README
    )
    assert f"{spread(packed)} from the packed table of {format_bytes(sizes[0])}" in README


def test_the_table_of_all_methods() -> None:
    """``make demo DATA=FOLDER OUT=results/demo`` leaves the record as ``results/demo/results.json``."""
    record = read_record(Comparison, RECORDS / "demo-movietweetings.json")
    assert record.data.source == "movietweetings"
    for method in record.methods:
        name = f"**{method.name}**" if method.name == "auto" else method.name
        row = f"| {name} | {method.rows:,} | {method.embedding_bytes:,} | {method.share_of_baseline:.1%} | "
        row += f"{method.rce_mean:.2f} ± {method.rce_std:.2f} | {method.auc_mean:.4f} |"
        assert row in README
    assert len(record.methods) == 8
    [auto] = [method for method in record.methods if method.name == "auto"]
    assert (
        f"`compare --method auto`, whose model has a wide part too, has {auto.rce_mean:.2f} ± {auto.rce_std:.2f}"
        in README
    )


def test_the_logistic_regression_beside_the_full_table() -> None:
    """``python -m benchmarks.quality.logistic`` writes the record."""
    record = json.loads((RECORDS / "logistic.json").read_text(encoding="utf-8"))
    page = " ".join((ROOT / "benchmarks" / "quality" / "README.md").read_text(encoding="utf-8").split())
    rce = {name: f"{found['rce']:.2f}" for name, found in record.items()}
    assert (
        f"has an RCE of {rce['movietweetings']} on MovieTweetings, {rce['assistments']} on ASSISTments, "
        f"{rce['ads']} on 'ads' and {rce['timeline']} on 'timeline'"
    ) in page
    assert f"on 'timeline' it has {rce['timeline']}" in README
