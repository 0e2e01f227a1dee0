from pathlib import Path
from typing import Any

import pytest

from hybridhash import load
from hybridhash.errors import FileAccessError
from hybridhash.experiments import Silence, SingleSettings, evaluate, single, train_one
from hybridhash.experiments.single import TrainedModel
from hybridhash.trials import fitting, tuning


def settings(clicks: Path, out: Path, **changes: Any) -> SingleSettings:
    return SingleSettings(
        **{
            "label": "clicked",
            "categorical": ("user_id", "site"),
            "time": "ts",
            "dim": 4,
            "hidden": (8,),
            "epochs": 2,
            "learning_rate": (0.02, 0.1),
            "batch_size": 64,
            "method": "hybrid",
            "budget": "50%",
            "out": out,
            **changes,
        }
    )


def run(clicks: Path, out: Path, **changes: Any) -> TrainedModel:
    return train_one([str(clicks)], settings(clicks, out, **changes), Silence())


def test_leaves_a_model_and_nothing_else(clicks: Path, tmp_path: Path) -> None:
    out = tmp_path / "models" / "m.hh"
    result = run(clicks, out)
    assert [path.name for path in out.parent.iterdir()] == ["m.hh"]
    predictor = load(out)
    assert result.ledger == predictor.ledger
    assert result.file_bytes == out.stat().st_size
    assert result.embedding_bytes <= result.baseline_bytes // 2
    assert result.ledger.dictionary > 0
    assert predictor.label == "clicked"
    assert predictor.notes["method"] == result.method == "hybrid"
    assert predictor.notes["training"] == result.tuned.as_dict()
    assert predictor.notes["test"] == vars(result.quality)
    assert result.tuned.learning_rate in (0.02, 0.1)
    assert result.train_steps_per_s > 0


def test_the_quality_is_that_of_the_file(clicks: Path, tmp_path: Path) -> None:
    """Half of the rows by position, so that the later span can be cut out and evaluated by itself."""
    import pyarrow.parquet as pq

    table = pq.read_table(clicks)
    pq.write_table(table.slice(600), tmp_path / "later.parquet")
    result = run(clicks, tmp_path / "m.hh", time=None, split="time:0.5")
    found = evaluate(tmp_path / "m.hh", [str(tmp_path / "later.parquet")], Silence())
    assert found.rows == 600
    assert found.rce == pytest.approx(result.quality.rce, abs=1e-4)
    assert found.auc == pytest.approx(result.quality.auc, abs=1e-4)


def test_another_seed_is_another_model(clicks: Path, tmp_path: Path) -> None:
    for seed in (0, 1):
        run(clicks, tmp_path / f"{seed}.hh", seed=seed)
    run(clicks, tmp_path / "again.hh", seed=1)
    assert (tmp_path / "1.hh").read_bytes() == (tmp_path / "again.hh").read_bytes()
    assert (tmp_path / "1.hh").read_bytes() != (tmp_path / "0.hh").read_bytes()
    assert load(tmp_path / "1.hh").spec.deep[0].table.seed == 1


@pytest.mark.parametrize("interrupted_call", [2, 3, 7])
def test_an_interrupted_run_goes_on(
    clicks: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    interrupted_call: int,
) -> None:
    """Calls of train: two learning rates, two more seeds of each in the run-off, then the model."""
    run(clicks, tmp_path / "straight.hh")
    real, calls = fitting.train, []

    def train(*arguments: Any, on_progress: Any, **options: Any) -> Any:
        calls.append(options["checkpoint"])

        def interrupt(progress: Any) -> None:
            raise KeyboardInterrupt

        return real(
            *arguments, on_progress=interrupt if len(calls) == interrupted_call else on_progress, **options
        )

    for room in (tuning, fitting):
        monkeypatch.setattr(room, "train", train)
    out = tmp_path / "m.hh"
    with pytest.raises(KeyboardInterrupt):
        run(clicks, out)
    assert not out.exists()
    assert len(list((tmp_path / "m.hh.runs").iterdir())) == interrupted_call
    run(clicks, out)
    assert out.read_bytes() == (tmp_path / "straight.hh").read_bytes()
    assert not (tmp_path / "m.hh.runs").exists()


def test_a_checkpoint_of_other_settings_is_not_taken(
    clicks: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: Any) -> Any:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(single, "judge", interrupt)
        with pytest.raises(KeyboardInterrupt):
            run(clicks, tmp_path / "m.hh", split="time:0.7")
    run(clicks, tmp_path / "m.hh")
    run(clicks, tmp_path / "straight.hh")
    assert (tmp_path / "m.hh").read_bytes() == (tmp_path / "straight.hh").read_bytes()
    assert not (tmp_path / "m.hh.runs").exists()


def test_an_output_that_cannot_be_written_is_refused_before_reading(
    clicks: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(single, "open_model", lambda *_: pytest.fail("read the data first"))
    with pytest.raises(FileAccessError, match="expected a file to write, got a folder"):
        run(clicks, tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(FileAccessError, match="is a file"):
        run(clicks, tmp_path / "file" / "m.hh")


def test_two_workers_leave_a_model_as_good_as_one_does(clicks: Path, tmp_path: Path) -> None:
    changes: dict[str, Any] = {"learning_rate": (0.05,), "epochs": 1, "batch_size": 16}
    alone = run(clicks, tmp_path / "alone.hh", **changes)
    together = run(clicks, tmp_path / "together.hh", workers=2, **changes)
    assert together.quality.log_loss == pytest.approx(alone.quality.log_loss, abs=0.02)
    assert together.embedding_bytes == alone.embedding_bytes
