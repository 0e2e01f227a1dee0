"""Train with what was tuned: on the whole training span, or on it and then window by window."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic

import numpy as np

from hybridhash.data import TRAIN, VALIDATION, KeyedRows, Window
from hybridhash.training import Progress, TrainResult, build_optimizers, train, train_windows
from hybridhash.trials.building import Build, Built, Model
from hybridhash.trials.runoff import Tuned
from hybridhash.trials.settings import TrainingSettings
from hybridhash.trials.tuning import run_settings


@dataclass(frozen=True)
class Fitted(Generic[Model]):
    """A trained model.

    Attributes:
        built: The model, and what ships it.
        result: What the training run did.
    """

    built: Built[Model]
    result: TrainResult


def fit(
    build: Build[Model],
    rows: KeyedRows,
    settings: TrainingSettings,
    tuned: Tuned,
    seed: int,
    on_progress: Callable[[Progress], None] | None = None,
    checkpoint: Path | None = None,
) -> Fitted[Model]:
    """Train on the whole training span, validation rows included, with what was tuned.

    Args:
        build: The model.
        rows: All rows; those of the test are not touched.
        settings: The optimizer.
        tuned: Learning rate and passes.
        seed: Seed of the initial values and the order of rows.
        on_progress: Called a few times a second.
        checkpoint: The checkpoint, as in `hybridhash.training.train`.

    Returns:
        The model, and what the run did.

    Raises:
        DivergedError: Training left the finite numbers.
    """
    built = build(tuned.learning_rate, seed)
    run = run_settings(settings, tuned.learning_rate, tuned.epochs, seed)
    span = rows.indices(TRAIN, VALIDATION)
    return Fitted(built, train(built.model, rows, span, run, on_progress=on_progress, checkpoint=checkpoint))


def fit_windows(
    build: Build[Model],
    rows: KeyedRows,
    settings: TrainingSettings,
    tuned: Tuned,
    seed: int,
    windows: Sequence[Window],
    measure: Callable[[Window, np.ndarray], Any],
    on_progress: Callable[[str, Progress], None],
    checkpoint_of: Callable[[str], Path],
) -> list[Any]:
    """Train on the whole training span as `fit` does, then predict, measure and learn window by window.

    What predicts a window is the model as it would be shipped then.

    Args:
        build: The model.
        rows: All rows.
        settings: The optimizer.
        tuned: Learning rate, and passes over the training span; a window is passed over once.
        seed: Seed of the initial values and the order of rows.
        windows: Spans of the test rows, in the order of time.
        measure: The measure, as in `hybridhash.training.train_windows`.
        on_progress: Called with ``training span`` or ``windows`` and the progress.
        checkpoint_of: Names the checkpoint of either.

    Returns:
        What was measured, window by window.

    Raises:
        DivergedError: Training left the finite numbers.
    """
    built = build(tuned.learning_rate, seed)
    run = run_settings(settings, tuned.learning_rate, tuned.epochs, seed)
    optimizers = build_optimizers(built.model, run.optimizer, run.learning_rate)
    if not checkpoint_of("windows").exists():
        train(
            built.model,
            rows,
            rows.indices(TRAIN, VALIDATION),
            run,
            optimizers=optimizers,
            on_progress=lambda progress: on_progress("training span", progress),
            checkpoint=checkpoint_of("training-span"),
        )
    return train_windows(
        built.model,
        optimizers,
        rows,
        windows,
        run,
        measure,
        ship=built.ship,
        on_progress=lambda progress: on_progress("windows", progress),
        checkpoint=checkpoint_of("windows"),
    )
