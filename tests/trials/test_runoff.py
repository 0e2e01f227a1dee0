"""Choices worked out by hand, and one against numpy."""

import math
from collections.abc import Mapping

import numpy as np
import pytest

from hybridhash.errors import DivergedError
from hybridhash.trials.runoff import (
    RUNOFF_SEEDS,
    Curve,
    Train,
    Tuned,
    choose,
    finalists,
    search_grid,
    search_with_runoff,
)

Outcomes = Mapping[tuple[float, int], Curve | None]


def training(outcomes: Outcomes, asked: list[tuple[float, int]]) -> Train:
    """Return what comes to these curves, and diverges where there is none; it notes what it is asked for."""

    def train(rate: float, seed: int) -> Curve:
        asked.append((rate, seed))
        curve = outcomes[rate, seed]
        if curve is None:
            raise DivergedError("training diverged")
        return curve

    return train


def test_the_seeds_of_the_run_off_are_not_that_of_the_grid() -> None:
    assert RUNOFF_SEEDS == (1, 2)


def test_the_grid_takes_the_best_pass_of_one_seed() -> None:
    asked: list[tuple[float, int]] = []
    grid = {(0.1, 0): (3.0, 5.0, 4.0), (0.2, 0): None, (0.3, 0): (6.0, 1.0)}
    found = search_grid((0.1, 0.2, 0.3, 0.1), training(grid, asked))
    assert found.tuned == Tuned(0.3, 1, 6.0)
    assert found.curves == {0.1: ((3.0, 5.0, 4.0),), 0.3: ((6.0, 1.0),)}
    assert asked == [(0.1, 0), (0.2, 0), (0.3, 0)], "a rate that is named twice is trained once"


def test_two_rates_run_off_and_the_mean_of_three_seeds_decides() -> None:
    """0.3 is ahead by luck: the best mean of 0.2 is (6 + 6.5 + 7) / 3, that of 0.3 is (8 + 4 + 3) / 3."""
    asked: list[tuple[float, int]] = []
    outcomes = {
        (0.1, 0): (1.0, 2.0),
        (0.2, 0): (5.0, 6.0, 5.5),
        (0.3, 0): (8.0, 2.0),
        (0.2, 1): (5.0, 6.5, 6.0),
        (0.2, 2): (4.0, 7.0, 6.5),
        (0.3, 1): (4.0, 3.0),
        (0.3, 2): (3.0, 2.0),
    }
    found = search_with_runoff((0.1, 0.2, 0.3), training(outcomes, asked))
    assert found.tuned == Tuned(0.2, 2, 6.5)
    assert asked == [(0.1, 0), (0.2, 0), (0.3, 0), (0.3, 1), (0.3, 2), (0.2, 1), (0.2, 2)]
    assert found.curves == {
        0.1: ((1.0, 2.0),),
        0.2: ((5.0, 6.0, 5.5), (5.0, 6.5, 6.0), (4.0, 7.0, 6.5)),
        0.3: ((8.0, 2.0), (4.0, 3.0), (3.0, 2.0)),
    }


def test_a_rate_that_is_not_in_the_run_off_is_not_compared_by_its_one_seed() -> None:
    outcomes = {(0.1, 0): (5.0,), (0.2, 0): (6.0,), (0.3, 0): (7.0,)}
    outcomes |= {(rate, seed): (1.0 + rate,) for rate in (0.2, 0.3) for seed in (1, 2)}
    found = search_with_runoff((0.1, 0.2, 0.3), training(outcomes, []))
    assert (found.tuned.learning_rate, found.tuned.epochs) == (0.3, 1)
    assert found.tuned.validation_rce == pytest.approx((7 + 1.3 + 1.3) / 3)


@pytest.mark.parametrize("rates", [(0.1,), (0.1, 0.2)], ids=["one rate", "the other diverged"])
def test_one_rate_does_not_run_off(rates: tuple[float, ...]) -> None:
    asked: list[tuple[float, int]] = []
    found = search_with_runoff(rates, training({(0.1, 0): (1.0, 2.0, 1.5), (0.2, 0): None}, asked))
    assert found.tuned == Tuned(0.1, 2, 2.0)
    assert asked == [(rate, 0) for rate in rates]


def test_a_rate_that_diverges_in_the_run_off_is_out() -> None:
    asked: list[tuple[float, int]] = []
    outcomes: Outcomes = {
        (0.1, 0): (1.0,),
        (0.2, 0): (2.0,),
        (0.2, 1): (0.5,),
        (0.2, 2): (0.5,),
        (0.3, 0): (9.0,),
        (0.3, 1): None,
    }
    found = search_with_runoff((0.1, 0.2, 0.3), training(outcomes, asked))
    assert found.tuned == Tuned(0.2, 1, 1.0)
    assert 0.3 not in found.curves
    assert asked[3:] == [(0.3, 1), (0.2, 1), (0.2, 2)], "its other seed is not trained"


def test_where_both_diverge_the_best_of_the_others_is_taken() -> None:
    outcomes: Outcomes = {
        (0.1, 0): (1.0, 1.5),
        (0.2, 0): (2.0,),
        (0.3, 0): (8.0,),
        (0.4, 0): (9.0,),
        (0.3, 1): (8.0,),
        (0.3, 2): None,
        (0.4, 1): None,
    }
    assert search_with_runoff((0.1, 0.2, 0.3, 0.4), training(outcomes, [])).tuned == Tuned(0.2, 1, 2.0)
    with pytest.raises(DivergedError, match=r"every learning rate of \[0.3, 0.4\]; expected smaller ones"):
        search_with_runoff((0.3, 0.4), training(outcomes, []))


@pytest.mark.parametrize("search", [search_grid, search_with_runoff])
def test_says_when_every_rate_diverges(search: type) -> None:
    with pytest.raises(DivergedError, match=r"every learning rate of \[0.1, 0.2\]; expected smaller ones"):
        search((0.1, 0.2), training({(0.1, 0): None, (0.2, 0): None}, []))


def test_the_finalists_are_those_with_the_best_passes() -> None:
    assert finalists({0.1: ((9.0, 1.0),), 0.2: ((5.0, 5.0),), 0.3: ((2.0, 7.0),)}) == (0.1, 0.3)
    assert finalists({0.3: ((5.0,),), 0.2: ((7.0,),), 0.1: ((5.0,),)}) == (0.2, 0.3), (
        "of equal ones the first"
    )
    assert finalists({0.1: ((-5.0,),)}) == (0.1,)


def test_only_passes_that_every_seed_has_made_are_compared() -> None:
    """The third pass, 90 for one seed, is not: the others stopped before it."""
    assert choose({0.1: ((1.0, 2.0, 90.0), (1.0, 4.0), (4.0, 3.0))}) == Tuned(0.1, 2, 3.0)
    assert choose({0.1: ((1.0, 90.0), (2.0,), (6.0, 90.0))}) == Tuned(0.1, 1, 3.0)


def test_rates_may_have_made_different_numbers_of_passes() -> None:
    curves = {0.1: ((1.0, 2.0, 3.0), (1.0, 2.0, 4.0)), 0.2: ((3.0,), (3.5,))}
    assert choose(curves) == Tuned(0.1, 3, 3.5)


def test_of_equal_means_the_first_rate_and_the_fewest_passes_are_taken() -> None:
    assert choose({0.2: ((1.0, 3.0, 3.0), (5.0, 3.0, 3.0)), 0.1: ((3.0,), (3.0,))}) == Tuned(0.2, 1, 3.0)
    assert choose({0.1: ((3.0,), (3.0,)), 0.2: ((1.0, 3.0), (5.0, 3.0))}) == Tuned(0.1, 1, 3.0)


def test_the_choice_is_that_of_numpy() -> None:
    rces = np.random.default_rng(0).normal(size=(4, 3, 5))  # rates, seeds, passes
    means = rces.mean(axis=1)
    rate, passes = np.unravel_index(means.argmax(), means.shape)
    found = choose({float(place): tuple(map(tuple, of_rate)) for place, of_rate in enumerate(rces)})
    assert (found.learning_rate, found.epochs) == (rate, passes + 1)
    assert found.validation_rce == pytest.approx(means.max())


@pytest.mark.parametrize("rce", [1.5, 0.0, math.nan])
def test_what_was_tuned_goes_through_json(rce: float) -> None:
    tuned = Tuned(0.1, 3, rce)
    again = Tuned.from_dict(tuned.as_dict())
    assert (again.learning_rate, again.epochs) == (0.1, 3)
    assert again.validation_rce == pytest.approx(rce, nan_ok=True)
    assert tuned.as_dict()["validation_rce"] == (None if math.isnan(rce) else rce)
