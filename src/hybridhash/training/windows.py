"""Continuous training: judge a model on each window of a stream, then train it on that window."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from torch import nn
from torch.optim import Optimizer

from hybridhash.data import KeyedRows, Window
from hybridhash.errors import InvalidValueError
from hybridhash.training.checkpoint import Saver, load_checkpoint, save_checkpoint
from hybridhash.training.loop import CHECKPOINT_EVERY_S, check_finite, make_steps, predict
from hybridhash.training.progress import Progress, Reporter
from hybridhash.training.settings import TrainSettings
from hybridhash.training.state import TrainState

Measure = Callable[[Window, npt.NDArray[np.float32]], Any]


def train_windows(
    model: nn.Module,
    optimizers: Sequence[Optimizer],
    rows: KeyedRows,
    windows: Sequence[Window],
    settings: TrainSettings,
    measure: Measure,
    *,
    ship: Callable[[], nn.Module] | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    checkpoint: Path | None = None,
    checkpoint_every_s: float = CHECKPOINT_EVERY_S,
) -> list[Any]:
    """Predict each window before learning from it, measure the predictions, then make one pass over it.

    This is prequential evaluation (test, then train): every row is predicted by a model that has seen only
    earlier windows. The rows of a window are learned in a random order that depends on ``settings.seed`` and
    the window's number alone, so two models that are given the same windows see the same rows in the same
    order. After the last window nothing is learned, since nothing would be judged by it.

    Args:
        model: Takes (keys, offsets), returns logits float[B]; changed in place.
        optimizers: The optimizers from `build_optimizers`, in the state that the training before has left them in.
        rows: All rows of the data set, as keys.
        windows: The windows in the order of time.
        settings: The settings of the run; ``epochs`` and ``patience`` do not matter here.
        measure: Called with a window and the predictions float32[num_rows] of its rows; what it returns has
            to go through JSON. A window without rows is measured too.
        ship: Returns the model that predicts, made from ``model`` as it is; ``model`` itself if not given.
        on_progress: Called a few times a second; an ``epoch`` is a window.
        checkpoint: The checkpoint, as in `train`; it also holds what was measured.
        checkpoint_every_s: Seconds between two checkpoints.

    Returns:
        What ``measure`` returned, one for each window.

    Raises:
        DivergedError: A prediction or a parameter is not a finite number.
        InvalidValueError: Several workers, or the checkpoint is of another run.

    Source: Zhang et al. 2020, section 4.1.2, trains on each hour and evaluates on the next.
    """
    if settings.workers > 1:
        raise InvalidValueError(
            f"workers: expected 1 for training on windows, got {settings.workers}; leave it out"
        )
    settings = replace(settings, epochs=max(len(windows), 1))
    state, measured = TrainState([0]), []
    if checkpoint is not None and checkpoint.exists():
        progress = load_checkpoint(checkpoint, model, optimizers, settings.as_dict())
        state, measured = TrainState.from_dict(progress["state"]), progress["measured"]

    def save() -> None:
        if checkpoint is not None:
            progress = {"state": asdict(state), "measured": measured}
            save_checkpoint(checkpoint, model, optimizers, settings.as_dict(), progress)

    saver = Saver(save, checkpoint_every_s)
    try:
        for window in windows[state.epoch :]:
            if len(measured) == state.epoch:
                predicts = model if ship is None else ship()
                measured.append(measure(window, predict(predicts, rows, window.rows)))
            if state.epoch < len(windows) - 1:
                model.train()
                reporter = Reporter(settings, window.num_rows, on_progress)
                make_steps(model, optimizers, rows, window.rows, settings, state, reporter, saver)
                check_finite(model, state, settings)
            state.count_epoch(None)
            if saver.is_due:
                saver.save()
    except KeyboardInterrupt:
        saver.save()
        raise
    return measured
