"""One cell: a method on a data set at a budget, tuned on the validation slice, then trained and judged."""

import math
from dataclasses import dataclass
from typing import Any, Final

from benchmarks.quality.methods import Built, Span, build
from hybridhash.data import TEST, TRAIN, VALIDATION, EncodedRows
from hybridhash.errors import DivergedError
from hybridhash.experiments.settings import FitSettings
from hybridhash.metrics import auc, relative_cross_entropy
from hybridhash.training import TrainSettings, predict, train

PATIENCE: Final = 1


@dataclass(frozen=True)
class Tuned:
    """What the validation slice chose.

    Attributes:
        learning_rate: The best of the grid.
        epochs: Passes after which its validation RCE was best.
        validation_rce: That RCE.
    """

    learning_rate: float
    epochs: int
    validation_rce: float


def tune(method: str, rows: EncodedRows, settings: FitSettings, budget_bytes: int) -> Tuned:
    """Choose learning rate and passes, learning from the training rows without the validation slice, seed 0.

    Vocabularies and sketches, too, are learned without it, so that its new keys are as new as those of the test.

    Args:
        method: A name that `benchmarks.quality.methods.build` knows.
        rows: All rows; those of the test are not touched.
        settings: The model, the grid of learning rates, the most passes.
        budget_bytes: For the embeddings.

    Returns:
        The choice.

    Raises:
        DivergedError: Every learning rate diverged.
    """
    span = Span(rows, (TRAIN,), settings)
    validation = rows.indices(VALIDATION)
    best = Tuned(math.nan, 0, -math.inf)
    for rate in settings.learning_rate:
        model = build(method, span, budget_bytes, rate, seed=0).model
        try:
            run = _run_settings(settings, rate, settings.epochs, seed=0)
            result = train(model, rows, span.indices, run, validation=validation)
        except DivergedError:
            continue
        rce = max(result.validation_rce)
        if rce > best.validation_rce:
            best = Tuned(rate, result.best_epoch, rce)
    if not best.epochs:
        raise DivergedError(
            f"{method} diverged at every learning rate of {list(settings.learning_rate)}; expected smaller ones"
        )
    return best


def fit(
    method: str, rows: EncodedRows, settings: FitSettings, budget_bytes: int, tuned: Tuned, seed: int
) -> Built:
    """Train on the whole training span with what was tuned; rows of the test are not touched."""
    span = Span(rows, (TRAIN, VALIDATION), settings)
    built = build(method, span, budget_bytes, tuned.learning_rate, seed)
    train(built.model, rows, span.indices, _run_settings(settings, tuned.learning_rate, tuned.epochs, seed))
    return built


def judge(built: Built, rows: EncodedRows) -> dict[str, Any]:
    """Return RCE (in per cent) and AUC on the test rows, and the bytes."""
    test = rows.indices(TEST)
    predictions, labels = predict(built.ship(), rows, test), rows.labels[test]
    return {
        "rce": float(relative_cross_entropy(predictions, labels)),
        "auc": float(auc(predictions, labels)),
        "embedding_bytes": built.embedding_bytes,
    }


def _run_settings(settings: FitSettings, rate: float, epochs: int, seed: int) -> TrainSettings:
    return TrainSettings(
        settings.optimizer, rate, settings.batch_size, epochs=epochs, patience=PATIENCE, seed=seed
    )
