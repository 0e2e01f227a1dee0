"""The mini-batch loop: epochs, early stopping, progress, checkpoints."""

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from hybridhash.data import Batch, EncodedRows, iterate_batches
from hybridhash.errors import DivergedError, InvalidValueError
from hybridhash.metrics import relative_cross_entropy
from hybridhash.training.checkpoint import load_checkpoint, save_checkpoint
from hybridhash.training.interrupt import uninterrupted
from hybridhash.training.optimizers import build_optimizers
from hybridhash.training.settings import TrainSettings
from hybridhash.training.speed import StepRate
from hybridhash.training.step import device_of, predict_batches, train_step

Indices = npt.NDArray[np.int64]

PREDICT_BATCH_ROWS: Final = 8192
_REPORT_EVERY_S: Final = 0.2
_RUNNING_ROWS: Final = 100_000  # the running RCE is over about so many last rows


@dataclass(frozen=True)
class Progress:
    """Where a training run is.

    Attributes:
        epoch: Pass over the rows, from 1.
        epochs: Most passes.
        rows: Rows done in this pass.
        num_rows: Rows of a pass.
        steps_per_s: Smoothed steps per second.
        rows_per_s: Rows per second, from the same.
        remaining_s: Seconds to the end of the last possible pass.
        rce: RCE of the predictions before each step over the last rows; NaN while they have one label.
    """

    epoch: int
    epochs: int
    rows: int
    num_rows: int
    steps_per_s: float
    rows_per_s: float
    remaining_s: float
    rce: float


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


@dataclass
class TrainState:
    """How far a run has come; with the parameters, all that resuming needs.

    Attributes:
        epoch: Passes finished.
        step_in_epoch: Steps done in the pass under way.
        steps: Steps done in all.
        train_s: Seconds spent in them.
        rate: Smoothed steps per second.
        validation_rce: One value per finished pass that was validated.
    """

    epoch: int = 0
    step_in_epoch: int = 0
    steps: int = 0
    train_s: float = 0.0
    rate: StepRate = field(default_factory=StepRate)
    validation_rce: list[float] = field(default_factory=list)

    @property
    def best_epoch(self) -> int:
        """The pass with the best validation RCE, from 1; the last finished one without validation."""
        return int(np.argmax(self.validation_rce)) + 1 if self.validation_rce else self.epoch

    def count_step(self, seconds: float) -> None:
        """Take in one step that was made."""
        self.rate.update(seconds)
        self.train_s += seconds
        self.step_in_epoch += 1
        self.steps += 1

    def count_epoch(self, validation_rce: float | None) -> None:
        """Take in the end of a pass, with its validation RCE where it was validated."""
        with uninterrupted():
            self.epoch += 1
            self.step_in_epoch = 0
            if validation_rce is not None:
                self.validation_rce.append(validation_rce)

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> "TrainState":
        """Build the state that ``dataclasses.asdict`` described."""
        return cls(**{**fields, "rate": StepRate(**fields["rate"])})


def train(
    model: nn.Module,
    rows: EncodedRows,
    indices: Indices,
    settings: TrainSettings,
    *,
    validation: Indices | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    checkpoint: Path | None = None,
    checkpoint_every_s: float = 300.0,
) -> TrainResult:
    """Train a model on rows, in a new random order every pass.

    With validation rows, training stops once ``settings.patience`` passes have not improved the best
    validation RCE. A run that finds its checkpoint goes on from there and ends with the same parameters
    as one that was never interrupted.

    Args:
        model: Takes (keys, offsets), returns logits float[B]; changed in place.
        rows: Where the rows are.
        indices: int64[N], the rows to train on.
        settings: The numbers of the run.
        validation: int64[V], the rows that decide when to stop.
        on_progress: Called a few times a second.
        checkpoint: A file that is written every ``checkpoint_every_s`` seconds, after every pass, and when
            the run is interrupted from the keyboard; removed by the caller when no longer needed.
        checkpoint_every_s: Seconds between two checkpoints within a pass.

    Returns:
        What the run did.

    Raises:
        DivergedError: A prediction or a parameter is not a finite number.
        InvalidValueError: No rows, or the checkpoint is of another run.
    """
    if not indices.size:
        raise InvalidValueError("indices: expected at least one row to train on, got none")
    optimizers = build_optimizers(model, settings.optimizer, settings.learning_rate)
    state = TrainState()
    if checkpoint is not None and checkpoint.exists():
        state = TrainState.from_dict(load_checkpoint(checkpoint, model, optimizers, settings.as_dict()))

    def save() -> None:
        if checkpoint is not None:
            save_checkpoint(checkpoint, model, optimizers, settings.as_dict(), asdict(state))

    reporter = _Reporter(settings, indices.size, state.rate, on_progress)
    device = device_of(model)
    saved_at = time.monotonic()
    try:
        while state.epoch < settings.epochs and not _out_of_patience(state, settings):
            model.train()
            seed = _epoch_seed(settings, state.epoch)
            started = time.perf_counter()
            for number, batch in enumerate(iterate_batches(rows, indices, settings.batch_size, seed)):
                if number < state.step_in_epoch:  # done before the interruption
                    started = time.perf_counter()
                    continue
                with uninterrupted():
                    predictions = train_step(model, optimizers, batch, device).cpu().numpy()
                    state.count_step(time.perf_counter() - started)
                if not np.isfinite(predictions).all():
                    raise _diverged(state, settings, "a prediction is not a number")
                reporter.take(state, predictions, batch)
                if checkpoint is not None and time.monotonic() - saved_at > checkpoint_every_s:
                    save()
                    saved_at = time.monotonic()
                started = time.perf_counter()
            if not all(bool(torch.isfinite(parameter).all()) for parameter in model.parameters()):
                raise _diverged(state, settings, "a parameter is not a number")
            rce = None if validation is None else _rce(model, rows, validation)
            state.count_epoch(rce)
            save()
    except KeyboardInterrupt:
        save()
        raise
    return TrainResult(
        epochs=state.epoch,
        best_epoch=state.best_epoch,
        validation_rce=tuple(state.validation_rce),
        steps=state.steps,
        steps_per_s=state.rate.per_second,
        train_s=state.train_s,
    )


def predict(model: nn.Module, rows: EncodedRows, indices: Indices) -> npt.NDArray[np.float32]:
    """Return the probabilities of rows.

    Args:
        model: Takes (keys, offsets), returns logits float[B].
        rows: Where the rows are.
        indices: int64[N].

    Returns:
        float32[N], in the order of ``indices``.
    """
    batches = iterate_batches(rows, indices, PREDICT_BATCH_ROWS)
    parts = list(predict_batches(model, batches, device_of(model)))
    return np.concatenate(parts) if parts else np.empty(0, dtype=np.float32)


def _epoch_seed(settings: TrainSettings, epoch: int) -> int:
    return settings.seed * 1_000_003 + epoch


def _diverged(state: TrainState, settings: TrainSettings, reason: str) -> DivergedError:
    return DivergedError(
        f"training diverged in step {state.steps}: {reason}; "
        f"expected a learning rate below {settings.learning_rate:g}"
    )


def _rce(model: nn.Module, rows: EncodedRows, indices: Indices) -> float:
    weights = None if rows.weights is None else rows.weights[indices]
    return relative_cross_entropy(predict(model, rows, indices), rows.labels[indices], weights)


def _out_of_patience(state: TrainState, settings: TrainSettings) -> bool:
    return bool(state.validation_rce) and len(state.validation_rce) - state.best_epoch >= settings.patience


class _Reporter:
    """Calls ``on_progress`` a few times a second."""

    def __init__(
        self,
        settings: TrainSettings,
        num_rows: int,
        rate: StepRate,
        on_progress: Callable[[Progress], None] | None,
    ) -> None:
        self._settings, self._num_rows, self._rate, self._on_progress = settings, num_rows, rate, on_progress
        self._reported_at = 0.0
        self._recent: list[tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]] = []

    def take(self, state: TrainState, predictions: npt.NDArray[np.float32], batch: Batch) -> None:
        if self._on_progress is None or batch.labels is None:
            return
        self._recent.append((predictions, batch.labels))
        now = time.monotonic()
        if now - self._reported_at < _REPORT_EVERY_S:
            return
        self._reported_at = now
        settings, rate = self._settings, self._rate.per_second
        self._recent = self._recent[-max(_RUNNING_ROWS // settings.batch_size, 1) :]
        rows = min(state.step_in_epoch * settings.batch_size, self._num_rows)
        rows_left = self._num_rows * (settings.epochs - state.epoch) - rows
        self._on_progress(
            Progress(
                epoch=state.epoch + 1,
                epochs=settings.epochs,
                rows=rows,
                num_rows=self._num_rows,
                steps_per_s=rate,
                rows_per_s=rate * settings.batch_size,
                remaining_s=rows_left / settings.batch_size / rate,
                rce=self._recent_rce(),
            )
        )

    def _recent_rce(self) -> float:
        predictions = np.concatenate([pair[0] for pair in self._recent])
        labels = np.concatenate([pair[1] for pair in self._recent])
        if labels.min() == labels.max():
            return float("nan")
        return relative_cross_entropy(predictions, labels)
