from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch

from hybridhash import optim
from hybridhash.data import KeyedRows
from hybridhash.trials import FitSettings, Layout, build_of, lay_out, plan_tables
from hybridhash.vocabulary import count_keys

SETTINGS = FitSettings(dim=4, hidden=(3,))


@pytest.fixture
def rows(make_rows: Callable[..., KeyedRows]) -> KeyedRows:
    return make_rows([0, 1] * 20, [0] * 40)


@pytest.fixture
def layout(rows: KeyedRows) -> Layout:
    counts = count_keys({"user": rows.singles[:, 0]}, rows.num_rows)
    return lay_out("auto", plan_tables(rows.schema, counts, SETTINGS), 400, SETTINGS, seed=0)


@pytest.mark.parametrize(
    ("name", "rule"), [("sgd", optim.SGD), ("adagrad", optim.Adagrad), ("adam", optim.Adam)]
)
def test_tables_move_themselves_at_the_rate(rows: KeyedRows, layout: Layout, name: Any, rule: Any) -> None:
    build = build_of(layout, rows, SETTINGS.model_copy(update={"optimizer": name}))
    [(_, bag)] = build(0.2, 0).model.deep.tables
    assert bag.optimizer_state is not None
    assert bag.optimizer_state.optimizer == rule(0.2)


def test_a_seed_is_the_initial_values(rows: KeyedRows, layout: Layout) -> None:
    build = build_of(layout, rows, SETTINGS)
    one, same, other = (build(0.1, seed).model.state_dict() for seed in (0, 0, 1))
    assert all(torch.equal(one[name], same[name]) for name in one)
    assert any(not torch.equal(one[name], other[name]) for name in one)


def test_a_layout_of_floats_ships_as_it_is(rows: KeyedRows, layout: Layout) -> None:
    groups = tuple(replace(group, table=replace(group.table, tiers=())) for group in layout.spec.deep)
    wide = tuple(replace(group, table=replace(group.table, tiers=())) for group in layout.spec.wide)
    plain = replace(layout, spec=replace(layout.spec, deep=groups, wide=wide))
    built = build_of(plain, rows, SETTINGS)(0.1, 0)
    assert built.ship() is built.model
