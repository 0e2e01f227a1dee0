"""Plans of real columns, and the experiment file that the other commands take."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from hybridhash.errors import BudgetError
from hybridhash.experiments import (
    CompareSettings,
    PlanSettings,
    Silence,
    SingleSettings,
    SweepSettings,
    merge_settings,
    plan_data,
    read_experiment,
)
from hybridhash.experiments.planning import PlannedModel, experiment_text
from hybridhash.planner import plan, plan_groups, read_plan
from hybridhash.trials import groups_of, prepare_rows

from .conftest import COLUMNS


def planned(clicks: Path, **changes: Any) -> PlannedModel:
    return plan_data([str(clicks)], PlanSettings(**{**COLUMNS, "budget": "5%", **changes}), Silence())


def test_the_plan_of_one_joint_table(clicks: Path, tmp_path: Path) -> None:
    """With the numbers that the planner gives for the counts of the training span."""
    settings = PlanSettings(**COLUMNS, budget="5%")
    prepared = prepare_rows([str(clicks)], settings, tmp_path, Silence())
    expected = plan(prepared.counts, budget="5%", wide=True)
    found = planned(clicks)
    assert (found.budget, found.keys) == ("5%", prepared.counts.num_keys)
    assert (found.budget_bytes, found.bytes) == (expected.budget_bytes, expected.num_bytes)
    assert found.baseline_bytes == expected.baseline_bytes
    [table] = found.tables
    assert table.name == "deep:joint"
    assert table.loss == expected.allocation.loss
    assert [tier.reason for tier in table.tiers] == list(expected.reasons)
    assert [tier.loss for tier in table.tiers] == list(expected.allocation.loss_by_tier)
    assert [tier.rows for tier in table.tiers] == [tier.num_rows for tier in expected.spec.tiers]
    assert [row.feature for row in table.features] == [
        "user_id",
        "ad_id",
        "site",
        "price",
        "age",
        "tags",
    ]
    assert read_plan(found.plan) == {"deep:joint": expected.spec.tiers}


def test_tables_share_the_budget(clicks: Path) -> None:
    found = planned(clicks, tables="per-feature", budget="20%")
    assert len(found.tables) == 6
    assert found.bytes == sum(table.bytes for table in found.tables) <= found.budget_bytes
    assert sum(table.budget_bytes for table in found.tables) <= found.budget_bytes
    assert set(read_plan(found.plan)) == {table.name for table in found.tables}


def test_a_wide_table_of_crosses_is_planned_apart(clicks: Path) -> None:
    found = planned(clicks, cross=("user_id*site",), budget="10%")
    assert [table.name for table in found.tables] == ["deep:joint", "wide:joint"]


def test_a_budget_that_is_too_small_names_the_smallest(clicks: Path) -> None:
    with pytest.raises(BudgetError) as caught:
        planned(clicks, budget="50B")
    named = re.search(r"expected at least (\d+) bytes", str(caught.value))
    assert named is not None
    with pytest.raises(BudgetError, match=f"at least {named[1]} bytes"):
        planned(clicks, budget=f"{int(named[1]) - 1}B")
    assert 0 < planned(clicks, budget=f"{named[1]}B").bytes <= int(named[1])


def test_the_file_holds_what_was_asked_and_the_plan(clicks: Path, tmp_path: Path) -> None:
    out = tmp_path / "plan.toml"
    found = planned(clicks, dim=8, hidden=(8,), out=out)
    file = read_experiment(out)
    assert file["data"] == [str(clicks.absolute())]
    for kind in (CompareSettings, SingleSettings):
        settings = merge_settings(kind, file, {})
        assert (settings.dim, settings.hidden, settings.budget) == (8, (8,), "5%")
        assert (settings.label, settings.categorical) == ("clicked", COLUMNS["categorical"])
        assert settings.plan == tuple(found.plan)
        assert settings.method in ("auto", ("auto",))
        assert settings.out == kind().out
    assert merge_settings(SweepSettings, file, {}).list == ("tags",)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["plan.toml"]


def test_any_text_is_read_back(tmp_path: Path) -> None:
    label, work_dir = 'näme "x" \\ 😀>=3', tmp_path / "work"
    settings = PlanSettings(label=label, work_dir=work_dir, list_separator="\t", num_bins=7)
    path = tmp_path / "plan.toml"
    path.write_text(experiment_text(["a.csv", str(tmp_path / "b*.csv")], settings, ["deep:joint = 3/8/16"]))
    assert tomllib.loads(path.read_text()) == {
        "data": [str(Path("a.csv").absolute()), str(tmp_path / "b*.csv")],
        "label": label,
        "list-separator": "\t",
        "num-bins": 7,
        "budget": "10%",
        "method": "auto",
        "plan": ["deep:joint = 3/8/16"],
    }


def test_each_table_gets_the_plan_of_its_share(clicks: Path, tmp_path: Path) -> None:
    settings = PlanSettings(**COLUMNS, tables="per-feature", model="mlp", dim=8)
    prepared = prepare_rows([str(clicks)], settings, tmp_path, Silence())
    groups = groups_of(prepared.dataset.schema, prepared.counts, settings)
    for (name, found), group in zip(plan_groups(groups, 9000).items(), groups, strict=True):
        assert name == group.dictionary
        again = plan(group.counts, budget=found.budget_bytes, dim=8)
        assert again.spec == found.spec
