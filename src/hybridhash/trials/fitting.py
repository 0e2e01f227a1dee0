"""Tune, train and judge one method."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch

from hybridhash.data import TEST, TRAIN, VALIDATION, Dataset, Schema, Window
from hybridhash.embeddings import KeyEmbeddingBag, RoundedEmbeddingBag
from hybridhash.errors import DivergedError, InvalidValueError
from hybridhash.metrics import (
    auc,
    calibration,
    grouped_auc,
    log_loss,
    ndcg,
    normalised_entropy,
    relative_cross_entropy,
)
from hybridhash.models import MLPRanker, WideDeep, build_model
from hybridhash.optim import SGD, Adagrad, Adam
from hybridhash.training import (
    Progress,
    TrainResult,
    TrainSettings,
    build_optimizers,
    predict,
    train,
    train_windows,
)
from hybridhash.trials.layout import Layout
from hybridhash.trials.runoff import GRID_SEED, Tuned, search_with_runoff
from hybridhash.trials.settings import RunSettings
from hybridhash.trials.shipping import ship


@dataclass(frozen=True)
class Quality:
    """How good predictions are on rows that were not trained on.

    Attributes:
        rce: Relative cross entropy, in per cent; higher is better.
        auc: Area under the ROC curve.
        log_loss: In nats.
        normalised_entropy: Log loss over that of predicting the mean label.
        calibration: Mean prediction over mean label.
        gauc: AUC within groups, averaged by their rows; None where no group was named.
        ndcg: NDCG@10 within groups.
        groups: How many groups these two are over.
        groups_left_out: Groups with one label only.
    """

    rce: float
    auc: float
    log_loss: float
    normalised_entropy: float
    calibration: float
    gauc: float | None = None
    ndcg: float | None = None
    groups: int | None = None
    groups_left_out: int | None = None


def tune(
    dataset: Dataset,
    layout: Layout,
    settings: RunSettings,
    on_progress: Callable[[str, Progress], None],
    checkpoint_of: Callable[[float, int], Path] | None = None,
) -> Tuned:
    """Choose the learning rate and the number of passes on the validation slice of the training span.

    The grid is trained with one seed, its two best rates with more; see `hybridhash.trials.runoff`. Judged is the
    model as it would be shipped.

    Args:
        dataset: The rows; those of the test are not touched.
        layout: The model.
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
    return search(dataset, layout, settings, on_progress, checkpoint_of)


def search(
    dataset: Dataset,
    layout: Layout,
    settings: RunSettings,
    on_progress: Callable[[str, Progress], None],
    checkpoint_of: Callable[[float, int], Path] | None = None,
) -> Tuned:
    """Choose as `tune` does, and judge on the validation slice even where there is nothing to choose."""
    labels = dataset.rows.labels[dataset.rows.indices(VALIDATION)]
    if not labels.size or labels.min() == labels.max():
        raise InvalidValueError(
            f"validation: expected rows of both labels to tune on, got {labels.size} rows; give one --learning-rate "
            "and --epochs 1, a larger --validation-share, or more data"
        )

    def attempt(rate: float, seed: int) -> tuple[float, ...]:
        title = f"learning rate {rate:g}" + ("" if seed == GRID_SEED else f", seed {seed}")
        checkpoint = None if checkpoint_of is None else checkpoint_of(rate, seed)
        run = _run_settings(settings, rate, settings.epochs, seed)
        return _validated(
            dataset, layout, settings, run, lambda progress: on_progress(title, progress), checkpoint
        )

    return search_with_runoff(settings.learning_rate, attempt).tuned


def validate(
    dataset: Dataset,
    layout: Layout,
    settings: RunSettings,
    learning_rate: float,
    on_progress: Callable[[Progress], None],
) -> float:
    """Train for one pass on the training rows, ship, and judge on the validation slice.

    Args:
        dataset: The rows; those of the test are not touched.
        layout: The model.
        settings: The model and optimizer.
        learning_rate: The one to train with.
        on_progress: Called a few times a second.

    Returns:
        RCE of the shipped model on the validation rows; minus infinity where training diverged.
    """
    run = _run_settings(settings, learning_rate, epochs=1, seed=0)
    try:
        [rce] = _validated(dataset, layout, settings, run, on_progress)
    except DivergedError:
        return -math.inf
    return rce


def _validated(
    dataset: Dataset,
    layout: Layout,
    settings: RunSettings,
    run: TrainSettings,
    on_progress: Callable[[Progress], None],
    checkpoint: Path | None = None,
) -> tuple[float, ...]:
    """Train on the training rows and return the RCE of the model as shipped on the validation slice, pass by pass."""
    model = _build(dataset, layout, settings, run.learning_rate, run.seed)
    return train(
        model,
        dataset.rows,
        dataset.rows.indices(TRAIN),
        run,
        validation=dataset.rows.indices(VALIDATION),
        judged=lambda: ship(model, layout, dataset.rows),
        on_progress=on_progress,
        checkpoint=checkpoint,
    ).validation_rce


def fit(
    dataset: Dataset,
    layout: Layout,
    settings: RunSettings,
    tuned: Tuned,
    seed: int,
    on_progress: Callable[[Progress], None],
    checkpoint: Path | None = None,
) -> tuple[WideDeep | MLPRanker, TrainResult]:
    """Train on the whole training span, validation rows included, with what was tuned.

    Args:
        dataset: The rows; those of the test are not touched.
        layout: The model.
        settings: The model and optimizer.
        tuned: Learning rate and passes.
        seed: Of the initial values and the order of rows.
        on_progress: Called a few times a second.
        checkpoint: As in `hybridhash.training.train`.

    Returns:
        The model, and what the run did.
    """
    model = _build(dataset, layout, settings, tuned.learning_rate, seed)
    rows = np.sort(dataset.rows.indices(TRAIN, VALIDATION))
    run = _run_settings(settings, tuned.learning_rate, tuned.epochs, seed)
    return model, train(model, dataset.rows, rows, run, on_progress=on_progress, checkpoint=checkpoint)


def fit_windows(
    dataset: Dataset,
    layout: Layout,
    settings: RunSettings,
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
        dataset: The rows.
        layout: The model.
        settings: The model and optimizer.
        tuned: Learning rate, and passes over the training span; a window is passed over once.
        seed: Of the initial values and the order of rows.
        windows: Of the test rows, in the order of time.
        measure: As in `hybridhash.training.train_windows`.
        on_progress: Called with ``training span`` or ``windows`` and the progress.
        checkpoint_of: Names the checkpoint of either.

    Returns:
        What was measured, window by window.

    Raises:
        DivergedError: Training left the finite numbers.
    """
    model = _build(dataset, layout, settings, tuned.learning_rate, seed)
    run = _run_settings(settings, tuned.learning_rate, tuned.epochs, seed)
    optimizers = build_optimizers(model, run.optimizer, run.learning_rate)
    if not checkpoint_of("windows").exists():
        train(
            model,
            dataset.rows,
            dataset.rows.indices(TRAIN, VALIDATION),
            run,
            optimizers=optimizers,
            on_progress=lambda progress: on_progress("training span", progress),
            checkpoint=checkpoint_of("training-span"),
        )
    return train_windows(
        model,
        optimizers,
        dataset.rows,
        windows,
        run,
        measure,
        ship=lambda: ship(model, layout, dataset.rows),
        on_progress=lambda progress: on_progress("windows", progress),
        checkpoint=checkpoint_of("windows"),
    )


def check_group(dataset: Dataset, group: str | None) -> None:
    """Refuse a group that quality cannot be measured within, before anything is trained.

    Args:
        dataset: The rows; the labels of the test rows are looked at, and nothing is learned from them.
        group: A feature's name, or None.

    Raises:
        InvalidValueError: Not a categorical feature, or no group of test rows has both labels.
    """
    if group is None:
        return
    check_group_feature(dataset.schema, group)
    labels = dataset.rows.labels[dataset.rows.indices(TEST)]
    try:
        grouped_auc(labels, labels, _test_groups(dataset, group))
    except InvalidValueError as error:
        raise InvalidValueError(f"--group {group}, test rows: {error}") from error


def check_group_feature(schema: Schema, group: str) -> None:
    """Refuse a group that is not a categorical feature.

    Raises:
        InvalidValueError: It is none.
    """
    names = [feature.name for feature in schema.of_kind("categorical")]
    if group not in names:
        raise InvalidValueError(
            f"--group: expected one of the categorical features {', '.join(names) or '(none)'}, got {group!r}"
        )


def judge(model: WideDeep | MLPRanker, dataset: Dataset, group: str | None = None) -> Quality:
    """Measure a model on the test rows.

    Args:
        model: The model.
        dataset: The rows.
        group: A categorical feature within which GAUC and NDCG@10 are measured too.

    Returns:
        The measures.
    """
    rows = dataset.rows.indices(TEST)
    weights = None if dataset.rows.weights is None else dataset.rows.weights[rows]
    groups = None if group is None else _test_groups(dataset, group)
    return quality_of(predict(model, dataset.rows, rows), dataset.rows.labels[rows], weights, groups)


def quality_of(
    predictions: np.ndarray,
    labels: np.ndarray,
    weights: np.ndarray | None = None,
    groups: np.ndarray | None = None,
) -> Quality:
    """Measure predictions.

    Args:
        predictions: float[N] probabilities.
        labels: [N] of 0 and 1.
        weights: float[N], or None; NDCG takes no notice of them.
        groups: int[N], which rows belong together, or None.

    Returns:
        The measures.
    """
    quality = Quality(
        rce=relative_cross_entropy(predictions, labels, weights),
        auc=auc(predictions, labels, weights),
        log_loss=log_loss(predictions, labels, weights),
        normalised_entropy=normalised_entropy(predictions, labels, weights),
        calibration=calibration(predictions, labels, weights),
    )
    if groups is None:
        return quality
    within = grouped_auc(predictions, labels, groups, weights)
    return replace(
        quality,
        gauc=within.value,
        ndcg=ndcg(predictions, labels, groups).value,
        groups=within.num_groups,
        groups_left_out=within.num_left_out,
    )


def _test_groups(dataset: Dataset, group: str) -> np.ndarray:
    return np.concatenate(list(dataset.rows.keys_of(group, TEST)))


_FUSED: Final = {"sgd": SGD, "adagrad": Adagrad, "adam": Adam}
_BAGS: Final = {"after": KeyEmbeddingBag, "in-loop": RoundedEmbeddingBag}


def _build(
    dataset: Dataset, layout: Layout, settings: RunSettings, learning_rate: float, seed: int
) -> WideDeep | MLPRanker:
    return build_model(
        layout.spec,
        dataset.schema.names,
        layout.vocabularies,
        bag=_BAGS[settings.rounding],
        optimizer=_FUSED[settings.optimizer](learning_rate),
        init_std=settings.init_std,
        generator=torch.Generator().manual_seed(seed),
    )


def _run_settings(settings: RunSettings, learning_rate: float, epochs: int, seed: int) -> TrainSettings:
    return TrainSettings(
        optimizer=settings.optimizer,
        learning_rate=learning_rate,
        batch_size=settings.batch_size,
        epochs=epochs,
        patience=settings.patience,
        seed=seed,
        workers=settings.workers,
    )
