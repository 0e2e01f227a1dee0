"""A comparison, small and made up."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from hybridhash.results import (
    BudgetFacts,
    Collisions,
    ComparedMethod,
    Comparison,
    Curve,
    DataFacts,
    Feature,
    Machine,
    Shares,
    UsedSettings,
)
from hybridhash.spec import Ledger

_MEANS = {
    # name: rows, bytes, RCE per seed, AUC, log loss
    "full": (40_000, 2_720_000, (17.7, 18.0, 17.8), 0.7712, 0.5121),
    "baseline": (65_536, 4_456_448, (17.2, 17.5, 17.3), 0.7690, 0.5140),
    "hashed": (6_553, 445_000, (8.8, 9.1, 8.9), 0.7011, 0.5702),
    "double": (6_553, 445_100, (9.0, 9.3, 9.1), 0.7034, 0.5688),
    "frequency": (6_200, 444_900, (12.0, 12.2, 12.1), 0.7290, 0.5487),
    "hybrid": (21_000, 444_800, (17.4, 17.7, 17.5), 0.7698, 0.5136),
}


def _method(name: str) -> ComparedMethod:
    rows, embedding_bytes, rce, auc, loss = _MEANS[name]
    mean = sum(rce) / len(rce)
    std = (sum((value - mean) ** 2 for value in rce) / (len(rce) - 1)) ** 0.5
    collisions = Collisions(Shares(0.62, 0.33, 0.05), Shares(0.61, 0.34, 0.05))
    return ComparedMethod(
        name=name,
        rows=rows,
        embedding_bytes=embedding_bytes,
        share_of_baseline=embedding_bytes / 4_456_448,
        ledger=Ledger(head_rows=embedding_bytes // 3, tail_rows=embedding_bytes // 2, dense_layers=21_508),
        file_bytes=embedding_bytes + 30_000,
        rce=rce,
        rce_mean=mean,
        rce_std=std,
        auc=(auc,) * 3,
        auc_mean=auc,
        log_loss=(loss,) * 3,
        log_loss_mean=loss,
        normalised_entropy_mean=1 - mean / 100,
        calibration_mean=1.012,
        train_steps_per_s=512.4,
        train_s=93.2,
        settings=settings_of(num_head=1000, num_buckets=5_000),
        collisions=None if name == "full" else collisions,
        bundle=f"{name}.hh",
    )


def settings_of(num_head: int = 0, num_buckets: int = 1, **changes: object) -> UsedSettings:
    """Settings of a small model."""
    fields = {
        "num_head": num_head,
        "num_buckets": num_buckets,
        "num_hashes": 2,
        "combine": "sum",
        "dim": 16,
        "tables": "joint",
        "model": "wide-deep",
        "hidden": (64, 32),
        "optimizer": "adagrad",
        "learning_rate": 0.05,
        "epochs": 1,
        "batch_size": 1024,
        "validation_rce": None,
    }
    return UsedSettings(**{**fields, **changes})  # type: ignore[arg-type]


def _feature(index: int, name: str) -> Feature:
    ranks = tuple(2**step for step in range(4 + 2 * index % 13))
    return Feature(
        name=name,
        kind="categorical",
        keys=ranks[-1],
        nulls=12,
        null_share=0.01,
        singletons=ranks[-1] // 3,
        unseen_share=0.041,
        coverage={"1000": 0.8, "10000": 0.95, "100000": 1.0},
        head_rows=3,
        curve=Curve(ranks, tuple(((step + 1) / len(ranks)) ** (1 + index % 3) for step in range(len(ranks)))),
    )


_DATA = DataFacts(
    source="clicks.parquet",
    rows=920_000,
    train_rows=690_000,
    validation_rows=46_000,
    test_rows=184_000,
    keys=40_000,
    positives=312_000,
    label="clicked",
    split="time:0.8",
    note=None,
    skipped={},
    mean_label_test=0.339,
    best_reachable_rce=19.25,
    features=tuple(_feature(i, name) for i, name in enumerate(["user_id", "movie", "year", "genres"])),
)


@pytest.fixture
def data() -> DataFacts:
    return _DATA


@pytest.fixture
def machine() -> Machine:
    return Machine(cpu="Example CPU", cores=2, threads=2, python="3.11.4", torch="2.13.0")


@pytest.fixture
def results(data: DataFacts, machine: Machine) -> Comparison:
    return Comparison(
        version="0.1.0",
        command="hybridhash compare clicks.parquet --label clicked --budget 10% --seeds 3 --out results/",
        created="2025-11-24T06:00:00+00:00",
        machine=machine,
        data=data,
        budget=BudgetFacts("10%", 445_644, 4_456_448, 3_604_000),
        methods=tuple(map(_method, _MEANS)),
    )


@pytest.fixture
def make_feature() -> Callable[[int, str], Feature]:
    """What makes one more feature."""
    return _feature


def changed(results: Comparison, place: int, **changes: object) -> Comparison:
    """The comparison with some figures of a method, counted from 0, in place of its own."""
    methods = list(results.methods)
    methods[place] = replace(methods[place], **changes)  # type: ignore[arg-type]
    return replace(results, methods=tuple(methods))
