"""Training on windows, against the loop it stands for."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from hybridhash import optim
from hybridhash.data import KeyedRows, Window, iterate_batches
from hybridhash.errors import DivergedError, InvalidValueError
from hybridhash.training import TrainSettings, build_optimizers, predict, train, train_windows, windows
from hybridhash.training.step import device_of, train_step

SETTINGS = TrainSettings(optimizer="adagrad", learning_rate=0.1, batch_size=32, seed=3)
WINDOWS = (Window(0.0, 200, 280), Window(1.0, 280, 280), Window(2.0, 280, 350), Window(3.0, 350, 400))
FIRST_SPAN = np.arange(200)
NewModel = Callable[..., nn.Module]


def keep(window: Window, predictions: np.ndarray) -> dict[str, Any]:
    return {"start": window.start, "predictions": predictions.tolist()}


def run(
    new_model: NewModel,
    rows: KeyedRows,
    *,
    settings: TrainSettings = SETTINGS,
    checkpoint: Path | None = None,
    **options: Any,
) -> tuple[list[Any], nn.Module]:
    model = new_model(seed=1, optimizer=optim.Adagrad(settings.learning_rate))
    optimizers = build_optimizers(model, settings.optimizer, settings.learning_rate)
    if checkpoint is None or not checkpoint.exists():
        train(model, rows, FIRST_SPAN, replace(settings, epochs=2), optimizers=optimizers)
    found = train_windows(model, optimizers, rows, WINDOWS, settings, keep, checkpoint=checkpoint, **options)
    return found, model


@pytest.fixture(scope="module")
def straight(new_model: NewModel, rows: KeyedRows) -> tuple[list[Any], nn.Module]:
    return run(new_model, rows)


def test_the_shipped_model_predicts_and_the_trained_one_learns(
    new_model: NewModel, rows: KeyedRows, straight: tuple[list[Any], nn.Module]
) -> None:
    shipped = []

    class Half(nn.Linear):
        def forward(self, keys: torch.Tensor, offsets: torch.Tensor) -> torch.Tensor:
            return torch.zeros((len(offsets) - 1) // len(rows.schema.names))

    def ship() -> nn.Module:
        shipped.append(Half(1, 1))
        return shipped[-1]

    found, trained = run(new_model, rows, ship=ship)
    assert len(shipped) == len(WINDOWS)
    assert all(set(window["predictions"]) <= {0.5} for window in found)
    ours, theirs = trained.state_dict(), straight[1].state_dict()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)


def test_each_window_is_predicted_before_it_is_learned(
    new_model: NewModel, rows: KeyedRows, straight: tuple[list[Any], nn.Module]
) -> None:
    found, trained = straight
    model = new_model(seed=1, optimizer=optim.Adagrad(0.1))
    optimizers = build_optimizers(model, "adagrad", 0.1)
    train(model, rows, FIRST_SPAN, replace(SETTINGS, epochs=2), optimizers=optimizers)
    for number, window in enumerate(WINDOWS):
        assert found[number]["start"] == window.start
        expected = predict(model, rows, window.rows)
        np.testing.assert_array_equal(np.array(found[number]["predictions"], np.float32), expected)
        if window is not WINDOWS[-1]:
            model.train()
            for batch in iterate_batches(rows, window.rows, 32, SETTINGS.epoch_seed(number)):
                train_step(model, optimizers, batch, device_of(model))
    for name, value in model.state_dict().items():
        assert torch.equal(value, trained.state_dict()[name]), name


def test_the_optimizers_go_on_where_the_first_span_left_them(
    new_model: NewModel, rows: KeyedRows, straight: tuple[list[Any], nn.Module]
) -> None:
    """With new ones the dense layers would take their first, longest steps again."""
    model = new_model(seed=1, optimizer=optim.Adagrad(0.1))
    train(model, rows, FIRST_SPAN, replace(SETTINGS, epochs=2))
    fresh = train_windows(model, build_optimizers(model, "adagrad", 0.1), rows, WINDOWS, SETTINGS, keep)
    assert fresh[0] == straight[0][0]
    assert fresh[-1] != straight[0][-1]


def test_a_later_window_leaves_no_trace_in_earlier_ones(
    new_model: NewModel, rows: KeyedRows, straight: tuple[list[Any], nn.Module]
) -> None:
    labels = rows.labels.copy()
    labels[280:] = 1 - labels[280:]
    singles = rows.singles.copy()
    singles[280:] += 7
    found, _ = run(new_model, replace(rows, labels=labels, singles=singles))
    assert found[:2] == straight[0][:2]
    assert found[2] != straight[0][2]


@pytest.mark.parametrize("interrupted_at", [1, 3, 5])
def test_an_interrupted_run_goes_on_from_the_step(
    new_model: NewModel,
    rows: KeyedRows,
    straight: tuple[list[Any], nn.Module],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    interrupted_at: int,
) -> None:
    """80 and 70 rows make three steps each: within the first window, behind it, within the third."""
    steps, real = 0, windows.make_steps

    def interrupt(*arguments: Any) -> None:
        def take(state: Any, predictions: Any, labels: Any) -> None:
            nonlocal steps
            steps += 1
            if steps == interrupted_at:
                raise KeyboardInterrupt

        arguments[6].take = take
        real(*arguments)

    checkpoint = tmp_path / "run.checkpoint"
    with monkeypatch.context() as patch:
        patch.setattr(windows, "make_steps", interrupt)
        with pytest.raises(KeyboardInterrupt):
            run(new_model, rows, checkpoint=checkpoint)
    assert checkpoint.exists()
    found, model = run(new_model, rows, checkpoint=checkpoint)
    assert found == straight[0]
    for name, value in straight[1].state_dict().items():
        assert torch.equal(value, model.state_dict()[name]), name


def test_an_interruption_while_measuring(
    new_model: NewModel, rows: KeyedRows, straight: tuple[list[Any], nn.Module], tmp_path: Path
) -> None:
    model = new_model(seed=1, optimizer=optim.Adagrad(0.1))
    optimizers = build_optimizers(model, "adagrad", 0.1)
    train(model, rows, FIRST_SPAN, replace(SETTINGS, epochs=2), optimizers=optimizers)
    checkpoint = tmp_path / "run.checkpoint"

    def interrupt(window: Window, predictions: np.ndarray) -> Any:
        if window is WINDOWS[2]:
            raise KeyboardInterrupt
        return keep(window, predictions)

    with pytest.raises(KeyboardInterrupt):
        train_windows(model, optimizers, rows, WINDOWS, SETTINGS, interrupt, checkpoint=checkpoint)
    assert run(new_model, rows, checkpoint=checkpoint)[0] == straight[0]


def test_tells_how_far_it_is_and_saves_now_and_then(
    new_model: NewModel, rows: KeyedRows, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hybridhash.training.progress._REPORT_EVERY_S", 0.0)
    heard: list[Any] = []
    checkpoint = tmp_path / "run.checkpoint"
    run(new_model, rows, checkpoint=checkpoint, on_progress=heard.append, checkpoint_every_s=0.0)
    assert [(one.epoch, one.epochs, one.rows) for one in heard] == [
        *((1, 4, done) for done in (32, 64, 80)),
        *((3, 4, done) for done in (32, 64, 70)),
    ]
    assert checkpoint.exists()


def test_refuses_workers_and_a_model_that_left_the_finite_numbers(
    new_model: NewModel, rows: KeyedRows
) -> None:
    with pytest.raises(InvalidValueError, match="workers: expected 1 for training on windows, got 2"):
        train_windows(new_model(), [], rows, WINDOWS, replace(SETTINGS, workers=2), keep)
    model = new_model()
    with torch.no_grad():
        model.dense[0].weight.fill_(float("nan"))
    with pytest.raises(DivergedError, match="a prediction is not a number"):
        train_windows(model, build_optimizers(model, "sgd", 0.1), rows, WINDOWS, SETTINGS, lambda *_: None)


def test_no_windows_are_no_work(new_model: NewModel, rows: KeyedRows) -> None:
    assert train_windows(new_model(), [], rows, (), SETTINGS, keep) == []
