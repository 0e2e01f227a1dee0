"""A tiny run of the rounding benchmark, as a user starts it."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from benchmarks.quality.methods import Span
from benchmarks.quality.rounding import BITS, Bench, main

from hybridhash.data import TRAIN, VALIDATION, EncodedRows
from hybridhash.embeddings import KeyEmbeddingBag, RoundedEmbeddingBag
from hybridhash.metrics import relative_cross_entropy
from hybridhash.models import pack_model
from hybridhash.training import predict
from hybridhash.trials.settings import FitSettings

ROOT = Path(__file__).parents[3]


def run_tiny(out: Path) -> str:
    command = [
        sys.executable,
        "-m",
        "benchmarks.quality.rounding",
        "--tiny",
        "--seeds",
        "1",
        "--out",
        str(out),
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr
    return (out / "rounding.jsonl").read_text()


def test_a_tiny_run_writes_rows_and_a_table_and_is_not_repeated(tmp_path: Path) -> None:
    text = run_tiny(tmp_path)
    rows = [json.loads(line) for line in text.splitlines()]
    cells = {(row["rounding"], row["bits"], row["rate"]) for row in rows}
    assert cells == {
        (rounding, bits, rate)
        for rounding, all_bits in (("after", (*BITS, 32)), ("in-loop", BITS))
        for bits in all_bits
        for rate in (0.02, 0.1)
    }
    assert len(rows) == len(cells)
    page = (tmp_path / "rounding.md").read_text()
    assert all(page.count(f"\n| {bits} | ") == 1 for bits in (*BITS, 32))
    assert run_tiny(tmp_path) == text


@pytest.fixture(scope="module")
def bench(tiny: tuple[EncodedRows, FitSettings]) -> Bench:
    rows, settings = tiny
    return Bench(Span(rows, (TRAIN,), settings), rows, settings)


def test_every_key_has_a_row_in_the_bits_asked_for(bench: Bench) -> None:
    table = bench.layout(2).spec.deep[0].table
    keys = np.unique(np.concatenate([k for chunk in bench.rows.key_chunks(TRAIN) for k in chunk.values()]))
    assert table.num_head == keys.size
    assert [tier.bits for tier in table.tiers] == [2]
    assert [tier.bits for tier in bench.layout(2).spec.wide[0].table.tiers] == [4]


def test_what_is_judged_is_the_shipped_model_on_the_validation_slice(bench: Bench) -> None:
    layout = bench.layout(1)
    trained, seconds = bench.train(bench.layout(32), KeyEmbeddingBag, 0.1, seed=0)
    after = bench.rounded_after(trained, layout, 0.1)
    indices = bench.rows.indices(VALIDATION)
    shipped = predict(pack_model(after, layout.vocabularies), bench.rows, indices)
    found = bench.judge(after, layout)
    assert found["rce"] == relative_cross_entropy(shipped, bench.rows.labels[indices])
    assert found["rce"] != bench.judge(trained, bench.layout(32))["rce"]
    assert found["embedding_bytes"] == layout.spec.ledger().embedding_bytes
    assert seconds > 0


def test_in_the_loop_training_sees_what_is_shipped(bench: Bench) -> None:
    """Under evaluation the trained model already predicts as the packed one does."""
    layout = bench.layout(1)
    model, _ = bench.train(layout, RoundedEmbeddingBag, 0.1, seed=0)
    indices = bench.rows.indices(VALIDATION)
    shipped = predict(pack_model(model, layout.vocabularies), bench.rows, indices)
    np.testing.assert_allclose(predict(model, bench.rows, indices), shipped, rtol=1e-5)


def test_no_seeds_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--tiny", "--seeds", "0"])
    assert "--seeds: expected 1 or more, got 0" in capsys.readouterr().err
