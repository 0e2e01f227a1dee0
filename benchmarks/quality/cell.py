"""One cell: a method on a data set at a budget, tuned on the validation slice, then trained and judged."""

from typing import Any, Final

from benchmarks.quality.methods import Built, Span, build
from hybridhash.data import TEST, TRAIN, VALIDATION, EncodedRows
from hybridhash.metrics import auc, relative_cross_entropy
from hybridhash.training import TrainSettings, predict, train
from hybridhash.trials.runoff import Curve, Train, Tuned, Tuning, search_grid, search_with_runoff
from hybridhash.trials.settings import FitSettings

PATIENCE: Final = 1


def tune(method: str, rows: EncodedRows, settings: FitSettings, budget_bytes: int) -> Tuning:
    """Choose learning rate and passes by the grid and the run-off, each model judged as it would be shipped.

    Models learn from the training rows without the validation slice. So do vocabularies and sketches, whose new keys
    are then as new as those of the test.

    Args:
        method: A name that `benchmarks.quality.methods.build` knows.
        rows: All rows; those of the test are not touched.
        settings: The model, the grid of learning rates, the most passes.
        budget_bytes: For the embeddings.

    Returns:
        The choice, and all that was trained for it.

    Raises:
        DivergedError: Every learning rate diverged.
    """
    return search_with_runoff(
        settings.learning_rate, _training(method, rows, settings, budget_bytes, as_shipped=True)
    )


def tune_on_grid(method: str, rows: EncodedRows, settings: FitSettings, budget_bytes: int) -> Tuning:
    """Choose as `tune` does, but by the grid alone and by models as they are trained."""
    return search_grid(
        settings.learning_rate, _training(method, rows, settings, budget_bytes, as_shipped=False)
    )


def _training(
    method: str, rows: EncodedRows, settings: FitSettings, budget_bytes: int, as_shipped: bool
) -> Train:
    """Return what trains with a learning rate and a seed."""
    span = Span(rows, (TRAIN,), settings)
    validation = rows.indices(VALIDATION)

    def attempt(rate: float, seed: int) -> Curve:
        built = build(method, span, budget_bytes, rate, seed)
        run = _run_settings(settings, rate, settings.epochs, seed)
        judged = built.ship if as_shipped else None
        return train(
            built.model, rows, span.indices, run, validation=validation, judged=judged
        ).validation_rce

    return attempt


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
