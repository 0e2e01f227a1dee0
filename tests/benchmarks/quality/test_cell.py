"""Nothing is learned from the test, and tuning learns nothing from the validation slice but the choice."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from benchmarks.quality.cell import Tuned, fit, judge, tune
from benchmarks.quality.study import PEERS_STUDY, TAILS_STUDY

from benchmarks.quality import cell
from hybridhash.data import TEST, TRAIN, VALIDATION, Bags, EncodedRows
from hybridhash.errors import DivergedError
from hybridhash.experiments.settings import FitSettings
from hybridhash.metrics import relative_cross_entropy
from hybridhash.training import TrainResult, predict

EVERY = tuple(dict.fromkeys((*PEERS_STUDY.methods, *TAILS_STUDY.methods)))


def poisoned(rows: EncodedRows, *parts: int) -> EncodedRows:
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
def test_no_method_reads_the_test(tiny: tuple[EncodedRows, FitSettings], method: str) -> None:
    rows, settings = tiny
    found = []
    for each in (rows, poisoned(rows, TEST)):
        chosen = tune(method, each, settings, 4000)
        found.append((chosen, fit(method, each, settings, 4000, chosen, seed=0).model.state_dict()))
    (before, ours), (after, theirs) = found
    assert before == after
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)
    # The poison bites where it may.
    assert judge(fit(method, rows, settings, 4000, before, 0), rows) != judge(
        fit(method, rows, settings, 4000, before, 0), poisoned(rows, TEST)
    )


@pytest.mark.parametrize("method", EVERY)
def test_tuned_models_know_nothing_of_the_validation_slice(
    tiny: tuple[EncodedRows, FitSettings], method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows, settings = tiny
    one = settings.model_copy(update={"learning_rate": (0.1,), "epochs": 1})
    models: list[torch.nn.Module] = []
    train = cell.train

    def remember(model: torch.nn.Module, *arguments: Any, **options: Any) -> TrainResult:
        models.append(model)
        return train(model, *arguments, **options)

    monkeypatch.setattr(cell, "train", remember)
    for each in (rows, poisoned(rows, VALIDATION)):
        tune(method, each, one, 4000)
    ours, theirs = (model.state_dict() for model in models)
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)


def test_the_best_rate_and_number_of_passes_are_chosen(
    tiny: tuple[EncodedRows, FitSettings], monkeypatch: pytest.MonkeyPatch
) -> None:
    rows, settings = tiny
    three = settings.model_copy(update={"learning_rate": (0.01, 0.02, 0.05, 0.1)})
    curves = {0.01: (1.0, 3.0), 0.02: (2.0, 5.0, 4.0), 0.1: (4.5, 1.0)}

    def pretend(model: torch.nn.Module, rows: EncodedRows, indices: Any, run: Any, **_: Any) -> TrainResult:
        if run.learning_rate not in curves:
            raise DivergedError("diverged")
        curve = curves[run.learning_rate]
        return TrainResult(len(curve), int(np.argmax(curve)) + 1, curve, 1, 1.0, 1.0)

    monkeypatch.setattr(cell, "train", pretend)
    assert tune("hashed", rows, three, 4000) == Tuned(0.02, 2, 5.0)
    curves.clear()
    with pytest.raises(DivergedError, match="hashed diverged at every learning rate"):
        tune("hashed", rows, three, 4000)


def test_the_judge_looks_at_the_test(tiny: tuple[EncodedRows, FitSettings], tmp_path: Path) -> None:
    rows, settings = tiny
    built = fit("hashed", rows, settings, 4000, Tuned(0.1, 1, 0.0), seed=1)
    found = judge(built, rows)
    test = np.flatnonzero(rows.part == 2)
    expected = relative_cross_entropy(predict(built.model, rows, test), rows.labels[test])
    assert found["rce"] == pytest.approx(float(expected))
    assert found["embedding_bytes"] == built.embedding_bytes
    assert rows.indices(TRAIN, VALIDATION).size + test.size == rows.num_rows
