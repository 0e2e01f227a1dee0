"""The quality of a window: relative to its own rows, and none where they have one label."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import log_loss

from hybridhash.data import KeyedRows, Window
from hybridhash.trials import Diverged, WindowQuality, WindowRun, has_both_labels
from hybridhash.trials.stream import quality_in

PREDICTIONS = np.array([0.2, 0.6, 0.3], dtype=np.float32)


def test_a_window_is_measured_against_its_own_mean_label(make_rows: Callable[..., KeyedRows]) -> None:
    rows = make_rows([1, 1, 0, 1, 0], [0, 0, 2, 2, 2])
    rows = replace(rows, weights=np.array([9, 9, 1, 2, 1], dtype=np.float32))
    found = quality_in(rows, Window(0.0, 2, 5), PREDICTIONS)
    labels, weights = [0, 1, 0], [1, 2, 1]
    loss = log_loss(labels, PREDICTIONS, sample_weight=weights)
    assert found.log_loss == pytest.approx(loss, rel=1e-6)
    assert found.rce == pytest.approx(
        100 * (1 - loss / np.log(2)), rel=1e-5
    )  # half of the weight is positive


@pytest.mark.parametrize(("first", "end"), [(0, 2), (2, 2), (2, 4)])
def test_rows_of_one_label_have_no_quality(first: int, end: int, make_rows: Callable[..., KeyedRows]) -> None:
    """The third row has no weight, so that its label does not count."""
    rows = replace(make_rows([1, 1, 1, 0], [2] * 4), weights=np.array([1, 1, 0, 1], dtype=np.float32))
    window = Window(0.0, first, end)
    assert not has_both_labels(rows, window)
    assert quality_in(rows, window, PREDICTIONS[: window.num_rows]) == WindowQuality(None, None)


def test_what_is_kept_is_read_again() -> None:
    for run in (WindowRun((WindowQuality(1.5, 0.5), WindowQuality(None, None))), Diverged("at step 3")):
        assert WindowRun.of(run.as_dict()) == run
