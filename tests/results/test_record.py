"""Files of results are read as they were written, and refused in words where they are others."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hybridhash.errors import FileAccessError, FileFormatError
from hybridhash.results import (
    BudgetFacts,
    ComparedMethod,
    Comparison,
    Curve,
    DataFacts,
    Feature,
    Machine,
    Sweep,
    UsedSettings,
    from_json,
    read_record,
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


def test_what_was_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    path.write_text(COMPARISON.to_json())
    assert read_record(Comparison, path) == COMPARISON
    assert json.loads(path.read_text())["methods"][0]["rce"] == [1.5, 2.0]


def test_parts_that_came_later_may_be_missing_and_others_are_passed_over(tmp_path: Path) -> None:
    content = json.loads(COMPARISON.to_json())
    for method in content["methods"]:
        del method["gauc"], method["bundle"]
        method["colour"] = "red"
    (tmp_path / "results.json").write_text(json.dumps(content))
    assert read_record(Comparison, tmp_path / "results.json") == COMPARISON


def test_another_format_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    path.write_text(COMPARISON.to_json())
    with pytest.raises(
        FileFormatError,
        match=r"expected format 'hybridhash-sweep/1', got 'hybridhash-results/1'; read it with the version that "
        r"wrote it, 1",
    ):
        read_record(Sweep, path)
    path.write_text("[1]")
    with pytest.raises(FileFormatError, match="got None"):
        read_record(Comparison, path)


def test_what_is_no_file_of_results_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileAccessError, match="cannot read it"):
        read_record(Comparison, tmp_path / "absent.json")
    (tmp_path / "broken.json").write_text("{")
    with pytest.raises(FileFormatError, match="expected a file of results in JSON"):
        read_record(Comparison, tmp_path / "broken.json")


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("data",), None, "in data: "),
        (("methods",), {}, "in methods: "),
        (("methods", 1, "name"), None, "in methods[1].name: "),
        (("methods", 1, "auc_mean"), "0.7", "in methods[1].auc_mean: "),
        (("methods", 0, "rows"), True, "in methods[0].rows: "),
        (("data", "features", 0, "curve", "rank"), [1], "expected as many ranks as shares, got 1 and 2"),
    ],
)
def test_a_broken_part_is_named(path: tuple[Any, ...], value: Any, message: str) -> None:
    content = json.loads(COMPARISON.to_json())
    part: Any = content
    for step in path[:-1]:
        part = part[step]
    part[path[-1]] = value
    with pytest.raises(FileFormatError, match=re.escape(message)):
        from_json(Comparison, content)


def test_the_best_compressed_methods_come_first_and_references_do_not_count() -> None:
    assert [method.name for method in COMPARISON.best_compressed()] == ["auto", "hybrid"]
    lost = replace(METHOD, name="auto", rce_mean=None)
    assert replace(COMPARISON, methods=(lost,)).best_compressed() == []


def test_all_notes_are_those_of_the_split_the_run_and_what_diverged() -> None:
    lost = replace(METHOD, name="auto", diverged=("seed 1: at step 3",))
    found = replace(COMPARISON, data=replace(DATA, note="by position"), methods=(METHOD, lost))
    assert found.all_notes == ("by position", "a note", "auto: seed 1: at step 3")
