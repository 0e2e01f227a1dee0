"""Methods laid out over the tables of a model."""

from typing import Any

import numpy as np
import pytest

from hybridhash.errors import BudgetError, InvalidValueError
from hybridhash.hashing import Fingerprints
from hybridhash.planner import (
    METHODS,
    FeatureGroup,
    Forecast,
    MethodOptions,
    ModelBlueprint,
    at_one_price,
    divide,
    group_features,
    lay_out,
    why_no_head,
)
from hybridhash.spec import Tier
from hybridhash.vocabulary import Counts, count_keys

PLAIN = ("user", "site", "sex")
COUNTS = count_keys(
    {
        "user": np.arange(1000),
        "site": np.arange(1000, 1100),
        "sex": np.arange(1100, 1103),
        "user*site": np.arange(2000, 4000),
    },
    2000,
)


def groups_of(crosses: bool = False, dim: int = 4, **changes: Any) -> tuple[FeatureGroup, ...]:
    return group_features(
        COUNTS, PLAIN, ["user*site"] if crosses else [], **{"dim": dim, "wide": True, **changes}
    )


def laid_out(method: str, groups: tuple[FeatureGroup, ...], budget: int, **more: Any) -> ModelBlueprint:
    return lay_out(method, groups, budget, (8,), **more)


def test_weights_that_ride_on_the_deep_rows() -> None:
    spec = laid_out("hashed", groups_of(), 10_000).spec
    assert [group.table.dim for group in (*spec.deep, *spec.wide)] == [4, 1]
    assert spec.hidden == (8,)
    assert laid_out("hashed", groups_of(wide=False), 10_000).spec.wide == ()


def test_a_wide_table_has_a_dictionary_of_its_own() -> None:
    found = laid_out("full", groups_of(crosses=True), 10_000)
    assert (found.spec.deep[0].table.num_head, found.spec.wide[0].table.num_head) == (1103, 3103)
    assert {name: item.num_keys for name, item in found.blueprints.items()} == {
        "deep:joint": 1103,
        "wide:joint": 3103,
    }


@pytest.mark.parametrize(("method", "dim", "budget"), [("hybrid-sum", 4, 20_000), ("auto", 16, 6_000)])
@pytest.mark.parametrize("crosses", [False, True])
def test_the_bytes_of_tables_are_those_of_the_model(
    method: str, dim: int, budget: int, crosses: bool
) -> None:
    """Dictionaries, codes and scales, each once where a wide weight rides on every row."""
    groups = groups_of(crosses, dim)
    spec = laid_out(method, groups, budget).spec
    tables = [spec.deep[0].table, *(group.table for group in spec.wide if crosses)]
    found = sum(
        table.embedding_bytes(group.carries_wide) for group, table in zip(groups, tables, strict=True)
    )
    assert found == spec.ledger().embedding_bytes <= budget
    assert (spec.ledger().scales > 0) == (method == "auto")


def test_the_full_bytes_are_those_of_the_full_model() -> None:
    for crosses in (False, True):
        groups = groups_of(crosses)
        spec = laid_out("full", groups, 10_000).spec
        assert sum(group.full_bytes for group in groups) == spec.ledger().embedding_bytes


def test_a_plan_is_followed() -> None:
    tiers = (Tier(100, 8, 0, Fingerprints(16)), Tier(1003, 0))
    options = MethodOptions(tiers={"deep:joint": tiers})
    assert laid_out("auto", groups_of(), 9000, options=options).spec.deep[0].table.tiers == tiers


@pytest.mark.parametrize(
    ("name", "num_keys", "message"),
    [
        ("deep:user", 1103, "--plan: expected tables among deep:joint, got 'deep:user'; plan again"),
        ("deep:joint", 1104, "--plan: expected tiers of 1103 keys in all, as the data has, got 1104; plan"),
    ],
)
def test_a_plan_of_other_data_is_refused(name: str, num_keys: int, message: str) -> None:
    options = MethodOptions(tiers={name: (Tier(num_keys, 8, 0, Fingerprints(16)),)})
    with pytest.raises(InvalidValueError, match=message):
        laid_out("auto", groups_of(), 9000, options=options)


def test_the_head_is_the_most_frequent_keys() -> None:
    occurrences = np.repeat(np.arange(200), np.arange(200, 0, -1))
    counts = count_keys({"u": occurrences}, occurrences.size)
    found = laid_out("frequency", group_features(counts, ["u"], dim=4, wide=True), 4000)
    num_head = found.spec.deep[0].table.num_head
    # 1200 bytes buy a salt and 42 positions of 28 bytes: 3 buckets for 7.6 keys each and 2 spare ones.
    assert num_head == 22
    assert found.blueprints["deep:joint"].vocabulary.keys.tolist() == list(range(num_head))


def test_the_budget_is_divided_as_the_method_does_it() -> None:
    groups = groups_of(joint=False)
    # Baselines of 1024, 128 and 4 rows of 20 bytes.
    assert divide("hashed", groups, 11560) == [10240, 1280, 40]
    forecasts = [Forecast.of(group.counts.outlook, group.dim, group.carries_wide) for group in groups]
    assert divide("auto", groups, 11560) == at_one_price(forecasts, 11560) != [10240, 1280, 40]


@pytest.mark.parametrize("joint", [True, False])
def test_refuses_a_budget_below_one_row_per_feature(joint: bool) -> None:
    groups = groups_of(joint=joint)
    assert sum(divide("hashed", groups, 60)) == 60
    with pytest.raises(
        BudgetError, match="at least 60 bytes, one row for each feature of each table, got 59"
    ):
        divide("hashed", groups, 59)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("combine", ["sum", "mean", "concat"])
def test_every_method_can_be_laid_out_with_every_combine(method: str, combine: Any) -> None:
    for crosses in (False, True):
        options = MethodOptions(num_hashes=2, combine=combine)
        found = laid_out(method, groups_of(crosses), 20_000, options=options, seed=3)
        if METHODS[method].budgeted:
            assert found.spec.ledger().embedding_bytes <= 20_000
        assert {group.table.seed for group in (*found.spec.deep, *found.spec.wide)} == {3}


@pytest.mark.parametrize("method", METHODS)
def test_a_seed_changes_the_hash_functions_alone(method: str) -> None:
    groups = groups_of(crosses=True)
    expected = laid_out(method, groups, 20_000, seed=5)
    found = laid_out(method, groups, 20_000).with_seed(5)
    assert found.spec == expected.spec
    for name, blueprint in found.blueprints.items():
        assert blueprint.spec == expected.blueprints[name].spec
        assert np.array_equal(blueprint.vocabulary.keys, expected.blueprints[name].vocabulary.keys)
        assert np.array_equal(blueprint.feature_of_key, expected.blueprints[name].feature_of_key)


def test_every_head_key_is_told_its_feature() -> None:
    counts = Counts([10, 20, 30, 20, 40], [5, 3, 1, 4, 2], [0, 0, 1, 1, 1], ("a", "b"), num_rows=9)
    found = laid_out("full", group_features(counts, ["a", "b"], dim=4, wide=True), 10_000)
    keys = found.blueprints["deep:joint"].vocabulary.keys.tolist()
    # 20 is of both, and more frequent in the second.
    assert dict(zip(keys, found.blueprints["deep:joint"].feature_of_key.tolist(), strict=True)) == {
        10: 0,
        20: 1,
        30: 1,
        40: 1,
    }


def test_a_budget_without_a_head_names_the_one_that_has_one() -> None:
    groups = groups_of()
    small = laid_out("hybrid", groups, 500)
    said = why_no_head("hybrid", groups, 500)
    assert said is not None
    assert not small.has_head
    named = int(said.rpartition("--budget ")[2].rstrip(")"))
    assert laid_out("hybrid", groups, named).has_head
    assert not laid_out("hybrid", groups, named - 1).has_head
    assert why_no_head("hybrid", groups, named) is None
    assert why_no_head("hashed", groups, 500) is None  # it has none at any budget
