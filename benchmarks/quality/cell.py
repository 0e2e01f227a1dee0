"""One cell: a method on a data set at a budget, tuned on the validation slice, then trained and judged."""

from dataclasses import replace
from functools import partial
from typing import Any

from torch import nn

from benchmarks.quality.methods import Span, build
from hybridhash.data import TRAIN, VALIDATION, KeyedRows
from hybridhash.trials import Built, FitSettings, Tuned, Tuning, search, search_grid
from hybridhash.trials import fit as fit_on
from hybridhash.trials import judge as judge_on


def tune(method: str, rows: KeyedRows, settings: FitSettings, budget_bytes: int) -> Tuning:
    """Choose learning rate and passes by the grid and the run-off, each model judged as it would be shipped.

    Models learn from the training rows without the validation slice. So do vocabularies and sketches, whose new keys
    are then as new as those of the test.

    Args:
        method: A name that `benchmarks.quality.methods.build` knows.
        rows: All rows; those of the test are not touched.
        settings: The model, the grid of learning rates, the most passes.
        budget_bytes: Bytes that the embeddings may take.

    Returns:
        The choice, and all that was trained for it.

    Raises:
        DivergedError: Every learning rate diverged.
    """
    span = Span(rows, (TRAIN,), settings)
    return search(partial(build, method, span, budget_bytes), rows, settings)


def tune_on_grid(method: str, rows: KeyedRows, settings: FitSettings, budget_bytes: int) -> Tuning:
    """Choose as `tune` does, but by the grid alone and by models as they are trained."""
    span = Span(rows, (TRAIN,), settings)

    def as_trained(learning_rate: float, seed: int) -> Built[nn.Module]:
        built = build(method, span, budget_bytes, learning_rate, seed)
        return replace(built, ship=lambda: built.model)

    return search(as_trained, rows, settings, choose=search_grid)


def fit(
    method: str, rows: KeyedRows, settings: FitSettings, budget_bytes: int, tuned: Tuned, seed: int
) -> Built[nn.Module]:
    """Train on the whole training span with what was tuned; rows of the test are not touched."""
    span = Span(rows, (TRAIN, VALIDATION), settings)
    return fit_on(partial(build, method, span, budget_bytes), rows, settings, tuned, seed).built


def judge(built: Built[nn.Module], rows: KeyedRows) -> dict[str, Any]:
    """Return RCE (in per cent) and AUC on the test rows, and the bytes."""
    quality = judge_on(built.ship(), rows)
    return {"rce": quality.rce, "auc": quality.auc, "embedding_bytes": built.embedding_bytes}
