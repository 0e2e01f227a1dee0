"""Which cells there are, and that a second run makes none again."""

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from benchmarks.quality.benchmark import PEERS_BENCHMARK, TAILS_BENCHMARK, Benchmark
from benchmarks.quality.runs import Cell, Folders, cells_of, run_set, versions_of
from benchmarks.quality.sets import ROOT, data_sets, tiny_sets
from benchmarks.quality.shapes import SHAPES_STUDY
from benchmarks.quality.summary import read_panels

from benchmarks.quality import runs
from hybridhash.errors import DivergedError
from hybridhash.experiments import Silence
from hybridhash.trials.runoff import Tuned, Tuning
from hybridhash.trials.runs import TUNING_VERSION

BENCHMARK = Benchmark("some", ("full", "hashed"), (0.1, 0.05))
GRID_BENCHMARK = replace(BENCHMARK, name="grid", runoff=False)


class Notes(Silence):
    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)


def test_the_full_table_is_one_cell_and_the_others_one_per_budget() -> None:
    found = cells_of(["hashed", "full"], (0.1, 0.05, 0.025), 1001)
    assert found == [
        Cell("full", 1.0, 1001),
        Cell("hashed", 0.1, 100),
        Cell("hashed", 0.05, 50),
        Cell("hashed", 0.025, 25),
    ]
    assert [cell.method for cell in cells_of(["hybrid"], (0.1, 0.025), 100)] == ["hybrid"] * 2


def run_tiny(benchmark: Benchmark, folder: Path, seeds: int = 1) -> list[dict[str, Any]]:
    """Run regular hashing on the tiny stream and return all rows that are kept."""
    run_set(benchmark, "tiny", tiny_sets()["tiny"], ["hashed"], seeds, 1, Folders(folder, folder), Silence())
    return [json.loads(line) for line in benchmark.rows_of(folder, "tiny").read_text().splitlines()]


@pytest.mark.parametrize("benchmark", [BENCHMARK, GRID_BENCHMARK], ids=["run-off", "grid"])
def test_a_second_run_trains_what_is_new(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, benchmark: Benchmark
) -> None:
    first = run_tiny(benchmark, tmp_path)
    for name in ("tune", "tune_on_grid"):
        monkeypatch.setattr(runs, name, lambda *_: pytest.fail("tuned again"))
    assert run_tiny(benchmark, tmp_path) == first
    rows = run_tiny(benchmark, tmp_path, seeds=2)
    assert [row["seed"] for row in rows if row["kind"] == "judged"] == [0, 0, 1, 1]
    assert sum(row["kind"] == "tuned" for row in rows) == 2


def test_all_that_was_trained_for_a_choice_is_kept(tmp_path: Path) -> None:
    """Two rates, so both run off; two passes at most."""
    for row in run_tiny(BENCHMARK, tmp_path):
        if row["kind"] == "tuned":
            assert set(row["curves"]) == {"0.02", "0.1"}
            assert [len(curves) for curves in row["curves"].values()] == [3, 3]
            curves = row["curves"][str(row["tuned"]["learning_rate"])]
            rces = [curve[row["tuned"]["epochs"] - 1] for curve in curves]
            assert row["tuned"]["validation_rce"] == pytest.approx(np.mean(rces))


def test_without_a_run_off_each_rate_has_one_curve(tmp_path: Path) -> None:
    for row in run_tiny(GRID_BENCHMARK, tmp_path):
        if row["kind"] == "tuned":
            assert [len(curves) for curves in row["curves"].values()] == [1, 1]


def test_judged_runs_of_another_choice_are_not_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = run_tiny(BENCHMARK, tmp_path)
    path = BENCHMARK.rows_of(tmp_path, "tiny")
    judged = [row for row in before if row["kind"] == "judged"]
    path.write_text("".join(f"{json.dumps(row)}\n" for row in judged))
    other = Tuned(0.05, 1, 2.0)
    monkeypatch.setattr(runs, "tune", lambda *_: Tuning(other, {}))
    after = run_tiny(BENCHMARK, tmp_path)
    assert after[: len(judged)] == judged
    assert [row["tuned"] for row in after[len(judged) :] if row["kind"] == "judged"] == [vars(other)] * 2
    [panel] = read_panels(tmp_path, ["tiny"], BENCHMARK)
    assert {(point.rate, point.epochs) for point in panel.points} == {(0.05, 1)}


def test_the_way_of_tuning_is_of_studies_that_follow_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found: dict[bool, list[str]] = {True: [], False: []}
    for version in (1, 2):
        monkeypatch.setattr(runs, "TUNING_VERSION", version)
        for benchmark in (BENCHMARK, GRID_BENCHMARK):
            found[benchmark.runoff].append(run_tiny(benchmark, tmp_path)[-1]["of"])
    assert found[True][0] != found[True][1]
    assert found[False][0] == found[False][1]
    assert len({*found[True], *found[False]}) == 3


def test_rows_of_tails_do_not_depend_on_the_way_of_tuning() -> None:
    """They are tuned on the grid alone; with a version in their digest all would be trained again."""
    assert versions_of(TAILS_BENCHMARK) == ()
    assert versions_of(PEERS_BENCHMARK) == versions_of(SHAPES_STUDY) == (TUNING_VERSION,)


def test_what_diverges_is_said_and_the_rest_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def diverge(*_: object) -> None:
        raise DivergedError("diverged")

    monkeypatch.setattr(runs, "tune", diverge)
    heard = Notes()
    run_set(BENCHMARK, "tiny", tiny_sets()["tiny"], ["hashed"], 1, 1, Folders(tmp_path, tmp_path), heard)
    notes = [note for note in heard.notes if "diverged" in note]
    assert notes == [f"tiny, hashed, {share}: diverged" for share in ("10.0%", "5.0%")]


@pytest.mark.parametrize(
    ("name", "file", "num_bytes"),
    [("movietweetings", "ratings.dat", 4_193_082), ("assistments", "assist09.parquet", 927_301)],
)
def test_what_was_kept_is_of_today(tmp_path: Path, name: str, file: str, num_bytes: int) -> None:
    """A setting that comes or goes must not make hours of kept runs stale; the file has the data's name and size."""
    with (tmp_path / file).open("wb") as empty:
        empty.truncate(num_bytes)
    prepared: Any = SimpleNamespace(files=(str(tmp_path / file),))
    kept = PEERS_BENCHMARK.rows_of(ROOT / "benchmarks" / "results", name).read_text().splitlines()
    found = runs.digest(prepared, data_sets()[name].settings, *versions_of(PEERS_BENCHMARK))
    assert found == json.loads(kept[-1])["of"]
