"""What a training run tells its caller while it runs."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from hybridhash.metrics import relative_cross_entropy
from hybridhash.training.settings import TrainSettings
from hybridhash.training.state import TrainState

Floats = npt.NDArray[np.float32]

RUNNING_ROWS: Final = 100_000  # the running RCE is over about so many last rows
_REPORT_EVERY_S: Final = 0.2


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


class Reporter:
    """Calls ``on_progress`` a few times a second.

    Args:
        settings: The settings of the run.
        num_rows: Rows of a pass.
        on_progress: What to call, or None.
    """

    def __init__(
        self, settings: TrainSettings, num_rows: int, on_progress: Callable[[Progress], None] | None
    ) -> None:
        self._settings, self._num_rows, self._on_progress = settings, num_rows, on_progress
        self._reported_at = 0.0
        self._recent: list[tuple[Floats, Floats]] = []

    @property
    def is_due(self) -> bool:
        """Whether it is time to report again."""
        return self._on_progress is not None and time.monotonic() - self._reported_at >= _REPORT_EVERY_S

    def take(self, state: TrainState, predictions: Floats, labels: Floats | None) -> None:
        """Take in a step's predictions, and report where it is time to.

        Args:
            state: After the step.
            predictions: float32[B], from before the step.
            labels: float32[B].
        """
        if self._on_progress is None or labels is None:
            return
        self._recent.append((predictions, labels))
        if self.is_due:
            self._recent = self._recent[-max(RUNNING_ROWS // self._settings.batch_size, 1) :]
            self.report(state, *(np.concatenate(parts) for parts in zip(*self._recent, strict=True)))

    def report(self, state: TrainState, predictions: Floats, labels: Floats) -> None:
        """Report now.

        Args:
            state: How far the run is.
            predictions: float32[N] of the last rows.
            labels: float32[N].
        """
        if self._on_progress is None:
            return
        self._reported_at = time.monotonic()
        settings, rate = self._settings, state.rate.per_second
        rows = min(state.step_in_epoch * settings.batch_size, self._num_rows)
        rows_left = self._num_rows * (settings.epochs - state.epoch) - rows
        both = labels.size and labels.min() != labels.max()
        self._on_progress(
            Progress(
                epoch=state.epoch + 1,
                epochs=settings.epochs,
                rows=rows,
                num_rows=self._num_rows,
                steps_per_s=rate,
                rows_per_s=rate * settings.batch_size,
                remaining_s=rows_left / settings.batch_size / rate,
                rce=relative_cross_entropy(predictions, labels) if both else float("nan"),
            )
        )
