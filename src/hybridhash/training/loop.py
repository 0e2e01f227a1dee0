"""The mini-batch loop: epochs, early stopping, progress, checkpoints."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.optim import Optimizer

from hybridhash.data import KeyedRows, iterate_batches
from hybridhash.errors import InvalidValueError
from hybridhash.metrics import relative_cross_entropy
from hybridhash.training.checkpoint import Saver, load_checkpoint, save_checkpoint
from hybridhash.training.hogwild import Hogwild
from hybridhash.training.interrupt import uninterrupted
from hybridhash.training.optimizers import build_optimizers
from hybridhash.training.progress import Progress, Reporter
from hybridhash.training.settings import TrainSettings
from hybridhash.training.state import TrainState
from hybridhash.training.step import device_of, diverged, predict_batches, train_step

Indices = npt.NDArray[np.int64]
MakeSteps = Callable[[TrainState, Reporter, Saver], object]

PREDICT_BATCH_ROWS: Final = 8192
CHECKPOINT_EVERY_S: Final = 300.0


@dataclass(frozen=True)
class TrainResult:
    """What a training run did.

    Attributes:
        epochs: Passes made.
        best_epoch: The pass with the best validation RCE, from 1; the last without validation rows.
        validation_rce: RCE on the validation rows after each pass; empty without validation rows.
        steps: Steps made.
        steps_per_s: Smoothed steps per second at the end.
        train_s: Seconds spent in training steps and loading their batches.
    """

    epochs: int
    best_epoch: int
    validation_rce: tuple[float, ...]
    steps: int
    steps_per_s: float
    train_s: float


def train(
    model: nn.Module,
    rows: KeyedRows,
    indices: Indices,
    settings: TrainSettings,
    *,
    validation: Indices | None = None,
    judged: Callable[[], nn.Module] | None = None,
    optimizers: Sequence[Optimizer] | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    checkpoint: Path | None = None,
    checkpoint_every_s: float = CHECKPOINT_EVERY_S,
) -> TrainResult:
    """Train a model on rows, in a new random order every pass.

    With validation rows, training stops once ``settings.patience`` passes have not improved the best
    validation RCE. A run that finds its checkpoint goes on from there and ends with the same parameters
    as one that was never interrupted. With several workers (``settings.workers``) the steps are made by
    `hybridhash.training.Hogwild`, and no two runs end with the same parameters.

    Args:
        model: Takes (keys, offsets), returns logits float[B]; changed in place.
        rows: All rows of the data set, as keys.
        indices: int64[N], the rows to train on.
        settings: The numbers of the run.
        validation: int64[V], the rows that decide when to stop.
        judged: Called after each pass; returns the model whose RCE on these rows counts, such as the one that would be
            shipped, and leaves ``model`` as it is. ``model`` itself if not given.
        optimizers: The optimizers from `build_optimizers`, for a caller that goes on with their state; new ones if
            not given.
        on_progress: Called a few times a second.
        checkpoint: A file that is written every ``checkpoint_every_s`` seconds, after every pass, and when
            the run is interrupted from the keyboard; removed by the caller when no longer needed.
        checkpoint_every_s: Seconds between two checkpoints within a pass.

    Returns:
        What the run did.

    Raises:
        DivergedError: A prediction or a parameter is not a finite number.
        InvalidValueError: No rows, the checkpoint is of another run, or the model cannot have workers.
        WorkerError: A worker process has failed.
    """
    if not indices.size:
        raise InvalidValueError("indices: expected at least one row to train on, got none")
    if optimizers is None:
        optimizers = build_optimizers(model, settings.optimizer, settings.learning_rate)
    state = TrainState([0] * settings.workers)
    if checkpoint is not None and checkpoint.exists():
        state = TrainState.from_dict(load_checkpoint(checkpoint, model, optimizers, settings.as_dict()))

    def save() -> None:
        if checkpoint is not None:
            save_checkpoint(checkpoint, model, optimizers, settings.as_dict(), asdict(state))

    saver = Saver(save, checkpoint_every_s)
    reporter = Reporter(settings, indices.size, on_progress)
    with _steps(model, optimizers, rows, indices, settings) as make_pass:
        try:
            while state.epoch < settings.epochs and not _out_of_patience(state, settings):
                model.train()
                make_pass(state, reporter, saver)
                check_finite(model, state, settings)
                rce = None if validation is None else _rce(judged() if judged else model, rows, validation)
                state.count_epoch(rce)
                saver.save()
        except KeyboardInterrupt:
            saver.save()
            raise
    return TrainResult(
        epochs=state.epoch,
        best_epoch=state.best_epoch,
        validation_rce=tuple(state.validation_rce),
        steps=state.steps,
        steps_per_s=state.rate.per_second,
        train_s=state.train_s,
    )


def predict(model: nn.Module, rows: KeyedRows, indices: Indices) -> npt.NDArray[np.float32]:
    """Return the probabilities of rows.

    Args:
        model: Takes (keys, offsets), returns logits float[B].
        rows: All rows of the data set, as keys.
        indices: int64[N].

    Returns:
        float32[N], in the order of ``indices``.
    """
    batches = iterate_batches(rows, indices, PREDICT_BATCH_ROWS)
    parts = list(predict_batches(model, batches, device_of(model)))
    return np.concatenate(parts) if parts else np.empty(0, dtype=np.float32)


@contextmanager
def _steps(
    model: nn.Module,
    optimizers: Sequence[Optimizer],
    rows: KeyedRows,
    indices: Indices,
    settings: TrainSettings,
) -> Iterator[MakeSteps]:
    """Give what makes the steps that are left of a pass: this process, or several workers."""
    if settings.workers == 1:
        yield partial(make_steps, model, optimizers, rows, indices, settings)
        return
    with Hogwild(model, optimizers, rows, indices, settings) as workers:
        yield workers.make_steps


def make_steps(
    model: nn.Module,
    optimizers: Sequence[Optimizer],
    rows: KeyedRows,
    indices: Indices,
    settings: TrainSettings,
    state: TrainState,
    reporter: Reporter,
    saver: Saver,
) -> None:
    """Make the steps that are left of the pass under way.

    Args:
        model: The model, in training mode; it is changed in place.
        optimizers: They step in turn.
        rows: All rows of the data set, as keys.
        indices: int64[N], the rows of the pass, which are put in the order of ``state.epoch``.
        settings: The numbers of the run.
        state: How far the run is; changed in place.
        reporter: Told how far it is.
        saver: Saves now and then.

    Raises:
        DivergedError: A prediction is not a finite number.
    """
    device = device_of(model)
    batches = iterate_batches(rows, indices, settings.batch_size, settings.epoch_seed(state.epoch))
    started = time.perf_counter()
    for number, batch in enumerate(batches):
        if number < state.step_in_epoch:  # done before the interruption
            started = time.perf_counter()
            continue
        with uninterrupted():
            predictions = train_step(model, optimizers, batch, device).cpu().numpy()
            state.count_step(time.perf_counter() - started)
        if not np.isfinite(predictions).all():
            raise diverged(state.steps, settings, "a prediction is not a number")
        reporter.take(state, predictions, batch.labels)
        if saver.is_due:
            saver.save()
        started = time.perf_counter()


def check_finite(model: nn.Module, state: TrainState, settings: TrainSettings) -> None:
    """Refuse a model that has left the finite numbers.

    Raises:
        DivergedError: A parameter is not a finite number.
    """
    if not all(bool(torch.isfinite(parameter).all()) for parameter in model.parameters()):
        raise diverged(state.steps, settings, "a parameter is not a number")


def _rce(model: nn.Module, rows: KeyedRows, indices: Indices) -> float:
    weights = None if rows.weights is None else rows.weights[indices]
    return relative_cross_entropy(predict(model, rows, indices), rows.labels[indices], weights)


def _out_of_patience(state: TrainState, settings: TrainSettings) -> bool:
    return bool(state.validation_rce) and len(state.validation_rce) - state.best_epoch >= settings.patience
