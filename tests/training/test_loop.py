import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from hybridhash import optim
from hybridhash.data import TRAIN, VALIDATION, KeyedRows
from hybridhash.errors import DivergedError, InvalidValueError
from hybridhash.files import read_checked
from hybridhash.metrics import relative_cross_entropy
from hybridhash.training import OPTIMIZERS, Progress, TrainSettings, loop, predict, progress, train

SETTINGS = TrainSettings(optimizer="adagrad", learning_rate=0.1, batch_size=32, epochs=3, patience=3)
FUSED = {"sgd": optim.SGD, "adagrad": optim.Adagrad, "adam": optim.Adam}
NewModel = Callable[..., nn.Module]


def parameters(model: nn.Module) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in model.state_dict().items()}


def assert_bit_equal(left: dict[str, torch.Tensor], right: dict[str, torch.Tensor]) -> None:
    assert left.keys() == right.keys()
    for name in left:
        assert torch.equal(left[name], right[name]), name


def test_learns_what_can_be_learned(rows: KeyedRows, new_model: NewModel) -> None:
    model = new_model()
    trained_on, validation = rows.indices(TRAIN), rows.indices(VALIDATION)

    def rce(indices: np.ndarray) -> float:
        return relative_cross_entropy(predict(model, rows, indices), rows.labels[indices])

    before = rce(trained_on)
    settings = replace(SETTINGS, epochs=12, patience=12)
    result = train(model, rows, trained_on, settings, validation=validation)
    # The label is the parity of a key, flipped in a tenth of the rows: 100 * (1 - H(0.1) / H(0.5)) = 53.
    assert before < 2
    assert rce(trained_on) > 40
    assert max(result.validation_rce) > 25
    assert result.validation_rce[-1] == rce(validation)


def test_says_what_it_did(rows: KeyedRows, new_model: NewModel) -> None:
    result = train(new_model(), rows, rows.indices(TRAIN), SETTINGS, validation=rows.indices(VALIDATION))
    assert (result.epochs, result.steps) == (3, 3 * 10)  # 300 rows in steps of 32
    assert len(result.validation_rce) == 3
    assert result.best_epoch == 1 + int(np.argmax(result.validation_rce))
    assert result.steps_per_s > 0
    assert result.train_s > 0


def test_without_validation_the_last_pass_is_the_best(rows: KeyedRows, new_model: NewModel) -> None:
    result = train(new_model(), rows, rows.indices(TRAIN), SETTINGS)
    assert (result.epochs, result.best_epoch, result.validation_rce) == (3, 3, ())


@pytest.mark.parametrize("fused", [False, True], ids=["torch", "fused"])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_one_seed_gives_one_model(rows: KeyedRows, new_model: NewModel, optimizer: str, fused: bool) -> None:
    models = [new_model(seed=5, optimizer=FUSED[optimizer](0.1) if fused else None) for _ in range(2)]
    for model in models:
        train(model, rows, rows.indices(TRAIN), replace(SETTINGS, optimizer=optimizer))
    assert_bit_equal(parameters(models[0]), parameters(models[1]))


def test_the_seed_is_that_of_the_order_of_rows(rows: KeyedRows, new_model: NewModel) -> None:
    models = [new_model(seed=5) for _ in range(2)]
    for seed, model in enumerate(models):
        train(model, rows, rows.indices(TRAIN), replace(SETTINGS, seed=seed))
    assert not torch.equal(models[0].dense[0].weight, models[1].dense[0].weight)


@pytest.mark.parametrize(
    ("patience", "sequence", "epochs", "best"),
    [
        (1, [1.0, 3.0, 2.0, 9.0], 3, 2),
        (2, [1.0, 3.0, 2.0, 2.9, 9.0], 4, 2),
        (2, [1.0, 3.0, 2.0, 4.0, 3.0, 2.0, 9.0], 6, 4),
        (1, [3.0, 3.0, 9.0], 2, 1),  # no better is not better
        (4, [4.0, 3.0, 2.0, 1.0, 0.0, 9.0], 5, 1),
        (3, [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0], 7, 7),
    ],
)
def test_stops_early(
    rows: KeyedRows,
    new_model: NewModel,
    monkeypatch: pytest.MonkeyPatch,
    patience: int,
    sequence: list[float],
    epochs: int,
    best: int,
) -> None:
    values = iter(sequence)
    monkeypatch.setattr(loop, "relative_cross_entropy", lambda *_: next(values))
    settings = replace(SETTINGS, epochs=7, patience=patience)
    result = train(new_model(), rows, rows.indices(TRAIN), settings, validation=rows.indices(VALIDATION))
    assert (result.epochs, result.best_epoch) == (epochs, best)
    assert result.validation_rce == tuple(sequence[:epochs])


def test_validation_rows_count_by_their_weights(rows: KeyedRows, new_model: NewModel) -> None:
    weights = np.random.default_rng(1).integers(0, 3, rows.num_rows).astype(np.float32)
    weighted = replace(rows, weights=weights)
    model, validation = new_model(), rows.indices(VALIDATION)
    result = train(model, weighted, rows.indices(TRAIN), replace(SETTINGS, epochs=1), validation=validation)
    repeated = np.repeat(validation, weights[validation].astype(int))
    expected = relative_cross_entropy(predict(model, rows, repeated), rows.labels[repeated])
    assert result.validation_rce[0] == pytest.approx(expected, rel=1e-6)


def test_another_model_may_be_judged(rows: KeyedRows, new_model: NewModel) -> None:
    """Here one whose dense layers are zero in the second pass: it is the worse there, so the first is the best."""
    validation, seen = rows.indices(VALIDATION), []
    model, other = new_model(), new_model()

    def judged() -> nn.Module:
        seen.append(parameters(model))
        other.load_state_dict(seen[-1])
        with torch.no_grad():
            other.dense[0].weight.mul_(float(len(seen) != 2))
        expected.append(relative_cross_entropy(predict(other, rows, validation), rows.labels[validation]))
        return other

    expected: list[float] = []
    result = train(
        model, rows, rows.indices(TRAIN), replace(SETTINGS, patience=1), validation=validation, judged=judged
    )
    assert result.validation_rce == tuple(expected)
    assert (result.epochs, result.best_epoch) == (2, 1)
    assert_bit_equal(seen[-1], parameters(model))


def test_who_is_judged_does_not_move_the_model(rows: KeyedRows, new_model: NewModel) -> None:
    models = [new_model(), new_model()]
    for model, judged in zip(models, (None, lambda: new_model(seed=9)), strict=True):
        train(model, rows, rows.indices(TRAIN), SETTINGS, validation=rows.indices(VALIDATION), judged=judged)
    assert_bit_equal(parameters(models[0]), parameters(models[1]))


def interrupt_after_step(monkeypatch: pytest.MonkeyPatch, step: int) -> None:
    """Send Ctrl-C when the parameters of a step have moved and the step is not yet counted."""
    real, calls = loop.train_step, 0

    def train_step(*arguments: Any) -> torch.Tensor:
        nonlocal calls
        predictions = real(*arguments)
        calls += 1
        if calls == step:
            signal.raise_signal(signal.SIGINT)
        return predictions

    monkeypatch.setattr(loop, "train_step", train_step)


def interrupt_validation(monkeypatch: pytest.MonkeyPatch, time: int) -> None:
    real, calls = loop.predict, 0

    def interrupted(*arguments: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == time:
            raise KeyboardInterrupt
        return real(*arguments)

    monkeypatch.setattr(loop, "predict", interrupted)


INTERRUPTS: dict[str, Callable[[pytest.MonkeyPatch], None]] = {
    "first step": lambda patch: interrupt_after_step(patch, 1),
    "mid pass": lambda patch: interrupt_after_step(patch, 14),
    "last step of a pass": lambda patch: interrupt_after_step(patch, 20),
    "validation": lambda patch: interrupt_validation(patch, 1),
}


@pytest.mark.parametrize("fused", [False, True], ids=["torch", "fused"])
@pytest.mark.parametrize(
    ("optimizer", "moment"),
    [
        *((optimizer, "mid pass") for optimizer in OPTIMIZERS),
        *(("adam", moment) for moment in INTERRUPTS if moment != "mid pass"),
    ],
)
def test_an_interrupted_run_ends_as_if_it_had_not_been(
    rows: KeyedRows,
    new_model: NewModel,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    optimizer: str,
    fused: bool,
    moment: str,
) -> None:
    settings = replace(SETTINGS, optimizer=optimizer, learning_rate=0.05)
    options: dict[str, Any] = {"optimizer": FUSED[optimizer](0.05) if fused else None}

    def run(name: str, model: nn.Module) -> Any:
        return train(
            model,
            rows,
            rows.indices(TRAIN),
            settings,
            validation=rows.indices(VALIDATION),
            checkpoint=tmp_path / name,
        )

    straight = new_model(**options)
    expected = run("straight", straight)
    with monkeypatch.context() as patch:
        INTERRUPTS[moment](patch)
        with pytest.raises(KeyboardInterrupt):
            run("broken", new_model(**options))
    resumed = new_model(seed=99, **options)  # its own initial values must not matter
    result = run("broken", resumed)

    assert_bit_equal(parameters(straight), parameters(resumed))
    assert (result.steps, result.epochs) == (expected.steps, expected.epochs)
    assert result.validation_rce == expected.validation_rce
    files = [read_checked(tmp_path / name, "hybridhash-checkpoint", 1) for name in ("straight", "broken")]
    assert files[0].tensors.keys() == files[1].tensors.keys()
    for name, tensor in files[0].tensors.items():
        np.testing.assert_array_equal(tensor, files[1].tensors[name], err_msg=name)
    assert files[0].metadata["numbers"] == files[1].metadata["numbers"]


def test_an_interruption_by_the_listener_is_resumed(
    rows: KeyedRows, new_model: NewModel, tmp_path: Path
) -> None:
    def interrupt(progress: Progress) -> None:
        raise KeyboardInterrupt

    checkpoint = tmp_path / "run.checkpoint"
    with pytest.raises(KeyboardInterrupt):
        train(new_model(), rows, rows.indices(TRAIN), SETTINGS, on_progress=interrupt, checkpoint=checkpoint)
    assert read_checked(checkpoint, "hybridhash-checkpoint", 1).metadata["progress"]["steps"] == 1
    resumed, straight = new_model(), new_model()
    train(resumed, rows, rows.indices(TRAIN), SETTINGS, checkpoint=checkpoint)
    train(straight, rows, rows.indices(TRAIN), SETTINGS)
    assert_bit_equal(parameters(resumed), parameters(straight))


def test_a_finished_run_is_not_repeated(
    rows: KeyedRows, new_model: NewModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoint = tmp_path / "run.checkpoint"
    model = new_model()
    first = train(model, rows, rows.indices(TRAIN), SETTINGS, checkpoint=checkpoint)
    monkeypatch.setattr(loop, "train_step", lambda *_: pytest.fail("trained again"))
    again = new_model(seed=7)
    assert train(again, rows, rows.indices(TRAIN), SETTINGS, checkpoint=checkpoint) == first
    assert_bit_equal(parameters(model), parameters(again))


def test_saves_between_passes_when_it_is_time(
    rows: KeyedRows, new_model: NewModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved: list[int] = []
    monkeypatch.setattr(loop, "save_checkpoint", lambda *given: saved.append(given[-1]["steps"]))
    settings = replace(SETTINGS, epochs=1)
    path = tmp_path / "run.checkpoint"
    train(new_model(), rows, rows.indices(TRAIN), settings, checkpoint=path, checkpoint_every_s=0.0)
    assert saved == [*range(1, 11), 10]
    saved.clear()
    train(new_model(), rows, rows.indices(TRAIN), settings, checkpoint=path, checkpoint_every_s=1e6)
    assert saved == [10]


def test_refuses_a_checkpoint_of_other_settings(rows: KeyedRows, new_model: NewModel, tmp_path: Path) -> None:
    checkpoint = tmp_path / "run.checkpoint"
    train(new_model(), rows, rows.indices(TRAIN), SETTINGS, checkpoint=checkpoint)
    with pytest.raises(InvalidValueError, match="batch_size, learning_rate differ"):
        train(
            new_model(),
            rows,
            rows.indices(TRAIN),
            replace(SETTINGS, learning_rate=0.2, batch_size=31),
            checkpoint=checkpoint,
        )


def test_reports_progress(rows: KeyedRows, new_model: NewModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "_REPORT_EVERY_S", 0.0)
    heard: list[Progress] = []
    train(new_model(), rows, rows.indices(TRAIN), replace(SETTINGS, epochs=2), on_progress=heard.append)
    assert [(item.epoch, item.rows) for item in heard[:2]] == [(1, 32), (1, 64)]
    assert [(item.epoch, item.rows) for item in heard[-2:]] == [(2, 288), (2, 300)]
    assert {(item.epochs, item.num_rows) for item in heard} == {(2, 300)}
    assert all(item.rows_per_s == pytest.approx(32 * item.steps_per_s) for item in heard)
    # 300 + 300 - 32 rows are left after the first step.
    assert heard[0].remaining_s == pytest.approx(568 / 32 / heard[0].steps_per_s)
    assert heard[-1].remaining_s == 0
    assert np.isfinite(heard[-1].rce)


def test_the_running_rce_is_nan_while_there_is_one_label(rows: KeyedRows, new_model: NewModel) -> None:
    heard: list[Progress] = []
    positive = np.flatnonzero(rows.labels == 1)[:20]
    train(new_model(), rows, positive, replace(SETTINGS, epochs=1), on_progress=heard.append)
    assert np.isnan(heard[0].rce)


def test_says_when_a_prediction_diverges(rows: KeyedRows, new_model: NewModel) -> None:
    settings = TrainSettings(optimizer="sgd", learning_rate=1e30, batch_size=32)
    with pytest.raises(DivergedError, match=r"in step \d+: .* below 1e\+30"):
        train(new_model(), rows, rows.indices(TRAIN), settings)


def test_says_when_the_last_step_diverges(rows: KeyedRows, new_model: NewModel) -> None:
    settings = TrainSettings(optimizer="sgd", learning_rate=3e38, batch_size=300, epochs=1)
    model = new_model()
    with torch.no_grad():
        model.dense[0].weight.mul_(1e4)  # so that the one step overflows
    with pytest.raises(DivergedError, match="in step 1: a parameter is not a number"):
        train(model, rows, rows.indices(TRAIN), settings)


def test_refuses_no_rows(rows: KeyedRows, new_model: NewModel) -> None:
    with pytest.raises(InvalidValueError, match="at least one row"):
        train(new_model(), rows, np.empty(0, dtype=np.int64), SETTINGS)


def test_predicts_in_the_order_asked_for(rows: KeyedRows, new_model: NewModel) -> None:
    model = new_model()
    train(model, rows, rows.indices(TRAIN), replace(SETTINGS, epochs=1))
    indices = np.array([5, 300, 2, 2])
    batch = rows.take(indices)
    with torch.no_grad():
        logits = model(torch.from_numpy(batch.keys), torch.from_numpy(batch.offsets)).double().numpy()
    np.testing.assert_allclose(predict(model, rows, indices), 1 / (1 + np.exp(-logits)), rtol=1e-6)
    assert predict(model, rows, indices[:0]).shape == (0,)
