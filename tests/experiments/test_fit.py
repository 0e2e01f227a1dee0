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
from hybridhash.experiments import CompareSettings, fit
from hybridhash.experiments.fit import Tuned, quality_of, tune
from hybridhash.training import TrainResult


def dataset_of(labels: list[int]) -> Any:
    """Ten training rows, then validation rows with these labels."""
    every = np.array([0, 1] * 5 + labels, dtype=np.float32)
    part = np.where(np.arange(every.size) < 10, TRAIN, VALIDATION)
    rows = SimpleNamespace(labels=every, indices=lambda *parts: np.flatnonzero(np.isin(part, parts)))
    return SimpleNamespace(rows=rows)


def settings(**changes: Any) -> CompareSettings:
    return CompareSettings(**{"learning_rate": (0.1, 0.2, 0.3), "epochs": 5, **changes})


def fake_training(monkeypatch: pytest.MonkeyPatch, outcomes: dict[float, Any]) -> list[float]:
    """Let a run at a learning rate come to a validation RCE at its second pass, or to an error."""
    tried: list[float] = []

    def train(model: Any, rows: Any, indices: Any, run: Any, **options: Any) -> TrainResult:
        tried.append(run.learning_rate)
        assert indices.tolist() == list(range(10)), "only training rows are trained on"
        assert options["validation"].tolist() == [10, 11]
        outcome = outcomes[run.learning_rate]
        if isinstance(outcome, Exception):
            raise outcome
        return TrainResult(3, 2, (outcome - 1, outcome, outcome - 2), 30, 1.0, 1.0)

    monkeypatch.setattr(fit, "train", train)
    monkeypatch.setattr(fit, "_build", lambda *_, **__: None)
    return tried


def tune_with(dataset: Any, chosen: CompareSettings) -> Tuned:
    return tune(dataset, Any, chosen, lambda what, progress: None)


def test_takes_the_best_rate_and_its_best_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    tried = fake_training(monkeypatch, {0.1: 3.0, 0.2: 7.0, 0.3: 5.0})
    assert tune_with(dataset_of([0, 1]), settings()) == Tuned(0.2, 2, 7.0)
    assert tried == [0.1, 0.2, 0.3]


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


def test_names_a_checkpoint_for_each_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[Any] = []

    def train(*_: Any, checkpoint: Any, **__: Any) -> TrainResult:
        given.append(checkpoint)
        return TrainResult(1, 1, (1.0,), 1, 1.0, 1.0)

    monkeypatch.setattr(fit, "train", train)
    monkeypatch.setattr(fit, "_build", lambda *_, **__: None)
    tune(dataset_of([0, 1]), Any, settings(), lambda *_: None, lambda rate: Path(f"rate{rate}"))
    assert given == [Path("rate0.1"), Path("rate0.2"), Path("rate0.3")]


@pytest.mark.parametrize("rce", [1.5, 0.0, math.nan])
def test_what_was_tuned_goes_through_json(rce: float) -> None:
    tuned = Tuned(0.1, 3, rce)
    again = Tuned.from_dict(tuned.as_dict())
    assert (again.learning_rate, again.epochs) == (0.1, 3)
    assert again.validation_rce == pytest.approx(rce, nan_ok=True)
    assert tuned.as_dict()["validation_rce"] == (None if math.isnan(rce) else rce)


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
    monkeypatch.setattr(fit, "build_model", lambda *_, **options: built.append(options["bag"]))
    monkeypatch.setattr(fit, "train", lambda *_, **__: None)
    dataset = dataset_of([0, 1])
    dataset.schema = SimpleNamespace(names=("u",))
    layout: Any = SimpleNamespace(spec=None, vocabularies={})
    fit.fit(dataset, layout, settings(rounding=rounding), Tuned(0.2, 1, 7.0), 0, lambda _: None)
    assert built == [bag]


@pytest.mark.parametrize(
    ("name", "rule"), [("sgd", optim.SGD), ("adagrad", optim.Adagrad), ("adam", optim.Adam)]
)
def test_tables_move_themselves_at_the_tuned_rate(
    monkeypatch: pytest.MonkeyPatch, name: Any, rule: type[optim.FusedOptimizer]
) -> None:
    built: list[Any] = []
    monkeypatch.setattr(fit, "build_model", lambda *_, **options: built.append(options["optimizer"]))
    monkeypatch.setattr(fit, "train", lambda *_, **__: None)
    dataset = dataset_of([0, 1])
    dataset.schema = SimpleNamespace(names=("u",))
    layout: Any = SimpleNamespace(spec=None, vocabularies={})
    fit.fit(dataset, layout, settings(optimizer=name), Tuned(0.2, 1, 7.0), 0, lambda _: None)
    assert built == [rule(0.2)]
