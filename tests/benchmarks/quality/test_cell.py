"""Nothing is learned from the test, and tuning learns nothing from the validation slice but the choice."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from benchmarks.quality.benchmark import PEERS_BENCHMARK, TAILS_BENCHMARK
from benchmarks.quality.cell import fit, judge, tune, tune_on_grid
from benchmarks.quality.methods import build

from benchmarks.quality import cell
from hybridhash.data import TEST, TRAIN, VALIDATION, Bags, KeyedRows
from hybridhash.errors import DivergedError
from hybridhash.metrics import relative_cross_entropy
from hybridhash.training import TrainResult, predict
from hybridhash.trials import Built, FitSettings, Tuned, tuning

EVERY = tuple(dict.fromkeys((*PEERS_BENCHMARK.methods, *TAILS_BENCHMARK.methods)))


def poisoned(rows: KeyedRows, *parts: int) -> KeyedRows:
    """Return the rows with other keys and labels in some parts."""
    bad = np.isin(rows.part, parts)
    lists = []
    for bags in rows.lists:
        keys = bags.keys.copy()
        keys[np.repeat(bad, np.diff(bags.offsets))] ^= 0x5A5A5A5A
        lists.append(Bags(keys, bags.offsets))
    singles = np.where(bad[:, None], rows.singles ^ 0x5A5A5A5A, rows.singles)
    return replace(
        rows, singles=singles, lists=tuple(lists), labels=np.where(bad, 1 - rows.labels, rows.labels)
    )


@pytest.mark.parametrize("method", EVERY)
def test_no_method_reads_the_test(tiny: tuple[KeyedRows, FitSettings], method: str) -> None:
    rows, settings = tiny[0], tiny[1].model_copy(update={"epochs": 1})
    found = []
    for each in (rows, poisoned(rows, TEST)):
        chosen = tune(method, each, settings, 4000)
        found.append((chosen, fit(method, each, settings, 4000, chosen.tuned, seed=0)))
    (before, ours), (after, theirs) = found
    assert before == after
    of_theirs = theirs.model.state_dict()
    assert all(torch.equal(value, of_theirs[name]) for name, value in ours.model.state_dict().items())
    # The poison bites where it may.
    assert judge(ours, rows) != judge(ours, poisoned(rows, TEST))


@pytest.mark.parametrize("method", EVERY)
def test_tuned_models_know_nothing_of_the_validation_slice(
    tiny: tuple[KeyedRows, FitSettings], method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows, settings = tiny
    one = settings.model_copy(update={"learning_rate": (0.1,), "epochs": 1})
    models: list[torch.nn.Module] = []
    train = tuning.train

    def remember(model: torch.nn.Module, *arguments: Any, **options: Any) -> TrainResult:
        models.append(model)
        return train(model, *arguments, **options)

    monkeypatch.setattr(tuning, "train", remember)
    for each in (rows, poisoned(rows, VALIDATION)):
        tune(method, each, one, 4000)
    ours, theirs = (model.state_dict() for model in models)
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)


CURVES = {  # by rate and seed; what is not here diverges
    (0.01, 0): (1.0, 3.0),
    (0.02, 0): (2.0, 5.0, 4.0),
    (0.02, 1): (3.0, 4.0, 1.0),
    (0.02, 2): (4.0, 3.0),
    (0.1, 0): (5.5, 1.0),
    (0.1, 1): (1.0, 1.5),
    (0.1, 2): (1.0, 2.0),
}


@pytest.fixture
def pretended(monkeypatch: pytest.MonkeyPatch) -> list[tuple[float, int]]:
    """Training comes to `CURVES` at once; the rates and seeds that it was asked for."""
    asked: list[tuple[float, int]] = []

    def pretend(model: torch.nn.Module, rows: KeyedRows, indices: Any, run: Any, **_: Any) -> TrainResult:
        asked.append((run.learning_rate, run.seed))
        if asked[-1] not in CURVES:
            raise DivergedError("diverged")
        curve = CURVES[asked[-1]]
        return TrainResult(len(curve), int(np.argmax(curve)) + 1, curve, 1, 1.0, 1.0)

    monkeypatch.setattr(tuning, "train", pretend)
    return asked


GRID = [(0.01, 0), (0.02, 0), (0.05, 0), (0.1, 0)]


def test_the_best_mean_of_the_two_best_rates_is_chosen(
    tiny: tuple[KeyedRows, FitSettings], pretended: list[tuple[float, int]]
) -> None:
    rows, settings = tiny
    four = settings.model_copy(update={"learning_rate": (0.01, 0.02, 0.05, 0.1)})
    found = tune("hashed", rows, four, 4000)
    assert found.tuned == Tuned(0.02, 2, 4.0)
    assert pretended == [*GRID, (0.1, 1), (0.1, 2), (0.02, 1), (0.02, 2)]
    assert found.curves[0.02] == tuple(CURVES[0.02, seed] for seed in range(3))


def test_on_the_grid_alone_the_best_of_one_seed_is_chosen(
    tiny: tuple[KeyedRows, FitSettings], pretended: list[tuple[float, int]]
) -> None:
    rows, settings = tiny
    four = settings.model_copy(update={"learning_rate": (0.01, 0.02, 0.05, 0.1)})
    assert tune_on_grid("hashed", rows, four, 4000).tuned == Tuned(0.1, 1, 5.5)
    assert pretended == GRID


@pytest.mark.parametrize("choose", [tune, tune_on_grid])
def test_says_when_every_rate_diverges(
    tiny: tuple[KeyedRows, FitSettings], pretended: list[tuple[float, int]], choose: Any
) -> None:
    rows, settings = tiny
    bad = settings.model_copy(update={"learning_rate": (0.05, 0.5)})
    with pytest.raises(DivergedError, match=r"at every learning rate of \[0.05, 0.5\]"):
        choose("hashed", rows, bad, 4000)


@pytest.mark.parametrize(
    ("choose", "as_shipped"), [(tune, True), (tune_on_grid, False)], ids=["tune", "tune_on_grid"]
)
def test_what_is_judged(
    tiny: tuple[KeyedRows, FitSettings], monkeypatch: pytest.MonkeyPatch, choose: Any, as_shipped: bool
) -> None:
    """Where `auto` gives rare keys shared rows, the model as it is shipped has another RCE than as it is trained."""
    rows, settings = tiny
    one = settings.model_copy(update={"learning_rate": (0.1,), "epochs": 1})
    built: list[Built[torch.nn.Module]] = []

    def remember(*arguments: Any) -> Built[torch.nn.Module]:
        built.append(build(*arguments))
        return built[-1]

    monkeypatch.setattr(cell, "build", remember)
    found = choose("auto", rows, one, 2000).tuned.validation_rce
    validation = rows.indices(VALIDATION)
    trained, shipped = (
        relative_cross_entropy(predict(model, rows, validation), rows.labels[validation])
        for model in (built[0].model, built[0].ship())
    )
    assert trained != shipped
    assert found == (shipped if as_shipped else trained)


def test_the_judge_looks_at_the_test(tiny: tuple[KeyedRows, FitSettings], tmp_path: Path) -> None:
    rows, settings = tiny
    built = fit("hashed", rows, settings, 4000, Tuned(0.1, 1, 0.0), seed=1)
    found = judge(built, rows)
    test = np.flatnonzero(rows.part == 2)
    expected = relative_cross_entropy(predict(built.model, rows, test), rows.labels[test])
    assert found["rce"] == pytest.approx(float(expected))
    assert found["embedding_bytes"] == built.embedding_bytes
    assert rows.indices(TRAIN, VALIDATION).size + test.size == rows.num_rows
