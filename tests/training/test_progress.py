"""What a run tells while it runs, at times that the test sets."""

import math
import time
from collections.abc import Callable

import numpy as np
import pytest
from sklearn.metrics import log_loss

from hybridhash.training import Progress, TrainSettings, TrainState
from hybridhash.training.progress import Reporter

SETTINGS = TrainSettings(batch_size=10, epochs=3)
PREDICTIONS = np.array([0.1, 0.8, 0.3, 0.6], dtype=np.float32)
LABELS = np.array([0, 1, 0, 1], dtype=np.float32)


@pytest.fixture
def set_time(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Sets the clock, which begins at 100 seconds."""

    def set_time(seconds: float) -> None:
        monkeypatch.setattr(time, "monotonic", lambda: seconds)

    set_time(100.0)
    return set_time


def state_after(steps: int, epoch: int = 0) -> TrainState:
    """Return the state after steps of half a second in a pass, which is counted from 0."""
    state = TrainState([0], epoch=epoch)
    for _ in range(steps):
        state.count_step(0.5)
    return state


def rce(predictions: np.ndarray, labels: np.ndarray) -> float:
    always = np.full(len(labels), labels.mean(dtype=np.float64))
    return 100 * (1 - log_loss(labels, predictions.astype(np.float64)) / log_loss(labels, always))


def test_the_numbers_by_hand(set_time: Callable[[float], None]) -> None:
    """35 rows are 3.5 steps: 2 done in the second pass of 3 leave 1.5 and 3.5 of half a second each."""
    heard: list[Progress] = []
    Reporter(SETTINGS, 35, heard.append).report(state_after(2, epoch=1), PREDICTIONS, LABELS)
    [told] = heard
    assert (told.epoch, told.epochs, told.rows, told.num_rows) == (2, 3, 20, 35)
    assert told.steps_per_s == pytest.approx(2)
    assert told.rows_per_s == pytest.approx(20)
    assert told.remaining_s == pytest.approx(5 * 0.5)
    assert told.rce == pytest.approx(rce(PREDICTIONS, LABELS), rel=1e-6)


def test_the_last_step_of_a_pass_has_fewer_rows(set_time: Callable[[float], None]) -> None:
    heard: list[Progress] = []
    Reporter(SETTINGS, 35, heard.append).report(state_after(4, epoch=2), PREDICTIONS, LABELS)
    assert heard[0].rows == 35
    assert heard[0].remaining_s == 0


@pytest.mark.parametrize("labels", [[1, 1, 1, 1], []])
def test_rce_of_one_label_is_nan(labels: list[int], set_time: Callable[[float], None]) -> None:
    heard: list[Progress] = []
    predictions = PREDICTIONS[: len(labels)]
    Reporter(SETTINGS, 35, heard.append).report(state_after(1), predictions, np.array(labels, np.float32))
    assert math.isnan(heard[0].rce)


def test_it_is_told_five_times_a_second_of_all_rows_since_the_beginning(
    set_time: Callable[[float], None],
) -> None:
    heard: list[Progress] = []
    reporter = Reporter(SETTINGS, 35, heard.append)
    for at, labels in (
        (100.0, LABELS),
        (100.15, 1 - LABELS),
        (100.25, LABELS),
        (100.4, LABELS),
        (100.46, LABELS),
    ):
        set_time(at)
        reporter.take(state_after(1), PREDICTIONS, labels)
    first, second, third = (told.rce for told in heard)
    assert first == pytest.approx(rce(PREDICTIONS, LABELS), rel=1e-6)
    twice = np.tile(PREDICTIONS, 3), np.concatenate([LABELS, 1 - LABELS, LABELS])
    assert second == pytest.approx(rce(*twice), rel=1e-6)
    assert third > second


def test_old_rows_are_forgotten(set_time: Callable[[float], None], monkeypatch: pytest.MonkeyPatch) -> None:
    """A window of 20 rows is two batches of ten."""
    monkeypatch.setattr("hybridhash.training.progress.RUNNING_ROWS", 20)
    heard: list[Progress] = []
    reporter = Reporter(SETTINGS, 35, heard.append)
    for at, labels in ((100.0, 1 - LABELS), (101.0, LABELS), (102.0, LABELS)):
        set_time(at)
        reporter.take(state_after(1), PREDICTIONS, labels)
    assert heard[-1].rce == pytest.approx(rce(PREDICTIONS, LABELS), rel=1e-6)


def test_without_a_listener_or_labels_nothing_is_done(set_time: Callable[[float], None]) -> None:
    heard: list[Progress] = []
    Reporter(SETTINGS, 35, None).take(state_after(0), PREDICTIONS, LABELS)
    Reporter(SETTINGS, 35, None).report(state_after(0), PREDICTIONS, LABELS)
    Reporter(SETTINGS, 35, heard.append).take(state_after(0), PREDICTIONS, None)
    assert not Reporter(SETTINGS, 35, None).is_due
    assert not heard
