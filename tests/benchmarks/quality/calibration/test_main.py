"""A tiny run, as a user starts it, and again."""

from pathlib import Path

import pytest

from benchmarks.quality.calibration import __main__ as calibration


def test_a_tiny_run_writes_the_record_and_a_second_one_reads_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--tiny", "--seeds", "2", "--out", str(tmp_path)]
    monkeypatch.setattr("benchmarks.quality.calibration.measure._FEWEST_KEYS", 5)
    monkeypatch.setattr("benchmarks.quality.calibration.measure._FEWEST_READS", 5)
    assert calibration.main(arguments) == 0
    text = (tmp_path / "calibration.md").read_text()
    assert len((tmp_path / "calibration.jsonl").read_text().splitlines()) == 2
    assert "| count after which half of an effect is learned |" in text
    assert "| Tiny stream | user_id | 1 |" in text
    assert "| Tiny stream | codes of 4 bits behind 5% |" in text
    assert "| Tiny stream | all rows at 2 bits |" in text
    assert "## What the model hears of a row" in text
    monkeypatch.setattr(calibration, "FullTable", lambda *_: pytest.fail("measured again"))
    assert calibration.main(arguments) == 0
    assert (tmp_path / "calibration.md").read_text() == text
    assert "tiny, seed 1:" in capsys.readouterr().out


def test_no_seeds_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        calibration.main(["--tiny", "--seeds", "0"])
    assert "--seeds: expected 1 or more, got 0" in capsys.readouterr().err
