import re
from fractions import Fraction
from itertools import product

import numpy as np
import pytest
import sklearn.metrics
from hypothesis import assume, given
from hypothesis import strategies as st

from hybridhash.errors import InvalidValueError
from hybridhash.metrics import auc

few_values = st.integers(0, 8).map(lambda eighths: eighths / 8)  # many ties
rows = st.lists(st.tuples(few_values, st.integers(0, 1), st.integers(0, 5)), min_size=2, max_size=40)


def brute_force(predictions: list[float], labels: list[int], weights: list[int]) -> Fraction:
    """Compare every positive with every negative row, in exact fractions."""
    wins = pairs = Fraction(0)
    for i, j in product(range(len(labels)), repeat=2):
        if labels[i] == 1 and labels[j] == 0:
            pairs += weights[i] * weights[j]
            above = Fraction(predictions[i] > predictions[j]) + Fraction(predictions[i] == predictions[j]) / 2
            wins += weights[i] * weights[j] * above
    assume(pairs > 0)
    return wins / pairs


@given(rows)
def test_it_is_the_share_of_pairs_in_order(data: list[tuple[float, int, int]]) -> None:
    predictions, labels, weights = map(list, zip(*data, strict=True))
    expected = brute_force(predictions, labels, weights)
    assert auc(predictions, labels, weights) == pytest.approx(float(expected), rel=1e-14, abs=1e-15)


def test_it_is_that_of_scikit_learn_on_many_rows() -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 10_000)
    predictions = np.round(np.clip(rng.normal(0.4 + 0.1 * labels, 0.2), 0, 1), 3).astype(np.float32)
    weights = rng.exponential(size=10_000)
    assert auc(predictions, labels) == pytest.approx(
        sklearn.metrics.roc_auc_score(labels, predictions), rel=1e-12
    )
    expected = sklearn.metrics.roc_auc_score(labels, predictions, sample_weight=weights)
    assert auc(predictions, labels, weights) == pytest.approx(expected, rel=1e-12)


def test_the_anchors() -> None:
    assert auc([0.1, 0.9], [0, 1]) == 1
    assert auc([0.9, 0.1], [0, 1]) == 0
    assert auc([0.5, 0.5, 0.5], [0, 1, 1]) == 0.5


def test_float64_predictions_closer_than_float32_are_not_ties() -> None:
    assert auc([0.5, 0.5 + 1e-12], [0, 1]) == 1


@pytest.mark.parametrize(
    ("labels", "weights"), [([0, 0], None), ([1, 1], None), ([0, 1], [1, 0]), ([0, 1], [0, 1])]
)
def test_one_label_leaves_it_undefined(labels: list[int], weights: list[int] | None) -> None:
    with pytest.raises(InvalidValueError, match=re.escape("expected both 0 and 1 among rows with weight")):
        auc([0.2, 0.4], labels, weights)
