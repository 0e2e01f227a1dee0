from typing import Any

import numpy as np
import pytest

from hybridhash.data import Feature, Schema
from hybridhash.errors import BudgetError, InvalidValueError
from hybridhash.experiments import CompareSettings
from hybridhash.hashing import Fingerprints
from hybridhash.planner import METHODS, Table, divide
from hybridhash.spec import Tier
from hybridhash.trials.layout import divide_budget, lay_out, plan_tables
from hybridhash.vocabulary import Counts, count_keys

SIZES = {"user": 1000, "site": 100, "sex": 3}
SCHEMA = Schema(
    (
        *(Feature(name, "categorical", "int") for name in SIZES),
        Feature("user*site", "cross", "key", ("user", "site")),
    )
)
PLAIN = Schema(SCHEMA.features[:3])


def counts_of(schema: Schema) -> Counts:
    sizes = {**SIZES, "user*site": 2000}
    start, keys = 0, {}
    for name in schema.names:
        keys[name] = np.arange(start, start + sizes[name])
        start += sizes[name]
    return count_keys(keys, 2000)


def settings(**changes: Any) -> CompareSettings:
    return CompareSettings(**{"dim": 4, "hidden": (8,), **changes})


def test_one_table_carries_the_wide_weights() -> None:
    [plan] = plan_tables(PLAIN, counts_of(PLAIN), settings())
    assert (plan.part, plan.features, plan.dim, plan.carries_wide) == ("deep", PLAIN.names, 4, True)
    assert plan.counts.num_keys == 1103
    assert plan.baseline_bytes() == 2048 * 4 * (4 + 1)
    layout = lay_out("hashed", [plan], 10_000, settings(), seed=0)
    assert [group.table.dim for group in (*layout.spec.deep, *layout.spec.wide)] == [4, 1]


def test_an_mlp_has_no_wide_part() -> None:
    [plan] = plan_tables(PLAIN, counts_of(PLAIN), settings(model="mlp"))
    assert not plan.carries_wide
    assert plan.baseline_bytes() == 2048 * 4 * 4
    assert lay_out("hashed", [plan], 10_000, settings(model="mlp"), seed=0).spec.wide == ()


def test_crosses_stand_in_a_wide_table_of_their_own() -> None:
    deep, wide = plan_tables(SCHEMA, counts_of(SCHEMA), settings())
    assert (deep.features, deep.carries_wide) == (PLAIN.names, False)
    assert (wide.features, wide.part, wide.dim) == (SCHEMA.names, "wide", 1)
    layout = lay_out("full", [deep, wide], 10_000, settings(), seed=0)
    assert layout.spec.deep[0].table.num_head == 1103
    assert layout.spec.wide[0].table.num_head == 3103
    assert {name: item.num_keys for name, item in layout.blueprints.items()} == {
        "deep:joint": 1103,
        "wide:joint": 3103,
    }


def test_crosses_for_both_parts_stand_in_one_joint_table() -> None:
    [plan] = plan_tables(SCHEMA, counts_of(SCHEMA), settings(crosses="both"))
    assert (plan.features, plan.part, plan.carries_wide) == (SCHEMA.names, "deep", True)
    assert plan.counts.num_keys == 3103
    [plan] = plan_tables(SCHEMA, counts_of(SCHEMA), settings(crosses="both", model="mlp"))
    assert (plan.features, plan.carries_wide) == (SCHEMA.names, False)


def test_crosses_that_nothing_would_read_are_refused() -> None:
    with pytest.raises(
        InvalidValueError, match=r"--cross: expected none, got user\*site: an mlp has no wide"
    ):
        plan_tables(SCHEMA, counts_of(SCHEMA), settings(model="mlp"))


def test_a_plan_knows_the_bytes_of_its_table() -> None:
    """As the ledger of the whole model counts them."""
    for schema in (PLAIN, SCHEMA):
        plans = plan_tables(schema, counts_of(schema), settings())
        spec = lay_out("hybrid-sum", plans, 20_000, settings(), seed=0).spec
        tables = [spec.deep[0].table, *(group.table for group in spec.wide if len(plans) > 1)]
        found = sum(plan.embedding_bytes(table) for plan, table in zip(plans, tables, strict=True))
        assert found == spec.ledger().embedding_bytes


def test_the_planners_tables_have_their_bytes_too() -> None:
    """Codes and scales, each once where a wide weight rides on every row."""
    chosen = settings(dim=16)
    for schema in (PLAIN, SCHEMA):
        plans = plan_tables(schema, counts_of(schema), chosen)
        spec = lay_out("auto", plans, 6_000, chosen, seed=0).spec
        tables = [spec.deep[0].table, *(group.table for group in spec.wide if len(plans) > 1)]
        found = sum(plan.embedding_bytes(table) for plan, table in zip(plans, tables, strict=True))
        assert found == spec.ledger().embedding_bytes <= 6_000
        assert spec.ledger().scales > 0


def test_the_planner_is_given_the_outlook_and_the_plan() -> None:
    [plan] = plan_tables(PLAIN, counts_of(PLAIN), settings())
    lines = ("deep:joint = 100/8/16 1003/0/64",)
    demand = plan.demand(9000, settings(plan=lines), seed=4)
    assert (demand.num_keys, demand.budget_bytes, demand.wide, demand.seed) == (1103, 9000, True, 4)
    assert demand.outlook is not None
    assert demand.outlook() is plan.counts.outlook
    assert demand.tiers == (Tier(100, 8, 0, Fingerprints(16)), Tier(1003, 0))
    assert plan.demand(9000, settings(), seed=4).tiers == ()
    assert (
        lay_out("auto", [plan], 9000, settings(plan=lines), seed=4).spec.deep[0].table.tiers == demand.tiers
    )


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("deep:user = 1103/8/16", "--plan: expected tables among deep:joint, got 'deep:user'; plan again"),
        (
            "deep:joint = 1104/8/16",
            "--plan: expected tiers of 1103 keys in all, as the data has, got 1104; plan",
        ),
    ],
)
def test_a_plan_of_other_data_is_refused(line: str, message: str) -> None:
    plans = plan_tables(PLAIN, counts_of(PLAIN), settings())
    with pytest.raises(InvalidValueError, match=message):
        lay_out("auto", plans, 9000, settings(plan=(line,)), seed=0)


def test_tables_per_feature() -> None:
    plans = plan_tables(PLAIN, counts_of(PLAIN), settings(tables="per-feature"))
    assert [(plan.features, plan.counts.num_keys) for plan in plans] == [
        (("user",), 1000),
        (("site",), 100),
        (("sex",), 3),
    ]


def test_the_head_is_the_most_frequent_keys() -> None:
    occurrences = np.repeat(np.arange(200), np.arange(200, 0, -1))
    schema = Schema((Feature("u", "categorical", "int"),))
    plans = plan_tables(schema, count_keys({"u": occurrences}, occurrences.size), settings())
    layout = lay_out("frequency", plans, 4000, settings(), seed=0)
    num_head = layout.spec.deep[0].table.num_head
    # 1200 bytes buy a salt and 42 positions of 28 bytes: 3 buckets for 7.6 keys each and 2 spare ones.
    assert num_head == 22
    assert layout.blueprints["deep:joint"].vocabulary.keys.tolist() == list(range(num_head))


def test_the_budget_is_divided_as_the_method_does_it() -> None:
    plans = plan_tables(PLAIN, counts_of(PLAIN), settings(tables="per-feature"))
    # Baselines of 1024, 128 and 4 rows of 20 bytes.
    assert divide_budget("hashed", plans, 11560, settings()) == [10240, 1280, 40]
    held = [Table.of(plan.counts.outlook, plan.dim, plan.carries_wide) for plan in plans]
    assert divide_budget("auto", plans, 11560, settings()) == divide(held, 11560) != [10240, 1280, 40]


@pytest.mark.parametrize("tables", ["joint", "per-feature"])
def test_refuses_a_budget_below_one_row_per_feature(tables: Any) -> None:
    chosen = settings(tables=tables)
    plans = plan_tables(PLAIN, counts_of(PLAIN), chosen)
    assert sum(divide_budget("hashed", plans, 60, chosen)) == 60
    with pytest.raises(
        BudgetError, match="at least 60 bytes, one row for each feature of each table, got 59"
    ):
        divide_budget("hashed", plans, 59, chosen)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("combine", ["sum", "mean", "concat"])
def test_every_method_can_be_laid_out_with_every_combine(method: str, combine: Any) -> None:
    chosen = settings(combine=combine, num_hashes=2)
    for schema in (PLAIN, SCHEMA):
        plans = plan_tables(schema, counts_of(schema), chosen)
        layout = lay_out(method, plans, 20_000, chosen, seed=3)
        if METHODS[method].budgeted:
            assert layout.spec.ledger().embedding_bytes <= 20_000
        assert {group.table.seed for group in layout.spec.deep} == {3}


def test_every_head_key_is_told_its_feature() -> None:
    counts = Counts([10, 20, 30, 20, 40], [5, 3, 1, 4, 2], [0, 0, 1, 1, 1], ("a", "b"), num_rows=9)
    schema = Schema((Feature("a", "categorical", "int"), Feature("b", "categorical", "int")))
    [plan] = plan_tables(schema, counts, settings())
    layout = lay_out("full", [plan], 10_000, settings(), seed=0)
    keys = layout.blueprints["deep:joint"].vocabulary.keys.tolist()
    # 20 is of both, and more frequent in the second.
    assert dict(zip(keys, layout.blueprints["deep:joint"].feature_of_key.tolist(), strict=True)) == {
        10: 0,
        20: 1,
        30: 1,
        40: 1,
    }
