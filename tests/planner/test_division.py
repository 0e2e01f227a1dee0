"""Shares of a budget, by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridhash.errors import BudgetError
from hybridhash.planner import Demand, allocate, at_one_price, in_proportion

from .conftest import SHAPES, forecast_of

# Baselines of 1024, 128 and 4 rows of 20 bytes.
DEMANDS = [Demand(num_keys, 1, 4, 0, wide=True) for num_keys in (1000, 100, 3)]


def test_shares_are_proportional_to_the_baseline() -> None:
    assert in_proportion(DEMANDS, 11560) == [10240, 1280, 40]


def test_a_small_table_gets_one_row() -> None:
    """A tenth of four rows is none, so that table gets one row and the others share the rest 8 to 1."""
    assert in_proportion(DEMANDS, 2300) == [2280 * 8 // 9, 2280 // 9, 20]


@given(st.integers(60, 30_000))
def test_shares_keep_to_the_budget_and_give_one_row(budget: int) -> None:
    shares = in_proportion(DEMANDS, budget)
    assert min(shares) >= 20
    assert budget - len(DEMANDS) < sum(shares) <= budget


def test_a_budget_below_one_row_per_feature_is_refused() -> None:
    with pytest.raises(
        BudgetError, match="at least 60 bytes, one row for each feature of each table, got 59"
    ):
        in_proportion(DEMANDS, 59)


def test_alike_tables_get_alike_shares() -> None:
    table = forecast_of(SHAPES["zipf"])
    shares = at_one_price([table, table, table], 90_000)
    assert max(shares) - min(shares) <= 1
    assert 90_000 - 3 < sum(shares) <= 90_000


def test_bytes_go_where_they_matter() -> None:
    """Two features with as many keys: one whose keys come again, and one whose keys came once for good."""
    again, once = forecast_of(SHAPES["flat"]), forecast_of(np.repeat([1, 2], [19_000, 1000]))
    for budget in (2_000, 5_000):
        shares = at_one_price([again, once], budget)
        assert shares[0] > 10 * shares[1]


@pytest.mark.parametrize("budget", [10_000, 300_000])
def test_no_other_division_is_predicted_to_be_much_better(budget: int) -> None:
    """Moving a tenth of a table's bytes to another never gains more than the coarse set of ways is coarse."""
    tables = [
        forecast_of(SHAPES["zipf"]),
        forecast_of(SHAPES["flat"], wide=False),
        forecast_of(SHAPES["few"]),
    ]

    def loss(shares: list[int]) -> float:
        return sum(
            allocate(table, share).loss * table.total for table, share in zip(tables, shares, strict=True)
        )

    shares = at_one_price(tables, budget)
    assert sum(shares) <= budget
    least = loss(shares)
    for giver, taker in ((0, 1), (1, 0)):
        moved = list(shares)
        gift = min(shares[giver] // 10, shares[giver] - 64)
        moved[giver] -= gift
        moved[taker] += gift
        assert least <= 1.1 * loss(moved) + 1e-4 * sum(table.total for table in tables)


def test_a_budget_below_the_neutral_rows() -> None:
    tables = [forecast_of(SHAPES["few"]), forecast_of(SHAPES["few"], wide=False)]
    assert at_one_price(tables, 68 + 64) == [68, 64]
    with pytest.raises(BudgetError, match="expected at least 132 bytes, one row for all keys of each table"):
        at_one_price(tables, 131)
