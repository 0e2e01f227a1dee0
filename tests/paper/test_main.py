"""A tiny run of the studies, as a user starts it."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from paper.report import write_paper_report
from paper.study import Section, SkippedError, Study, Verdict

from hybridhash.errors import BudgetError
from paper import __main__ as program
from paper import figure4, figure5, table1, table2, table3


def test_a_tiny_run_leaves_rows_and_a_report_and_a_second_one_makes_nothing_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Every case and worker is a process, which takes two seconds to start; these three make the report whole.
    monkeypatch.setattr(figure4, "CASES", (figure4.BASELINE, figure4.DOUBLE, figure4.HYBRID))
    monkeypatch.setattr(figure4, "WORKERS", (1,))
    names = ("table1", "table2", "figure4")
    assert program.main(["--tiny", "--out", str(tmp_path), "--only", *names]) == 0
    page = (tmp_path / "report.html").read_text()
    for title in ("Table 1: space", "Table 2: expected", "Figure 4: training speed"):
        assert title in page
    assert "2.45e-14" in page
    assert "about 0.78" in page
    assert "<svg" in page
    assert "<script" not in page
    for ending in ("png", "svg"):
        assert (tmp_path / f"figure4.{ending}").stat().st_size > 5000
    before = {name: (tmp_path / f"{name}.jsonl").read_text() for name in names}
    rows = {name: [json.loads(line) for line in text.splitlines()] for name, text in before.items()}
    assert {name: len(found) for name, found in rows.items()} == {
        "table1": 1,
        "table2": 1,
        "figure4": 3 * 2 + 1,
    }
    *turns, tables = rows["figure4"]
    assert all(row["steps"] == 20 and row["steps_per_s"] > 0 for row in turns)
    machine = json.loads((tmp_path / "figure4.json").read_text())["summary"]["machine"]
    assert all(row["machine"] == machine for row in rows["figure4"])
    assert all(microseconds > 0 for microseconds in tables["table_us"].values())

    for module, name in ((table1, "measure"), (table2, "measure"), (figure4, "prepared_ads")):
        monkeypatch.setattr(module, name, lambda *_: pytest.fail("made again"))
    assert program.main(["--tiny", "--out", str(tmp_path), "--only", "table1"]) == 0
    assert program.main(["--tiny", "--out", str(tmp_path), "--only", *names]) == 0
    assert before == {name: (tmp_path / f"{name}.jsonl").read_text() for name in names}
    assert json.loads((tmp_path / "table1.json").read_text())["scale"] == "tiny"
    assert "Figure 4: training speed" in (tmp_path / "report.html").read_text()

    # Another machine's rows are not this one's.
    another = replace(figure4.describe_machine(), cpu="another")
    monkeypatch.setattr(figure4, "describe_machine", lambda: another)
    with pytest.raises(pytest.fail.Exception, match="made again"):
        program.main(["--tiny", "--out", str(tmp_path), "--only", "figure4"])


def test_figure_5_follows_the_hybrids_that_table_3_chose(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        figure5, "SIZE", 1
    )  # of a tiny model the layers alone are larger than the paper's share
    monkeypatch.setattr(table3, "RATES", (0.02, 0.05))
    assert program.main(["--tiny", "--out", str(tmp_path), "--only", "table3_ads", "figure5"]) == 0
    table3_ads, summary = (
        json.loads((tmp_path / f"{name}.json").read_text())["summary"] for name in ("table3_ads", "figure5")
    )
    assert summary["from_table3"]
    fields = ("num_head", "num_buckets", "num_hashes", "combine")
    trained = [
        {name: row["settings"][name] for name in fields}
        for row in (*table3_ads["tuned"]["rows"], *table3_ads["joined"])
    ]
    assert summary["tables"]["hybrid, summed"] in trained
    assert summary["tables"]["hybrid, joined"] in trained
    assert "The hybrids are those that table 3 chose" in (tmp_path / "report.html").read_text()


def test_a_study_that_fails_leaves_the_others_and_the_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> dict[str, object]:
        raise BudgetError("budget: expected more")

    known = {"table1": Study(fail, table1.section), "table2": Study(fail, table2.section)}
    monkeypatch.setattr(program, "studies", lambda data: known)
    assert program.main(["--tiny", "--out", str(tmp_path), "--only", "table1"]) == program.EXIT_FAILED
    page = (tmp_path / "report.html").read_text()
    assert "Failed: budget: expected more" in page
    assert "Not run yet." in page


def test_results_outlive_a_later_call_that_makes_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcomes: list[BaseException] = []

    def run(*_: object) -> dict[str, object]:
        if outcomes:
            raise outcomes.pop()
        return {"text": "good rows"}

    shown = Study(run, lambda summary: Section("A title", summary["text"]))
    monkeypatch.setattr(program, "studies", lambda data: {"table1": shown})
    clock = iter(range(0, 1000, 60))
    monkeypatch.setattr(program.time, "monotonic", lambda: next(clock))

    def call(*more: str) -> tuple[int, dict[str, object], str]:
        code = program.main(["--tiny", "--out", str(tmp_path), "--only", "table1", *more])
        return (
            code,
            json.loads((tmp_path / "table1.json").read_text()),
            (tmp_path / "report.html").read_text(),
        )

    code, record, page = call()
    assert (code, record) == (0, {"scale": "tiny", "summary": {"text": "good rows"}, "seconds": 60.0})
    assert "earlier call" not in page

    for error, reason, expected in (
        (SkippedError("no <data>"), "skipped", 0),
        (BudgetError("budget: expected more"), "failed", program.EXIT_FAILED),
    ):
        outcomes.append(error)
        code, record, page = call()
        assert (code, record["summary"], record[reason]) == (expected, {"text": "good rows"}, str(error))
        assert "good rows" in page
    assert "Failed: budget: expected more What stands here is from an earlier call." in page
    assert record["seconds"] == 180.0

    outcomes.append(KeyboardInterrupt())
    code, record, page = call()
    assert code == program.EXIT_INTERRUPTED
    assert record == {"scale": "tiny", "summary": {"text": "good rows"}, "seconds": 240.0}


def test_an_interrupted_first_call_leaves_its_seconds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(*_: object) -> dict[str, object]:
        raise KeyboardInterrupt

    monkeypatch.setattr(program, "studies", lambda data: {"table1": Study(run, table1.section)})
    code = program.main(["--tiny", "--out", str(tmp_path), "--only", "table1"])
    assert code == program.EXIT_INTERRUPTED
    record = json.loads((tmp_path / "table1.json").read_text())
    assert set(record) == {"scale", "seconds"}


def test_results_of_another_scale_are_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "table1.json").write_text('{"scale": "full", "summary": {}, "seconds": 1}')
    assert program._record(tmp_path, "table1", program.SCALES["tiny"]) == {}
    assert program._record(tmp_path, "table1", program.FULL)["seconds"] == 1


def test_the_report_says_why_a_study_is_missing(tmp_path: Path) -> None:
    def skip(*_: object) -> dict[str, object]:
        raise SkippedError("no data: give --data DIR")

    shown = Section("A <title>", "<p>text</p>", (), (Verdict("It <holds>.", True, "1 > 0"),))
    known = {
        "good": Study(skip, lambda summary: shown),
        "without": Study(skip, lambda summary: shown),
        "never": Study(skip, lambda summary: shown),
    }
    records = {"good": {"summary": {}, "seconds": 90.0}, "without": {"skipped": "no data: give --data DIR"}}
    write_paper_report(tmp_path, known, records, "footer")
    page = (tmp_path / "report.html").read_text()
    assert "A &lt;title&gt;" in page
    assert "It &lt;holds&gt;." in page
    assert "Skipped: no data: give --data DIR" in page
    assert "Not run yet." in page
    assert "1.5" in page
