"""A comparison as its file holds it."""

from dataclasses import replace

from hybridhash.results import (
    BudgetFacts,
    ComparedMethod,
    Comparison,
    Curve,
    DataFacts,
    Feature,
    Machine,
    UsedSettings,
)
from hybridhash.spec import Ledger

FEATURE = Feature(
    name="user",
    kind="categorical",
    keys=3,
    nulls=0,
    null_share=0.0,
    singletons=1,
    unseen_share=0.25,
    coverage={"1000": 1.0},
    head_rows=2,
    curve=Curve((1, 3), (0.5, 1.0)),
)
DATA = DataFacts(
    source="clicks.csv",
    rows=10,
    train_rows=6,
    validation_rows=2,
    test_rows=2,
    keys=3,
    positives=4,
    label="y",
    split="time:0.8",
    note=None,
    skipped={"no label": 1},
    mean_label_test=0.5,
    best_reachable_rce=None,
    features=(FEATURE,),
)
METHOD = ComparedMethod(
    name="full",
    rows=4,
    embedding_bytes=100,
    share_of_baseline=1.0,
    rce=(1.5, 2.0),
    rce_mean=1.75,
    rce_std=0.35,
    ledger=Ledger(head_rows=60, dictionary=40),
    settings=UsedSettings(
        num_head=3,
        num_buckets=1,
        num_hashes=1,
        combine="sum",
        dim=4,
        tables="joint",
        model="mlp",
        hidden=(8, 4),
        optimizer="sgd",
        learning_rate=0.1,
        epochs=1,
        batch_size=2,
        validation_rce=None,
    ),
)
COMPARISON = Comparison(
    version="1",
    command="hybridhash compare",
    created="2025-11-24",
    machine=Machine("cpu", None, 2, "3.11", "2.9"),
    data=DATA,
    budget=BudgetFacts("10%", 10, 100, 120),
    notes=("a note",),
    methods=(METHOD, replace(METHOD, name="hybrid"), replace(METHOD, name="auto", rce_mean=3.0)),
)
