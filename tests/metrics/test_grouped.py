import re
from typing import Any

import numpy as np
import pytest
import sklearn.metrics
import torch
from hypothesis import assume, given
from hypothesis import strategies as st

from hybridhash.errors import InvalidTypeError, InvalidValueError
from hybridhash.metrics import NDCG, GroupedAUC, auc, grouped_auc, ndcg

few_values = st.integers(0, 8).map(lambda eighths: eighths / 8)  # many ties
rows = st.lists(
    st.tuples(few_values, st.integers(0, 1), st.integers(-2, 3), st.integers(0, 3)), min_size=2, max_size=60
)


def columns(data: list[tuple[Any, ...]]) -> list[np.ndarray]:
    return [np.array(column) for column in zip(*data, strict=True)]


def groups_with_both_labels(labels: np.ndarray, groups: np.ndarray) -> list[np.ndarray]:
    chosen = [np.flatnonzero(groups == group) for group in np.unique(groups)]
    return [rows for rows in chosen if 0 < labels[rows].sum() < rows.size]


@given(rows)
def test_gauc_is_the_weighted_mean_of_the_groups_aucs(data: list[tuple[Any, ...]]) -> None:
    predictions, labels, groups, weights = columns(data)
    weights = weights + 1
    judged = groups_with_both_labels(labels, groups)
    assume(judged)
    areas = [auc(predictions[rows], labels[rows], weights[rows]) for rows in judged]
    expected = np.average(areas, weights=[weights[rows].sum() for rows in judged])
    found = grouped_auc(predictions, labels, groups, weights)
    assert found.value == pytest.approx(expected, rel=1e-12)
    assert (found.num_groups, found.num_left_out) == (len(judged), np.unique(groups).size - len(judged))


@given(rows, st.integers(1, 5))
def test_ndcg_is_that_of_scikit_learn_in_each_group(data: list[tuple[Any, ...]], k: int) -> None:
    predictions, labels, groups, _ = columns(data)
    judged = groups_with_both_labels(labels, groups)
    assume(judged)
    values = [sklearn.metrics.ndcg_score([labels[rows]], [predictions[rows]], k=k) for rows in judged]
    found = ndcg(predictions, labels, groups, k)
    assert found.value == pytest.approx(np.mean(values), rel=1e-12)
    assert (found.num_groups, found.num_left_out) == (len(judged), np.unique(groups).size - len(judged))


def test_the_anchors() -> None:
    perfect = ([0.9, 0.1, 0.2, 0.3], [1, 0, 0, 1], [5, 5, 6, 6])
    assert grouped_auc(*perfect).value == 1
    assert ndcg(*perfect).value == 1
    # Between groups the order does not matter, within them all is tied.
    assert grouped_auc([0.1, 0.1, 0.9, 0.9], [0, 1, 0, 1], [1, 1, 2, 2]).value == 0.5
    # A positive below the first k places gains nothing.
    assert ndcg([0.9, 0.8, 0.1], [0, 0, 1], [1, 1, 1], k=2).value == 0


def test_the_classes_agree_with_the_functions_over_batches_and_merges() -> None:
    rng = np.random.default_rng(0)
    predictions, labels = rng.random(400).round(2), rng.integers(0, 2, 400)
    groups, weights = rng.integers(0, 50, 400), rng.random(400)
    gauc_parts, ndcg_parts = [GroupedAUC(), GroupedAUC()], [NDCG(k=3), NDCG(k=3)]
    for start in range(0, 400, 100):
        part = slice(start, start + 100)
        batch = [torch.from_numpy(values[part]) for values in (predictions, labels, groups, weights)]
        gauc_parts[start // 200].update(*batch)
        ndcg_parts[start // 200].update(*batch[:3])
    for parts, expected in (
        (gauc_parts, grouped_auc(predictions, labels, groups, weights)),
        (ndcg_parts, ndcg(predictions, labels, groups, 3)),
    ):
        parts[0].merge_state(parts[1])
        assert parts[0].compute().item() == pytest.approx(expected.value, rel=1e-14)
        assert parts[0].score().num_left_out == expected.num_left_out


@pytest.mark.parametrize("measure", [grouped_auc, ndcg])
def test_refuses_what_has_no_order(measure: Any) -> None:
    with pytest.raises(InvalidValueError, match=re.escape("expected both 0 and 1 in at least one group")):
        measure([0.1, 0.2], [0, 1], [1, 2])
    with pytest.raises(InvalidTypeError, match="groups: expected integers, got dtype float64"):
        measure([0.1, 0.2], [0, 1], [1.0, 1.0])
    with pytest.raises(InvalidValueError, match="groups: expected one for each of 2 rows, got 3"):
        measure([0.1, 0.2], [0, 1], [1, 1, 1])


def test_refuses_no_places_and_no_rows() -> None:
    with pytest.raises(InvalidValueError, match="k: expected 1 or more, got 0"):
        ndcg([0.1, 0.2], [0, 1], [1, 1], k=0)
    with pytest.raises(InvalidValueError, match="expected at least one row, got none"):
        GroupedAUC().score()
