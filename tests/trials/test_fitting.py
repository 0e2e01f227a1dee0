import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import log_loss, roc_auc_score

from hybridhash import optim
from hybridhash.data import TRAIN, VALIDATION
from hybridhash.embeddings import KeyEmbeddingBag, RoundedEmbeddingBag
from hybridhash.errors import DivergedError, InvalidValueError
from hybridhash.experiments import CompareSettings
from hybridhash.training import TrainResult
from hybridhash.trials import fitting
from hybridhash.trials.fitting import quality_of, tune
from hybridhash.trials.runoff import Tuned


def dataset_of(labels: list[int]) -> Any:
    """Ten training rows, then validation rows with these labels."""
    every = np.array([0, 1] * 5 + labels, dtype=np.float32)
    part = np.where(np.arange(every.size) < 10, TRAIN, VALIDATION)
    rows = SimpleNamespace(labels=every, indices=lambda *parts: np.flatnonzero(np.isin(part, parts)))
    return SimpleNamespace(rows=rows)


def settings(**changes: Any) -> CompareSettings:
    return CompareSettings(**{"learning_rate": (0.1, 0.2, 0.3), "epochs": 5, **changes})


def fake_training(monkeypatch: pytest.MonkeyPatch, outcomes: dict[float, Any]) -> list[tuple[float, int]]:
    """Let a run at a learning rate come to a validation RCE at its second pass, less its seed, or to an error."""
    tried: list[tuple[float, int]] = []

    def train(model: Any, rows: Any, indices: Any, run: Any, **options: Any) -> TrainResult:
        tried.append((run.learning_rate, run.seed))
        assert indices.tolist() == list(range(10)), "only training rows are trained on"
        assert options["validation"].tolist() == [10, 11]
        assert model == f"model at {run.learning_rate}, seed {run.seed}"
        assert options["judged"]() == f"shipped {model}"
        outcome = outcomes[run.learning_rate]
        if isinstance(outcome, Exception):
            raise outcome
        outcome -= run.seed
        return TrainResult(3, 2, (outcome - 1, outcome, outcome - 2), 30, 1.0, 1.0)

    monkeypatch.setattr(fitting, "train", train)
    monkeypatch.setattr(fitting, "_build", lambda *given: f"model at {given[-2]}, seed {given[-1]}")
    monkeypatch.setattr(fitting, "ship", lambda model, layout, rows: f"shipped {model}")
    return tried


def tune_with(dataset: Any, chosen: CompareSettings) -> Tuned:
    return tune(dataset, Any, chosen, lambda what, progress: None)


def test_takes_the_best_rate_and_its_best_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    tried = fake_training(monkeypatch, {0.1: 3.0, 0.2: 7.0, 0.3: 5.0})
    # The mean of 7, 6 and 5.
    assert tune_with(dataset_of([0, 1]), settings()) == Tuned(0.2, 2, 6.0)
    assert tried == [(0.1, 0), (0.2, 0), (0.3, 0), (0.2, 1), (0.2, 2), (0.3, 1), (0.3, 2)]


def test_a_rate_that_diverges_is_out(monkeypatch: pytest.MonkeyPatch) -> None:
    fake_training(monkeypatch, {0.1: -3.0, 0.2: DivergedError("x"), 0.3: -5.0})
    assert tune_with(dataset_of([0, 1]), settings()).learning_rate == 0.1


def test_says_when_every_rate_diverges(monkeypatch: pytest.MonkeyPatch) -> None:
    fake_training(monkeypatch, dict.fromkeys((0.1, 0.2, 0.3), DivergedError("x")))
    with pytest.raises(DivergedError, match=r"every learning rate of \[0.1, 0.2, 0.3\]"):
        tune_with(dataset_of([0, 1]), settings())


def test_with_nothing_to_choose_nothing_is_trained(monkeypatch: pytest.MonkeyPatch) -> None:
    tried = fake_training(monkeypatch, {})
    found = tune_with(dataset_of([]), settings(learning_rate=(0.1,), epochs=1))
    assert (found.learning_rate, found.epochs, math.isnan(found.validation_rce)) == (0.1, 1, True)
    assert tried == []


@pytest.mark.parametrize("labels", [[], [1, 1]])
def test_cannot_choose_without_both_labels(labels: list[int]) -> None:
    with pytest.raises(InvalidValueError, match=f"rows of both labels to tune on, got {len(labels)} rows"):
        tune_with(dataset_of(labels), settings())


def test_names_a_checkpoint_and_a_title_for_each_rate_and_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[Any] = []
    titles: list[str] = []

    def train(*_: Any, checkpoint: Any, on_progress: Any, **__: Any) -> TrainResult:
        given.append(checkpoint)
        on_progress(None)
        return TrainResult(1, 1, (1.0,), 1, 1.0, 1.0)

    monkeypatch.setattr(fitting, "train", train)
    monkeypatch.setattr(fitting, "_build", lambda *_, **__: None)
    tune(
        dataset_of([0, 1]),
        Any,
        settings(),
        lambda title, _: titles.append(title),
        lambda rate, seed: Path(f"{rate}-{seed}"),
    )
    grid, runoff = ["0.1-0", "0.2-0", "0.3-0"], ["0.1-1", "0.1-2", "0.2-1", "0.2-2"]
    assert given == [Path(name) for name in [*grid, *runoff]]
    rates = [f"learning rate {rate}" for rate in (0.1, 0.2, 0.3)]
    assert titles == [*rates, *(f"{rate}, seed {seed}" for rate in rates[:2] for seed in (1, 2))]


def test_a_plan_is_judged_as_it_would_be_shipped(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[Any] = []

    def train(model: Any, rows: Any, indices: Any, run: Any, **options: Any) -> TrainResult:
        tried.append((run.learning_rate, run.seed, run.epochs, indices.tolist(), options["judged"]()))
        return TrainResult(1, 1, (4.0,), 1, 1.0, 1.0)

    monkeypatch.setattr(fitting, "train", train)
    monkeypatch.setattr(fitting, "_build", lambda *_: "model")
    monkeypatch.setattr(fitting, "ship", lambda model, *_: f"shipped {model}")
    layout: Any = None
    assert fitting.validate(dataset_of([0, 1]), layout, settings(), 0.2, lambda _: None) == 4.0
    assert tried == [(0.2, 0, 1, list(range(10)), "shipped model")]


def test_a_plan_that_diverges_is_the_worst(monkeypatch: pytest.MonkeyPatch) -> None:
    def diverge(*_: Any, **__: Any) -> TrainResult:
        raise DivergedError("x")

    monkeypatch.setattr(fitting, "train", diverge)
    monkeypatch.setattr(fitting, "_build", lambda *_: None)
    layout: Any = None
    assert fitting.validate(dataset_of([0, 1]), layout, settings(), 0.2, lambda _: None) == -math.inf


def test_quality_is_that_of_scikit_learn() -> None:
    random = np.random.default_rng(0)
    labels, predictions = random.integers(0, 2, 50), random.random(50)
    weights = random.random(50)
    quality = quality_of(predictions, labels, weights)
    loss = log_loss(labels, predictions, sample_weight=weights)
    mean = np.average(labels, weights=weights)
    entropy = -(mean * np.log(mean) + (1 - mean) * np.log(1 - mean))
    assert quality.log_loss == pytest.approx(loss)
    assert quality.rce == pytest.approx(100 * (1 - loss / entropy))
    assert quality.normalised_entropy == pytest.approx(loss / entropy)
    assert quality.auc == pytest.approx(roc_auc_score(labels, predictions, sample_weight=weights))
    assert quality.calibration == pytest.approx(np.average(predictions, weights=weights) / mean)


@pytest.mark.parametrize(("rounding", "bag"), [("after", KeyEmbeddingBag), ("in-loop", RoundedEmbeddingBag)])
def test_tables_read_rounded_rows_where_asked_to(
    monkeypatch: pytest.MonkeyPatch, rounding: Any, bag: type[KeyEmbeddingBag]
) -> None:
    built: list[Any] = []
    monkeypatch.setattr(fitting, "build_model", lambda *_, **options: built.append(options["bag"]))
    monkeypatch.setattr(fitting, "train", lambda *_, **__: None)
    dataset = dataset_of([0, 1])
    dataset.schema = SimpleNamespace(names=("u",))
    layout: Any = SimpleNamespace(spec=None, vocabularies={})
    fitting.fit(dataset, layout, settings(rounding=rounding), Tuned(0.2, 1, 7.0), 0, lambda _: None)
    assert built == [bag]


@pytest.mark.parametrize(
    ("name", "rule"), [("sgd", optim.SGD), ("adagrad", optim.Adagrad), ("adam", optim.Adam)]
)
def test_tables_move_themselves_at_the_tuned_rate(
    monkeypatch: pytest.MonkeyPatch, name: Any, rule: type[optim.FusedOptimizer]
) -> None:
    built: list[Any] = []
    monkeypatch.setattr(fitting, "build_model", lambda *_, **options: built.append(options["optimizer"]))
    monkeypatch.setattr(fitting, "train", lambda *_, **__: None)
    dataset = dataset_of([0, 1])
    dataset.schema = SimpleNamespace(names=("u",))
    layout: Any = SimpleNamespace(spec=None, vocabularies={})
    fitting.fit(dataset, layout, settings(optimizer=name), Tuned(0.2, 1, 7.0), 0, lambda _: None)
    assert built == [rule(0.2)]
