"""Choose learning rate and passes on the validation slice of the training span."""

import math
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from hybridhash.data import TRAIN, VALIDATION, KeyedRows
from hybridhash.errors import DivergedError, InvalidValueError
from hybridhash.training import Progress, TrainSettings, train
from hybridhash.trials.building import Build, Model
from hybridhash.trials.runoff import GRID_SEED, Curve, Train, Tuned, Tuning, search_with_runoff
from hybridhash.trials.settings import TrainingSettings


def tune(
    build: Build[Model],
    rows: KeyedRows,
    settings: TrainingSettings,
    on_progress: Callable[[str, Progress], None] | None = None,
    checkpoint_of: Callable[[float, int], Path] | None = None,
) -> Tuned:
    """Choose the learning rate and the number of passes on the validation slice of the training span.

    The grid is trained with one seed, its two best rates with more; see `hybridhash.trials.runoff`. Judged is the
    model as it would be shipped.

    Args:
        build: The model.
        rows: All rows; those of the test are not touched.
        settings: The learning rates and the most passes.
        on_progress: Called with the learning rate as text, in the run-off with the seed, and the progress.
        checkpoint_of: Names the checkpoint of a learning rate and a seed, as in `hybridhash.training.train`; what was
            trained in full is read from there. None keeps nothing.

    Returns:
        The choice.

    Raises:
        DivergedError: Training diverged at every learning rate.
        InvalidValueError: There are several to choose from and no validation rows.
    """
    if len(settings.learning_rate) == 1 and settings.epochs == 1:
        return Tuned(settings.learning_rate[0], 1, math.nan)
    return search(build, rows, settings, on_progress, checkpoint_of).tuned


def search(
    build: Build[Model],
    rows: KeyedRows,
    settings: TrainingSettings,
    on_progress: Callable[[str, Progress], None] | None = None,
    checkpoint_of: Callable[[float, int], Path] | None = None,
    choose: Callable[[Sequence[float], Train], Tuning] = search_with_runoff,
) -> Tuning:
    """Choose as `tune` does, and judge on the validation slice even where there is nothing to choose.

    Args:
        build: The function, as in `tune`.
        rows: The rows, as in `tune`.
        settings: The settings, as in `tune`.
        on_progress: The function, as in `tune`.
        checkpoint_of: The function, as in `tune`.
        choose: Takes the grid and what trains; `hybridhash.trials.search_grid` leaves the run-off out.

    Returns:
        The choice, and all that was trained for it.

    Raises:
        DivergedError: Training diverged at every learning rate.
        InvalidValueError: No validation rows of both labels.
    """
    labels = rows.labels[rows.indices(VALIDATION)]
    if not labels.size or labels.min() == labels.max():
        raise InvalidValueError(
            f"validation: expected rows of both labels to tune on, got {labels.size} rows; give one --learning-rate "
            "and --epochs 1, a larger --validation-share, or more data"
        )

    def attempt(rate: float, seed: int) -> Curve:
        title = f"learning rate {rate:g}" + ("" if seed == GRID_SEED else f", seed {seed}")
        checkpoint = None if checkpoint_of is None else checkpoint_of(rate, seed)
        run = run_settings(settings, rate, settings.epochs, seed)
        hear = None if on_progress is None else partial(on_progress, title)
        return validation_curve(build, rows, run, hear, checkpoint)

    return choose(settings.learning_rate, attempt)


def validate(
    build: Build[Model],
    rows: KeyedRows,
    settings: TrainingSettings,
    learning_rate: float,
    on_progress: Callable[[Progress], None] | None = None,
) -> float:
    """Train for one pass on the training rows, ship, and judge on the validation slice.

    Args:
        build: The model.
        rows: All rows; those of the test are not touched.
        settings: The optimizer.
        learning_rate: The one to train with.
        on_progress: Called a few times a second.

    Returns:
        RCE of the shipped model on the validation rows; minus infinity where training diverged.
    """
    run = run_settings(settings, learning_rate, epochs=1, seed=0)
    try:
        [rce] = validation_curve(build, rows, run, on_progress)
    except DivergedError:
        return -math.inf
    return rce


def validation_curve(
    build: Build[Model],
    rows: KeyedRows,
    run: TrainSettings,
    on_progress: Callable[[Progress], None] | None = None,
    checkpoint: Path | None = None,
) -> Curve:
    """Train on the training rows and return the RCE of the model as shipped on the validation slice, pass by pass.

    Args:
        build: The model.
        rows: All rows; those of the test are not touched.
        run: Learning rate, passes, seed.
        on_progress: Called a few times a second.
        checkpoint: The checkpoint, as in `hybridhash.training.train`.

    Raises:
        DivergedError: Training left the finite numbers.
    """
    built = build(run.learning_rate, run.seed)
    return train(
        built.model,
        rows,
        rows.indices(TRAIN),
        run,
        validation=rows.indices(VALIDATION),
        judged=built.ship,
        on_progress=on_progress,
        checkpoint=checkpoint,
    ).validation_rce


def run_settings(settings: TrainingSettings, learning_rate: float, epochs: int, seed: int) -> TrainSettings:
    """Return the numbers of one training run."""
    return TrainSettings(
        optimizer=settings.optimizer,
        learning_rate=learning_rate,
        batch_size=settings.batch_size,
        epochs=epochs,
        patience=settings.patience,
        seed=seed,
        workers=settings.workers,
    )
