import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from matplotlib import pyplot as plt
from torchmetrics import Metric, MetricCollection
from torchmetrics.classification import BinaryAUROC

from hybridhash import metrics
from hybridhash.errors import InvalidTypeError, InvalidValueError

from .conftest import EARLIER, LATER, ONE_LABEL, batch, made

PAIRS: list[tuple[type[Metric], Callable[..., float]]] = [
    (metrics.RelativeCrossEntropy, metrics.relative_cross_entropy),
    (metrics.LogLoss, metrics.log_loss),
    (metrics.NormalisedEntropy, metrics.normalised_entropy),
    (metrics.Calibration, metrics.calibration),
    (metrics.AUC, metrics.auc),
]
NAMES = ["RelativeCrossEntropy", "LogLoss", "NormalisedEntropy", "Calibration", "AUC", "GroupedAUC", "NDCG"]
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


def test_they_work_in_a_collection() -> None:
    collection = MetricCollection({"rce": metrics.RelativeCrossEntropy(), "auc": metrics.AUC()})
    predictions, labels, _ = draw(30)
    collection.update(torch.tensor(predictions), torch.tensor(labels))
    values = collection.compute()
    assert values["auc"].item() == pytest.approx(metrics.auc(predictions, labels), rel=1e-12)
    assert values["rce"].item() == pytest.approx(
        metrics.relative_cross_entropy(predictions, labels), rel=1e-12
    )


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("synchronised", [False, True])
def test_calling_it_on_a_batch_of_one_label_is_nan_and_takes_the_rows_in(
    name: str, synchronised: bool
) -> None:
    metric, updated = made(name, dist_sync_on_step=synchronised), made(name)
    for other in (EARLIER, ONE_LABEL, LATER):
        updated.update(*batch(name, *other))
    metric.update(*batch(name, *EARLIER))
    value = metric(*batch(name, *ONE_LABEL))
    assert value.isnan() == (name != "LogLoss")
    metric.update(*batch(name, *LATER))
    assert metric.compute() == updated.compute()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("bad", [([0.5, 0.5], [0, 2]), ([1.5, 0.5], [0, 1]), ([0.5], [0, 1])])
@pytest.mark.parametrize("synchronised", [False, True])
def test_calling_it_on_a_bad_batch_leaves_no_trace(name: str, bad: Any, synchronised: bool) -> None:
    metric = made(name, dist_sync_on_step=synchronised)
    metric(*batch(name, *EARLIER))
    before = {key: str(value) for key, value in vars(metric).items()}
    with pytest.raises(InvalidValueError):
        metric(*batch(name, *bad))
    assert {key: str(value) for key, value in vars(metric).items()} == before


def test_after_a_bad_batch_processes_still_synchronise() -> None:
    def twice(state: torch.Tensor, group: Any = None) -> list[torch.Tensor]:
        return [state, state]

    metric = metrics.LogLoss(dist_sync_fn=twice, distributed_available_fn=lambda: True)
    metric.update([0.5], [1])
    with pytest.raises(InvalidValueError):
        metric([0.5], [2])
    synchronised: list[int] = []
    metric.dist_sync_fn = lambda state, group=None: synchronised.append(1) or twice(state)
    metric.compute()
    assert synchronised


@pytest.mark.parametrize("name", NAMES)
def test_rows_without_a_value_can_be_nan(name: str) -> None:
    metric = made(name, undefined="nan")
    metric.update(*batch(name, *ONE_LABEL))
    assert metric.compute().isnan() == (name != "LogLoss")
    metric.update(*batch(name, *EARLIER))
    assert not metric.compute().isnan()


def test_an_unknown_undefined_is_refused() -> None:
    with pytest.raises(InvalidValueError, match="undefined: expected 'raise' or 'nan', got 'zero'"):
        metrics.AUC(undefined="zero")


@pytest.mark.parametrize("name", NAMES)
def test_inputs_have_torchmetrics_names_too(name: str) -> None:
    metric, named = made(name), made(name)
    rows = batch(name, *EARLIER)
    metric.update(*rows)
    named.update(**dict(zip(("preds", "target", "indexes"), rows, strict=False)))
    assert named.compute() == metric.compute()
    with pytest.raises(
        InvalidTypeError, match="expected labels or, as torchmetrics has it, target; got neither"
    ):
        metric.update(rows[0])
    with pytest.raises(InvalidTypeError, match=r"expected predictions or, .* preds; got both"):
        metric.update(*rows, preds=rows[0])


def test_a_collection_with_torchmetrics_own_takes_names_for_all() -> None:
    collection = MetricCollection([BinaryAUROC(), *(made(name) for name in ("AUC", "RelativeCrossEntropy"))])
    predictions, labels, _ = draw(30)
    for part in (slice(20), slice(20, 30)):
        collection(preds=torch.tensor(predictions[part]), target=torch.tensor(labels[part]))
    values = collection.compute()
    assert values["AUC"].item() == pytest.approx(values["BinaryAUROC"].item(), rel=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_a_value_or_a_list_of_them_is_plotted(name: str) -> None:
    metric = made(name)
    values = [metric(*batch(name, *rows)) for rows in (EARLIER, ONE_LABEL, LATER)]
    for asked, expected in (((), [metric.compute()]), ((values,), values)):
        figure, axes = metric.plot(*asked)
        (line,) = axes.get_lines()[:1]
        np.testing.assert_array_equal(np.ravel(line.get_ydata()), np.array(expected))
        plt.close(figure)
