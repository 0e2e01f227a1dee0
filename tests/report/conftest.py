"""A results mapping of the form that `compare` writes, small and made up."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

Results = dict[str, Any]

_MEANS = {
    # name: rows, bytes, RCE per seed, AUC, log loss
    "full": (40_000, 2_720_000, [17.7, 18.0, 17.8], 0.7712, 0.5121),
    "baseline": (65_536, 4_456_448, [17.2, 17.5, 17.3], 0.7690, 0.5140),
    "hashed": (6_553, 445_000, [8.8, 9.1, 8.9], 0.7011, 0.5702),
    "double": (6_553, 445_100, [9.0, 9.3, 9.1], 0.7034, 0.5688),
    "frequency": (6_200, 444_900, [12.0, 12.2, 12.1], 0.7290, 0.5487),
    "hybrid": (21_000, 444_800, [17.4, 17.7, 17.5], 0.7698, 0.5136),
}


def _method(name: str) -> Results:
    rows, embedding_bytes, rce, auc, loss = _MEANS[name]
    mean = sum(rce) / len(rce)
    std = (sum((value - mean) ** 2 for value in rce) / (len(rce) - 1)) ** 0.5
    shares = {"exclusive": 0.62, "half_shared": 0.33, "fully_shared": 0.05}
    return {
        "name": name,
        "rows": rows,
        "embedding_bytes": embedding_bytes,
        "share_of_baseline": embedding_bytes / 4_456_448,
        "ledger": {
            "head rows": embedding_bytes // 3,
            "tail rows": embedding_bytes // 2,
            "dense layers": 21_508,
        },
        "file_bytes": embedding_bytes + 30_000,
        "rce": rce,
        "rce_mean": mean,
        "rce_std": std,
        "auc": [auc] * 3,
        "auc_mean": auc,
        "log_loss": [loss] * 3,
        "log_loss_mean": loss,
        "normalised_entropy_mean": 1 - mean / 100,
        "calibration_mean": 1.012,
        "train_steps_per_s": 512.4,
        "train_s": 93.2,
        "settings": {
            "num_head": 1000,
            "num_buckets": 5_000,
            "combine": "sum",
            "learning_rate": 0.05,
            "dim": 16,
        },
        "collisions": None
        if name == "full"
        else {"predicted": shares, "measured": {**shares, "exclusive": 0.61, "half_shared": 0.34}},
        "bundle": f"{name}.hh",
    }


def _feature(index: int, name: str) -> Results:
    ranks = [2**step for step in range(4 + 2 * index % 13)]
    return {
        "name": name,
        "kind": "categorical",
        "keys": ranks[-1],
        "nulls": 12,
        "singletons": ranks[-1] // 3,
        "unseen_share": 0.041,
        "coverage": {"1000": 0.8, "10000": 0.95, "100000": 1.0},
        "curve": {
            "rank": ranks,
            "share": [((step + 1) / len(ranks)) ** (1 + index % 3) for step in range(len(ranks))],
        },
    }


_RESULTS: Results = {
    "format": "hybridhash-results/1",
    "version": "0.1.0",
    "command": "hybridhash compare clicks.parquet --label clicked --budget 10% --seeds 3 --out results/",
    "created": "2025-11-24T06:00:00+00:00",
    "machine": {"cpu": "Example CPU", "cores": 2, "python": "3.11.4", "torch": "2.13.0"},
    "data": {
        "source": "clicks.parquet",
        "rows": 920_000,
        "train_rows": 690_000,
        "validation_rows": 46_000,
        "test_rows": 184_000,
        "keys": 40_000,
        "positives": 312_000,
        "split": "time:0.8",
        "mean_label_test": 0.339,
        "best_reachable_rce": 19.25,
        "features": [_feature(i, name) for i, name in enumerate(["user_id", "movie", "year", "genres"])],
    },
    "budget": {"asked": "10%", "bytes": 445_644, "baseline_bytes": 4_456_448},
    "methods": [_method(name) for name in _MEANS],
}


@pytest.fixture
def results() -> Results:
    """A fresh copy of the mapping, to be altered at will."""
    return copy.deepcopy(_RESULTS)


@pytest.fixture
def make_feature() -> Callable[[int, str], Results]:
    """What makes one more feature of the mapping."""
    return _feature
