"""The commands on real data, at a size that fits the tests; the README's figures come from `make demo`."""

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from hybridhash.experiments import CompareSettings, Silence, compare, merge_settings
from hybridhash.results import ComparedMethod, DataFacts

ONE_PASS = {"epochs": 1, "learning_rate": 0.05, "seeds": 1}


def run(data: Path, **flags: Any) -> tuple[DataFacts, dict[str, ComparedMethod]]:
    settings = merge_settings(CompareSettings, {}, ONE_PASS | flags)
    results = compare([str(data)], settings, Silence(), version="test", command="test")
    return results.data, {method.name: method for method in results.methods}


def test_hybrid_beats_regular_hashing_at_equal_bytes_on_movietweetings(
    real_data: Path, tmp_path: Path
) -> None:
    flags = {"format": "movietweetings", "method": "full,hashed,hybrid", "out": tmp_path / "out"}
    facts, found = run(real_data / "movietweetings", **flags)
    assert (facts.rows, facts.split) == (141_695, "time:0.8")
    rce = {name: method.rce_mean or 0.0 for name, method in found.items()}
    assert rce["full"] > 17
    assert rce["hybrid"] > rce["hashed"] + 2
    row_bytes = 68
    assert abs(found["hybrid"].embedding_bytes - found["hashed"].embedding_bytes) < row_bytes


@pytest.mark.parametrize("form", ["parquet", "tsv"])
def test_criteo_runs_through(form: str, real_data: Path, tmp_path: Path) -> None:
    table = pq.read_table(real_data / "criteo_tb_sample.parquet").slice(0, 20_000)
    data = tmp_path / f"day_0.{form}"
    if form == "parquet":
        pq.write_table(table, data)
    else:  # the layout of the original files: no header, ids as text, empty for null
        names = ["label", *(f"i{index}" for index in range(1, 14)), *(f"c{index}" for index in range(1, 27))]
        columns = [table[name].to_pylist() for name in names]
        lines = (
            "\t".join("" if value is None else str(value) for value in row)
            for row in zip(*columns, strict=True)
        )
        data.write_text("\n".join(lines) + "\n")
    facts, found = run(data, format="criteo", method="hashed,hybrid", out=tmp_path / "out")
    assert facts.rows == 20_000
    assert len(facts.features) == 39
    assert sum(feature.nulls for feature in facts.features) > 0
    assert found["hybrid"].embedding_bytes <= found["hashed"].embedding_bytes + 68
