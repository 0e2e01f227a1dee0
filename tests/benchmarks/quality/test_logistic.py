"""The rows of the logistic regression are those of the keys, and its RCE is scikit-learn's log loss."""

import numpy as np
import pytest
from benchmarks.quality.logistic import one_hot, rce_of
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss

from hybridhash.data import TEST, TRAIN, KeyedRows
from hybridhash.trials.settings import FitSettings


def columns(rows: KeyedRows, row: int) -> dict[int, float]:
    """The weight of each key of a row: 1 for a value, and 1 / their number for the ids of a list."""
    weights = dict.fromkeys(rows.singles[row].tolist(), 1.0)
    for bags in rows.lists:
        assert bags.offsets is not None
        listed = bags.keys[bags.offsets[row] : bags.offsets[row + 1]].tolist()
        for key in listed:
            weights[key] = weights.get(key, 0.0) + 1 / len(listed)
    return weights


def test_a_row_is_its_known_keys(tiny: tuple[KeyedRows, FitSettings]) -> None:
    rows, _ = tiny
    known = np.unique(rows.take(np.arange(500)).keys)
    chosen = np.array([700, 3, 999])
    expected = np.zeros((3, known.size))
    for at, row in enumerate(chosen):
        for key, weight in columns(rows, int(row)).items():
            if key in known:
                expected[at, np.flatnonzero(known == key)[0]] = weight
    np.testing.assert_allclose(one_hot(rows, chosen, known).toarray(), expected)


def test_the_rce_is_that_of_scikit_learn(tiny: tuple[KeyedRows, FitSettings]) -> None:
    rows, _ = tiny
    train, test = rows.indices(TRAIN), rows.indices(TEST)
    known = np.unique(rows.take(train).keys)
    model = LogisticRegression(C=0.3, max_iter=300).fit(one_hot(rows, train, known), rows.labels[train])
    predicted = model.predict_proba(one_hot(rows, test, known))[:, 1]
    labels = rows.labels[test]
    at_mean = log_loss(labels, np.full(labels.size, labels.mean(), dtype=np.float64))
    expected = 100 * (1 - log_loss(labels, predicted) / at_mean)
    assert rce_of(rows, 0.3, (TRAIN,), TEST) == pytest.approx(expected, abs=1e-4)
