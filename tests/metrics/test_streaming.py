import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torchmetrics import Metric, MetricCollection

from hybridhash import metrics
from hybridhash.errors import InvalidValueError

PAIRS: list[tuple[type[Metric], Callable[..., float]]] = [
    (metrics.RelativeCrossEntropy, metrics.relative_cross_entropy),
    (metrics.LogLoss, metrics.log_loss),
    (metrics.NormalisedEntropy, metrics.normalised_entropy),
    (metrics.Calibration, metrics.calibration),
    (metrics.AUC, metrics.auc),
]
each_pair = pytest.mark.parametrize(("metric_class", "function"), PAIRS, ids=lambda value: value.__name__)


def draw(num_rows: int, seed: int = 0) -> tuple[Any, Any, Any]:
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, num_rows)
    labels[:2] = 0, 1
    return rng.random(num_rows).round(2), labels, rng.exponential(size=num_rows)


@each_pair
def test_batches_give_what_the_function_gives_on_all_rows(
    metric_class: type[Metric], function: Callable[..., float]
) -> None:
    predictions, labels, weights = draw(1000)
    metric, unweighted = metric_class(), metric_class()
    for start in range(0, 1000, 137):
        batch = slice(start, start + 137)
        metric.update(*(torch.tensor(column[batch]) for column in (predictions, labels, weights)))
        unweighted.update(predictions[batch], labels[batch])
    value = metric.compute()
    assert value.dtype == torch.float64
    assert value.shape == ()
    assert value.item() == pytest.approx(function(predictions, labels, weights), rel=1e-12)
    assert unweighted.compute().item() == pytest.approx(function(predictions, labels), rel=1e-12)


@each_pair
@given(data=st.data())
def test_merging_in_any_order_equals_one_pass(
    metric_class: type[Metric], function: Callable[..., float], data: st.DataObject
) -> None:
    num_rows = data.draw(st.integers(4, 60))
    predictions, labels, weights = draw(num_rows, seed=data.draw(st.integers(0, 1000)))
    cuts = sorted(data.draw(st.sets(st.integers(1, num_rows - 1), max_size=4)))
    parts = []
    for part in np.split(np.arange(num_rows), cuts):
        metric = metric_class()
        metric.update(predictions[part], labels[part], weights[part])
        parts.append(metric)
    first, *others = data.draw(st.permutations(parts))
    for other in others:
        first.merge_state(other)
    assert first.compute().item() == pytest.approx(function(predictions, labels, weights), rel=1e-12)


@each_pair
def test_a_merge_after_compute_is_seen(metric_class: type[Metric], function: Callable[..., float]) -> None:
    predictions, labels, _ = draw(40)
    first, second = metric_class(), metric_class()
    first.update(predictions[:20], labels[:20])
    second.update(predictions[20:], labels[20:])
    before = first.compute().item()
    first.merge_state(second)
    assert first.compute().item() == pytest.approx(function(predictions, labels), rel=1e-12)
    assert first.compute().item() != before


@each_pair
def test_a_merge_into_an_empty_metric_is_the_other(
    metric_class: type[Metric], function: Callable[..., float]
) -> None:
    predictions, labels, _ = draw(40)
    full, empty = metric_class(), metric_class()
    full.update(predictions, labels)
    empty.merge_state(full)  # computing it must not warn that update was never called
    assert empty.compute().item() == pytest.approx(function(predictions, labels), rel=1e-12)


@each_pair
def test_processes_are_synchronised_by_what_torchmetrics_gathers(
    metric_class: type[Metric], function: Callable[..., float]
) -> None:
    predictions, labels, weights = draw(50)
    other = metric_class()
    other.update(predictions[:20], labels[:20], weights[:20])
    names = iter(other.metric_state)

    def gather(state: torch.Tensor, group: Any = None) -> list[torch.Tensor]:
        theirs = other.metric_state[next(names)]
        return [state, theirs[0] if isinstance(theirs, list) else theirs]

    metric = metric_class(dist_sync_fn=gather, distributed_available_fn=lambda: True)
    metric.update(predictions[20:], labels[20:], weights[20:])
    assert metric.compute().item() == pytest.approx(function(predictions, labels, weights), rel=1e-12)


@each_pair
def test_reset_and_pickle(metric_class: type[Metric], function: Callable[..., float]) -> None:
    predictions, labels, _ = draw(30)
    metric = metric_class()
    metric.update([0.9], [1])
    metric.reset()
    metric.update(predictions, labels)
    copy = pickle.loads(pickle.dumps(metric))
    expected = pytest.approx(function(predictions, labels), rel=1e-12)
    assert metric.compute().item() == expected
    assert copy.compute().item() == expected


@each_pair
def test_a_refused_batch_leaves_no_trace(metric_class: type[Metric], function: Callable[..., float]) -> None:
    predictions, labels, _ = draw(30)
    metric = metric_class()
    metric.update(predictions, labels)
    with pytest.raises(InvalidValueError, match="labels: expected 0 or 1"):
        metric.update([0.5, 0.5], [0, 2])
    assert metric.compute().item() == pytest.approx(function(predictions, labels), rel=1e-12)


@each_pair
def test_no_rows_give_an_error(metric_class: type[Metric], function: Callable[..., float]) -> None:
    with (
        pytest.warns(UserWarning, match="before the ``update`` method"),
        pytest.raises(InvalidValueError, match="at least one row"),
    ):
        metric_class().compute()


def test_batches_of_one_label_are_fine_when_both_came() -> None:
    metric = metrics.RelativeCrossEntropy()
    metric.update([0.2, 0.3], [0, 0])
    with pytest.raises(InvalidValueError, match="got only 0"):
        metric.compute()
    metric.update([0.9], [1])
    expected = metrics.relative_cross_entropy([0.2, 0.3, 0.9], [0, 0, 1])
    assert metric.compute().item() == pytest.approx(expected, rel=1e-12)


def test_sums_do_not_stall_on_long_streams() -> None:
    # In float32 a sum of ones stops growing at 2**24.
    metric = metrics.LogLoss()
    metric.update([0.5], [1], [2.0**24])
    for _ in range(3):
        metric.update([0.25], [1])
    expected = (2**24 * np.log(2) + 3 * np.log(4)) / (2**24 + 3)
    assert metric.compute().item() == pytest.approx(expected, rel=1e-14)


def test_they_work_in_a_collection() -> None:
    collection = MetricCollection({"rce": metrics.RelativeCrossEntropy(), "auc": metrics.AUC()})
    predictions, labels, _ = draw(30)
    collection.update(torch.tensor(predictions), torch.tensor(labels))
    values = collection.compute()
    assert values["auc"].item() == pytest.approx(metrics.auc(predictions, labels), rel=1e-12)
    assert values["rce"].item() == pytest.approx(
        metrics.relative_cross_entropy(predictions, labels), rel=1e-12
    )
