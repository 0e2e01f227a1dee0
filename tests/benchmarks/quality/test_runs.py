"""Which cells there are, and that a second run makes none again."""

import json
from pathlib import Path

import pytest
from benchmarks.quality.runs import Cell, Folders, cells_of, run_set
from benchmarks.quality.sets import tiny_sets
from benchmarks.quality.study import Study

from benchmarks.quality import runs
from hybridhash.errors import DivergedError
from hybridhash.experiments import Silence

STUDY = Study("some", ("full", "hashed"), (0.1, 0.05))


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


def test_a_second_run_trains_what_is_new(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folders, data = Folders(tmp_path, tmp_path), tiny_sets()["tiny"]
    run_set(STUDY, "tiny", data, ["hashed"], 1, 1, folders, Silence())
    first = STUDY.rows_of(tmp_path, "tiny").read_text()
    monkeypatch.setattr(runs, "tune", lambda *_: pytest.fail("tuned again"))
    run_set(STUDY, "tiny", data, ["hashed"], 1, 1, folders, Silence())
    assert STUDY.rows_of(tmp_path, "tiny").read_text() == first
    run_set(STUDY, "tiny", data, ["hashed"], 2, 1, folders, Silence())
    rows = [json.loads(line) for line in STUDY.rows_of(tmp_path, "tiny").read_text().splitlines()]
    assert [row["seed"] for row in rows if row["kind"] == "judged"] == [0, 0, 1, 1]
    assert sum(row["kind"] == "tuned" for row in rows) == 2


def test_what_diverges_is_said_and_the_rest_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def diverge(*_: object) -> None:
        raise DivergedError("diverged")

    monkeypatch.setattr(runs, "tune", diverge)
    heard = Notes()
    run_set(STUDY, "tiny", tiny_sets()["tiny"], ["hashed"], 1, 1, Folders(tmp_path, tmp_path), heard)
    notes = [note for note in heard.notes if "diverged" in note]
    assert notes == [f"tiny, hashed, {share}: diverged" for share in ("10.0%", "5.0%")]
