"""Fitting learns from the training span, validation rows included, and from no row of the test."""

import math
from collections.abc import Callable
from typing import Any

import pytest

from hybridhash.data import KeyedRows
from hybridhash.trials import TrainingSettings, Tuned, fit


@pytest.mark.parametrize("of_test", [0, 1])
def test_one_step_by_hand(make_rows: Callable[..., KeyedRows], make_build: Any, of_test: int) -> None:
    """The logit starts at 0, so that its gradient is 1/2 minus the mean label of the rows that are learned from."""
    rows = make_rows([1, 1, 0, 1, of_test, of_test], [0, 0, 0, 1, 2, 2])
    settings = TrainingSettings(optimizer="sgd", batch_size=4)
    fitted = fit(make_build(), rows, settings, Tuned(2.0, 1, math.nan), seed=0)
    assert fitted.built.model.logit.item() == pytest.approx(0 - 2.0 * (1 / 2 - 3 / 4))
    assert fitted.result.steps == 1
