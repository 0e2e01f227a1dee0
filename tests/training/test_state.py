"""How far a run has come, counted step by step and pass by pass."""

import json
from dataclasses import asdict

import pytest

from hybridhash.training import TrainState


def test_steps_of_two_workers_by_hand() -> None:
    state = TrainState([0, 0])
    for worker, seconds in ((0, 0.5), (1, 0.25), (1, 0.25)):
        state.count_step(seconds, worker)
    assert state.worker_steps == [1, 2]
    assert (state.step_in_epoch, state.steps, state.train_s) == (3, 3, 1.0)
    # The rate weighs the past by 0.995: (w0 + w1 + w2) / (w0 / 2 + (w1 + w2) / 4).
    weights = [0.995**2, 0.995, 1]
    seconds = weights[0] / 2 + (weights[1] + weights[2]) / 4
    assert state.rate.per_second == pytest.approx(sum(weights) / seconds)


def test_a_pass_ends() -> None:
    state = TrainState([0, 0])
    state.count_step(1.0, worker=1)
    state.count_epoch(None)
    assert (state.epoch, state.steps, state.worker_steps) == (1, 1, [0, 0])
    assert state.best_epoch == 1  # nothing was validated: the last
    for rce in (3.0, 5.0, 4.0):
        state.count_epoch(rce)
    assert state.epoch == 4
    assert state.validation_rce == [3.0, 5.0, 4.0]


@pytest.mark.parametrize(("rce", "best"), [([1.0], 1), ([1.0, 2.0, 1.5], 2), ([2.0, 2.0, 1.0], 1)])
def test_the_best_pass_is_the_first_with_the_greatest_rce(rce: list[float], best: int) -> None:
    state = TrainState([0])
    for value in rce:
        state.count_epoch(value)
    assert state.best_epoch == best


def test_a_round_trip_through_json_goes_on_as_if_nothing_had_been() -> None:
    state = TrainState([0])
    for seconds in (0.1, 0.3):
        state.count_step(seconds)
    state.count_epoch(7.5)
    again = TrainState.from_dict(json.loads(json.dumps(asdict(state))))
    for each in (state, again):
        each.count_step(0.2)
    assert again == state
