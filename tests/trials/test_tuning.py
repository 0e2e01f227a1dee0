"""On models of one number, which are trained again here by a loop of the test's own."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import log_loss

from hybridhash.data import KeyedRows
from hybridhash.errors import DivergedError, InvalidValueError
from hybridhash.trials import TrainingSettings, Tuned, search, search_grid, tune, validate

TRAIN_LABELS = [0, 0, 0, 1, 0, 0, 1, 0]
RATES = (0.5, 2.0, 8.0)
TOO_FAST = 100.0


@pytest.fixture
def rows(make_rows: Callable[..., KeyedRows]) -> KeyedRows:
    """Eight training rows, four validation rows, two test rows."""
    return make_rows([*TRAIN_LABELS, 0, 1, 0, 0, 1, 1], [0] * 8 + [1] * 4 + [2] * 2)


def settings(**changes: Any) -> TrainingSettings:
    # One step a pass: all eight training rows.
    fields = {"optimizer": "sgd", "learning_rate": RATES, "epochs": 3, "batch_size": 8, "patience": 3}
    return TrainingSettings(**{**fields, **changes})


def curve(rate: float, seed: int, num_passes: int, shift: float = 0.0) -> list[float]:
    """RCE on the four validation rows after each pass, by gradient descent on one logit."""
    logit, found = float(seed), []
    for _ in range(num_passes):
        logit -= rate * (1 / (1 + math.exp(-logit)) - np.mean(TRAIN_LABELS))
        chance = 1 / (1 + math.exp(-(logit + shift)))
        loss = log_loss([0, 1, 0, 0], [chance] * 4)
        found.append(100 * (1 - loss / log_loss([0, 1, 0, 0], [0.25] * 4)))
    return found


def best(curves: dict[float, list[list[float]]]) -> Tuned:
    means = {
        (rate, passes + 1): float(np.mean([of_seed[passes] for of_seed in of_seeds]))
        for rate, of_seeds in curves.items()
        for passes in range(len(of_seeds[0]))
    }
    (rate, passes), rce = max(means.items(), key=lambda item: item[1])
    return Tuned(rate, passes, pytest.approx(rce, abs=1e-4))


def test_takes_the_best_mean_of_the_two_best_rates(rows: KeyedRows, make_build: Any) -> None:
    build = make_build()
    found = tune(build, rows, settings())
    grid = {rate: curve(rate, 0, 3) for rate in RATES}
    finalists = sorted(RATES, key=lambda rate: -max(grid[rate]))[:2]
    assert found == best({rate: [curve(rate, seed, 3) for seed in range(3)] for rate in finalists})
    assert build.built == [*((rate, 0) for rate in RATES), *((r, seed) for r in finalists for seed in (1, 2))]


def test_on_the_grid_alone_the_best_of_one_seed_is_taken(rows: KeyedRows, make_build: Any) -> None:
    build = make_build()
    found = search(build, rows, settings(), choose=search_grid)
    assert found.tuned == best({rate: [curve(rate, 0, 3)] for rate in RATES})
    assert build.built == [(rate, 0) for rate in RATES]
    assert found.curves[0.5][0] == pytest.approx(curve(0.5, 0, 3), abs=1e-4)


def test_judged_is_what_would_be_shipped(rows: KeyedRows, make_build: Any) -> None:
    found = search(make_build(shift=-1.0), rows, settings(), choose=search_grid)
    assert found.tuned == best({rate: [curve(rate, 0, 3, shift=-1.0)] for rate in RATES})


def test_a_rate_that_diverges_is_out(rows: KeyedRows, make_build: Any) -> None:
    found = tune(make_build(), rows, settings(learning_rate=(TOO_FAST, 0.5)))
    assert found == best({0.5: [curve(0.5, 0, 3)]})


def test_says_when_every_rate_diverges(rows: KeyedRows, make_build: Any) -> None:
    with pytest.raises(DivergedError, match=r"every learning rate of \[100.0, 200.0\]"):
        tune(make_build(), rows, settings(learning_rate=(TOO_FAST, 2 * TOO_FAST)))


def test_with_nothing_to_choose_nothing_is_built(rows: KeyedRows, make_build: Any) -> None:
    build = make_build()
    found = tune(build, rows, settings(learning_rate=(0.1,), epochs=1))
    assert (found.learning_rate, found.epochs, math.isnan(found.validation_rce)) == (0.1, 1, True)
    assert build.built == []


def test_searching_judges_the_only_choice_too(rows: KeyedRows, make_build: Any) -> None:
    found = search(make_build(), rows, settings(learning_rate=(0.5,), epochs=1)).tuned
    assert found == best({0.5: [curve(0.5, 0, 1)]})


@pytest.mark.parametrize("labels", [[], [1, 1]])
def test_cannot_choose_without_both_labels(
    make_rows: Callable[..., KeyedRows], make_build: Any, labels: list[int]
) -> None:
    rows = make_rows([0, 1, *labels], [0, 0, *[1] * len(labels)])
    with pytest.raises(InvalidValueError, match=f"rows of both labels to tune on, got {len(labels)} rows"):
        tune(make_build(), rows, settings())


def test_each_rate_and_seed_has_a_title_and_a_checkpoint(
    rows: KeyedRows, make_build: Any, tmp_path: Path
) -> None:
    titles: list[str] = []
    tune(
        make_build(),
        rows,
        settings(learning_rate=(2.0, 0.5)),
        lambda title, _: titles.append(title),
        lambda rate, seed: tmp_path / f"{rate:g}-{seed}",
    )
    named = [("2", 0), ("0.5", 0), ("2", 1), ("2", 2), ("0.5", 1), ("0.5", 2)]
    assert list(dict.fromkeys(titles)) == [
        f"learning rate {rate}" + (f", seed {seed}" if seed else "") for rate, seed in named
    ]
    assert {path.name for path in tmp_path.iterdir()} == {f"{rate}-{seed}" for rate, seed in named}
    # What was trained in full is read from its checkpoint: no model learns again.
    again: list[str] = []
    found = tune(
        make_build(),
        rows,
        settings(learning_rate=(2.0, 0.5)),
        lambda title, _: again.append(title),
        lambda rate, seed: tmp_path / f"{rate:g}-{seed}",
    )
    assert again == []
    assert found == tune(make_build(), rows, settings(learning_rate=(2.0, 0.5)))


def test_validating_makes_one_pass_and_judges_what_is_shipped(rows: KeyedRows, make_build: Any) -> None:
    build = make_build(shift=0.5)
    found = validate(build, rows, settings(), 2.0)
    assert found == pytest.approx(curve(2.0, 0, 1, shift=0.5)[0], abs=1e-4)
    assert build.built == [(2.0, 0)]


def test_what_diverges_is_the_worst(rows: KeyedRows, make_build: Any) -> None:
    assert validate(make_build(), rows, settings(), TOO_FAST) == -math.inf
