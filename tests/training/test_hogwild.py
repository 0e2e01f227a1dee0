import signal
import time
from collections.abc import Callable
from dataclasses import replace
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from hybridhash import optim
from hybridhash.data import TRAIN, VALIDATION, KeyedRows
from hybridhash.errors import DivergedError, InvalidTypeError, InvalidValueError, WorkerError
from hybridhash.metrics import relative_cross_entropy
from hybridhash.training import (
    Hogwild,
    Progress,
    TrainSettings,
    TrainState,
    build_optimizers,
    predict,
    train,
)
from hybridhash.training.checkpoint import Saver
from hybridhash.training.hogwild import _portable

SETTINGS = TrainSettings(optimizer="adagrad", learning_rate=0.05, batch_size=32, epochs=3, patience=3)
NewModel = Callable[..., nn.Module]


def start(model: nn.Module, rows: KeyedRows, settings: TrainSettings) -> Hogwild:
    optimizers = build_optimizers(model, settings.optimizer, settings.learning_rate)
    return Hogwild(model, optimizers, rows, rows.indices(TRAIN), settings)


def test_one_worker_makes_the_steps_of_the_plain_loop_bit_for_bit(
    rows: KeyedRows, new_model: NewModel
) -> None:
    """With the optimizer that has the most state: two moments and the number of steps."""
    settings = replace(SETTINGS, optimizer="adam", epochs=2)
    plain, shared = (new_model(seed=5, optimizer=optim.Adam(0.05)) for _ in range(2))
    train(plain, rows, rows.indices(TRAIN), settings)
    state = TrainState([0])
    with start(shared, rows, settings) as workers:
        for _ in range(2):
            ends = workers.make_steps(state)
            assert state.worker_steps == [10]  # 300 rows in steps of 32
            state.count_epoch(None)
    for (name, left), right in zip(plain.state_dict().items(), shared.state_dict().values(), strict=True):
        assert torch.equal(left, right), name
    assert ends.size == 10
    assert ends[0] > 0
    assert (np.diff(ends) > 0).all()
    assert (state.epoch, state.steps) == (2, 20)
    assert state.train_s >= ends[-1]


def test_two_workers_learn_what_one_learns(rows: KeyedRows, new_model: NewModel, tmp_path: Path) -> None:
    """And pause for checkpoints, report progress, and move every parameter that one moves."""
    indices, validation = rows.indices(TRAIN), rows.indices(VALIDATION)
    settings = replace(SETTINGS, epochs=12, patience=12)
    alone, together = (new_model(seed=1, optimizer=optim.Adagrad(0.05)) for _ in range(2))
    before = {name: value.clone() for name, value in together.state_dict().items()}
    train(alone, rows, indices, settings)
    heard: list[Progress] = []
    result = train(
        together,
        rows,
        indices,
        replace(settings, workers=2),
        validation=validation,
        on_progress=heard.append,
        checkpoint=tmp_path / "checkpoint",
        checkpoint_every_s=0.0,
    )
    assert (result.epochs, result.steps, len(result.validation_rce)) == (12, 120, 12)
    assert result.steps_per_s > 0
    assert result.validation_rce[-1] == relative_cross_entropy(
        predict(together, rows, validation), rows.labels[validation]
    )
    quality = [
        relative_cross_entropy(predict(model, rows, indices), rows.labels[indices])
        for model in (alone, together)
    ]
    # The best that can be had is 53; a model that lost every second step would be several points behind.
    assert quality[0] > 40
    assert quality[1] == pytest.approx(quality[0], abs=3)
    for name, value in alone.state_dict().items():
        if not torch.equal(value, before[name]):
            assert not torch.equal(together.state_dict()[name], before[name]), name
    assert heard
    assert all(progress.num_rows == 300 and progress.steps_per_s > 0 for progress in heard)
    assert any(np.isfinite(progress.rce) for progress in heard)


def test_ctrl_c_stops_the_workers_and_the_run_goes_on_later(
    rows: KeyedRows, new_model: NewModel, tmp_path: Path
) -> None:
    settings = replace(SETTINGS, workers=2, batch_size=1, epochs=2)
    checkpoint = tmp_path / "checkpoint"

    def interrupt(progress: Progress) -> None:
        signal.raise_signal(signal.SIGINT)

    def run(on_progress: Callable[[Progress], None] | None) -> int:
        model = new_model(seed=1, optimizer=optim.Adagrad(0.05))
        return train(
            model, rows, rows.indices(TRAIN), settings, on_progress=on_progress, checkpoint=checkpoint
        ).steps

    with pytest.raises(KeyboardInterrupt):
        run(interrupt)
    assert checkpoint.exists()
    assert run(None) == 600


class Interrupted:
    """A channel on which Ctrl-C comes as soon as something has been sent, or heard."""

    def __init__(self, channel: Connection, at: str) -> None:
        self._channel, self._at = channel, at

    def __getattr__(self, name: str) -> Any:
        return getattr(self._channel, name)

    def send(self, what: Any) -> None:
        self._channel.send(what)
        self._interrupt("send")

    def recv(self) -> Any:
        said = self._channel.recv()
        self._interrupt("recv")
        return said

    def _interrupt(self, at: str) -> None:
        if at == self._at:
            self._at = ""
            signal.raise_signal(signal.SIGINT)


def test_ctrl_c_is_heard_after_a_worker_that_has_finished(rows: KeyedRows, new_model: NewModel) -> None:
    """Or a pause would wait for ever for what the worker has said already."""
    with start(new_model(optimizer=optim.Adagrad(0.05)), rows, SETTINGS) as workers:
        workers._start(TrainState([0]))
        workers._channels[0] = Interrupted(workers._channels[0], "recv")  # type: ignore[call-overload]
        with pytest.raises(KeyboardInterrupt):
            workers._hear(None)
        assert not workers._busy


def test_ctrl_c_in_the_moment_of_the_start_stops_the_workers(rows: KeyedRows, new_model: NewModel) -> None:
    state = TrainState([0])
    with start(new_model(optimizer=optim.Adagrad(0.05)), rows, replace(SETTINGS, batch_size=1)) as workers:
        workers._channels[0] = Interrupted(workers._channels[0], "send")  # type: ignore[call-overload]
        with pytest.raises(KeyboardInterrupt):
            workers.make_steps(state)
        assert not workers._busy
        assert state.worker_steps == workers._board.steps.tolist()


def test_a_pause_does_not_wait_for_a_worker_that_is_gone(rows: KeyedRows, new_model: NewModel) -> None:
    with start(new_model(optimizer=optim.Adagrad(0.05)), rows, SETTINGS) as workers:
        workers._processes[0].kill()
        ours, _theirs = Pipe()
        workers._channels[0].close()
        workers._channels[0] = ours  # open, and silent
        workers._busy.add(0)
        with pytest.raises(WorkerError, match=r"worker 0: .* ended with code -9"):
            workers._pause()


def test_the_time_of_a_checkpoint_is_no_step(rows: KeyedRows, new_model: NewModel) -> None:
    state, saved_at, pause_s = TrainState([0]), [], 0.5

    class Once(Saver):
        @property
        def is_due(self) -> bool:
            return not saved_at

    def save() -> None:
        saved_at.append(state.worker_steps[0])
        time.sleep(pause_s)

    model, settings = new_model(optimizer=optim.Adagrad(0.05)), replace(SETTINGS, batch_size=1)
    indices = np.tile(rows.indices(TRAIN), 4)
    with Hogwild(model, build_optimizers(model, "adagrad", 0.05), rows, indices, settings) as workers:
        ends = workers.make_steps(state, saver=Once(save, 0.0))
    assert saved_at[0] < state.worker_steps[0] == indices.size
    assert 0 < state.train_s < ends[-1] - pause_s / 2


def test_a_worker_that_diverges_says_so(rows: KeyedRows, new_model: NewModel) -> None:
    settings = replace(SETTINGS, optimizer="sgd", learning_rate=1e30)
    message = r"training diverged in step \d+: .* below 1e\+30"
    with (
        start(new_model(optimizer=optim.SGD(1e30)), rows, settings) as workers,
        pytest.raises(DivergedError, match=message),
    ):
        workers.make_steps(TrainState([0]))


def test_an_error_of_a_worker_is_raised(rows: KeyedRows, new_model: NewModel) -> None:
    model, indices = new_model(optimizer=optim.Adagrad(0.05)), rows.indices(TRAIN) + 1000
    with pytest.raises(WorkerError, match=r"worker \d failed:\n(.|\n)*IndexError"):
        train(model, rows, indices, replace(SETTINGS, workers=2))


def test_an_error_of_ours_is_raised_as_it_is(rows: KeyedRows, new_model: NewModel) -> None:
    of_floats = replace(rows.lists[0], keys=rows.lists[0].keys.astype(np.float32))
    rows = replace(rows, singles=rows.singles.astype(np.float32), lists=(of_floats,))
    with (
        start(new_model(optimizer=optim.Adagrad(0.05)), rows, SETTINGS) as workers,
        pytest.raises(InvalidTypeError, match="expected int64 or int32"),
    ):
        workers.make_steps(TrainState([0]))


def test_a_worker_that_is_killed_is_reported(rows: KeyedRows, new_model: NewModel) -> None:
    with start(new_model(optimizer=optim.Adagrad(0.05)), rows, SETTINGS) as workers:
        workers._processes[0].kill()
        workers._processes[0].join()
        with pytest.raises(WorkerError, match=r"worker 0: .* ended with code -9"):
            workers.make_steps(TrainState([0]))


def test_sparse_gradients_are_refused(rows: KeyedRows, new_model: NewModel) -> None:
    with pytest.raises(InvalidValueError, match="expected tables that move their own rows"):
        train(new_model(), rows, rows.indices(TRAIN), replace(SETTINGS, workers=2))


def test_only_errors_of_ours_travel_as_they_are() -> None:
    own = InvalidValueError("expected this")
    assert _portable(own, 3) is own
    other = _portable(ZeroDivisionError("by zero"), 3)
    assert isinstance(other, WorkerError)
    assert "worker 3" in str(other)
    assert "ZeroDivisionError: by zero" in str(other)
