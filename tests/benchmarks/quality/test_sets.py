"""The sets are what the README says, and absent data is skipped with a reason."""

from pathlib import Path

import pytest
from benchmarks.quality.sets import data_sets
from paper.study import SkippedError

from benchmarks.quality import sets


def test_one_model_and_one_grid_for_all() -> None:
    found = data_sets()
    assert list(found) == ["movietweetings", "assistments", "ads", "timeline"]
    for name, data in found.items():
        settings = data.settings
        assert (settings.dim, settings.hidden, settings.optimizer) == (16, (64, 32), "adagrad")
        assert settings.learning_rate == (0.005, 0.01, 0.02, 0.05, 0.1)
        assert settings.epochs == 4
        assert settings.model == ("mlp" if name == "timeline" else "wide-deep")
        assert settings.batch_size == (256 if name in ("ads", "timeline") else 1024)
        assert settings.tables == "joint"
    assert (found["assistments"].settings.split, found["assistments"].settings.validation) == (
        "column:fold=5",
        "column:fold=4",
    )


def test_absent_data_is_skipped_with_a_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sets, "ROOT", tmp_path / "repository")
    monkeypatch.delenv("HYBRIDHASH_DATA", raising=False)
    files = data_sets()["movietweetings"].files
    with pytest.raises(SkippedError, match=r"needs movietweetings, which is not there; .*HYBRIDHASH_DATA"):
        files(tmp_path)
    (tmp_path / "shared" / "data" / "movietweetings").mkdir(parents=True)
    assert files(tmp_path) == str(tmp_path / "shared" / "data" / "movietweetings")
    named = tmp_path / "named"
    (named / "movietweetings").mkdir(parents=True)
    monkeypatch.setenv("HYBRIDHASH_DATA", str(named))
    assert files(tmp_path) == str(named / "movietweetings")
