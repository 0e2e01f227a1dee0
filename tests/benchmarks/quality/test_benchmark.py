"""Names of files, and that every method of a benchmark can be built."""

from pathlib import Path

import pytest
from benchmarks.quality.benchmark import PEERS_BENCHMARK, TAILS_BENCHMARK, Benchmark
from benchmarks.quality.methods import FULL, HASHED, MODULES, PACKAGE_METHODS
from benchmarks.quality.verdict import REFERENCE

from benchmarks.quality.tails import TABLES


def test_runs_are_kept_by_study_and_set() -> None:
    assert Benchmark("tails", (), ()).rows_of(Path("here"), "ads") == Path("here/tails-ads.jsonl")
    assert PEERS_BENCHMARK.rows_of(Path(), "ads") != TAILS_BENCHMARK.rows_of(Path(), "ads")


@pytest.mark.parametrize(
    "benchmark", [PEERS_BENCHMARK, TAILS_BENCHMARK], ids=lambda benchmark: benchmark.name
)
def test_methods_are_named_once_and_known(benchmark: Benchmark) -> None:
    assert len(set(benchmark.methods)) == len(benchmark.methods)
    assert set(benchmark.methods) <= {*PACKAGE_METHODS, *MODULES, *TABLES}
    assert {FULL, HASHED, REFERENCE} <= set(benchmark.methods)
    assert list(benchmark.shares) == sorted(benchmark.shares, reverse=True)
