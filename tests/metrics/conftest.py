"""Batches of rows for streaming metrics."""

from typing import Any

import torch
from torchmetrics import Metric

from hybridhash import metrics


def made(name: str, **options: Any) -> Metric:
    metric: Metric = getattr(metrics, name)(**options)
    return metric


def batch(name: str, predictions: list[float], labels: list[int]) -> tuple[Any, ...]:
    rows = torch.tensor(predictions), torch.tensor(labels)
    return (*rows, torch.ones(len(labels), dtype=torch.int64)) if name in ("GroupedAUC", "NDCG") else rows


EARLIER = ([0.1, 0.8, 0.3, 0.6], [0, 1, 0, 1])
ONE_LABEL = ([0.7, 0.3], [0, 0])
LATER = ([0.2, 0.1], [0, 1])
