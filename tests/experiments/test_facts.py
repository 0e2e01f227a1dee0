"""What a file of results says of the rows of data, counted again."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from sklearn.metrics import log_loss


def test_describes_the_data(compared: Any, clicks: Path) -> None:
    table = pq.read_table(clicks).to_pydict()
    data = compared.results["data"]
    assert data["rows"] == 1200
    assert data["positives"] == sum(table["clicked"])
    assert data["split"] == "time:0.8"
    assert data["train_rows"] + data["validation_rows"] + data["test_rows"] == 1200
    assert data["test_rows"] == pytest.approx(240, abs=5)  # equal times stay on one side
    order = np.argsort(table["ts"], kind="stable")[1200 - data["test_rows"] :]
    labels = np.array(table["clicked"])[order]
    assert data["mean_label_test"] == pytest.approx(labels.mean())
    truth = np.array(table["probability"])[order]
    mean = np.full(len(labels), labels.mean())
    best = 100 * (1 - log_loss(labels, truth) / log_loss(labels, mean))
    assert data["best_reachable_rce"] == pytest.approx(best, rel=1e-6)
