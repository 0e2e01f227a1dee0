"""Metrics that keep every row: what a process sends, and what an error leaves."""

from typing import Any

import pytest
import torch
from torchmetrics import MetricCollection

from hybridhash import metrics
from hybridhash.errors import InvalidValueError

from .conftest import EARLIER, LATER, ONE_LABEL, batch, made


@pytest.mark.parametrize("name", ["AUC", "GroupedAUC"])
def test_an_error_in_compute_leaves_the_rows_of_this_process_alone(name: str) -> None:
    metric = made(
        name,
        dist_sync_fn=lambda state, group=None: [state, state],
        distributed_available_fn=lambda: True,
    )
    metric.update(*batch(name, *ONE_LABEL))
    with pytest.raises(InvalidValueError):
        metric.compute()
    assert [len(rows) for rows in metric.predictions] == [2]
    metric.update(*batch(name, *EARLIER))
    assert not metric.compute().isnan()


@pytest.mark.parametrize("name", ["AUC", "GroupedAUC", "NDCG"])
def test_a_process_without_rows_sends_the_types_that_the_others_send(name: str) -> None:
    other = made(name)
    other.update(*batch(name, *EARLIER))
    theirs = iter(other.metric_state.values())

    def gather(state: torch.Tensor, group: Any = None) -> list[torch.Tensor]:
        (rows,) = next(theirs)
        assert (state.dtype, state.numel()) == (rows.dtype, 0)  # gloo ends the process where they differ
        return [state, rows]

    metric = made(name, dist_sync_fn=gather, distributed_available_fn=lambda: True)
    with pytest.warns(UserWarning, match="before the ``update`` method"):
        assert metric.compute() == other.compute()


def test_metrics_of_a_collection_that_share_rows_keep_them_when_it_is_called() -> None:
    collection = MetricCollection([metrics.GroupedAUC(), metrics.NDCG()])
    updated = MetricCollection([metrics.GroupedAUC(), metrics.NDCG()])
    for rows in (EARLIER, ONE_LABEL, LATER):
        updated.update(*batch("NDCG", *rows))
    collection.update(*batch("NDCG", *EARLIER))
    collection(*batch("NDCG", *ONE_LABEL))
    collection.update(*batch("NDCG", *LATER))
    assert collection.compute() == updated.compute()
