from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch

from hybridhash import optim
from hybridhash.data import KeyedRows
from hybridhash.planner import ModelBlueprint, lay_out
from hybridhash.trials import FitSettings, build_of, groups_of
from hybridhash.vocabulary import count_keys

SETTINGS = FitSettings(dim=4, hidden=(3,))


@pytest.fixture
def rows(make_rows: Callable[..., KeyedRows]) -> KeyedRows:
    return make_rows([0, 1] * 20, [0] * 40)


@pytest.fixture
def blueprint(rows: KeyedRows) -> ModelBlueprint:
    counts = count_keys({"user": rows.singles[:, 0]}, rows.num_rows)
    return lay_out("auto", groups_of(rows.schema, counts, SETTINGS), 400, SETTINGS.hidden)


@pytest.mark.parametrize(
    ("name", "rule"), [("sgd", optim.SGD), ("adagrad", optim.Adagrad), ("adam", optim.Adam)]
)
def test_tables_move_themselves_at_the_rate(
    rows: KeyedRows, blueprint: ModelBlueprint, name: Any, rule: Any
) -> None:
    build = build_of(blueprint, rows, SETTINGS.model_copy(update={"optimizer": name}))
    [(_, bag)] = build(0.2, 0).model.deep.tables
    assert bag.optimizer_state is not None
    assert bag.optimizer_state.optimizer == rule(0.2)


def test_a_seed_is_the_initial_values(rows: KeyedRows, blueprint: ModelBlueprint) -> None:
    build = build_of(blueprint, rows, SETTINGS)
    one, same, other = (build(0.1, seed).model.state_dict() for seed in (0, 0, 1))
    assert all(torch.equal(one[name], same[name]) for name in one)
    assert any(not torch.equal(one[name], other[name]) for name in one)


def test_a_blueprint_of_floats_ships_as_it_is(rows: KeyedRows, blueprint: ModelBlueprint) -> None:
    groups = tuple(replace(group, table=replace(group.table, tiers=())) for group in blueprint.spec.deep)
    wide = tuple(replace(group, table=replace(group.table, tiers=())) for group in blueprint.spec.wide)
    plain = replace(blueprint, spec=replace(blueprint.spec, deep=groups, wide=wide))
    built = build_of(plain, rows, SETTINGS)(0.1, 0)
    assert built.ship() is built.model
