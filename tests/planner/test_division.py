"""Shares of a budget, by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridhash.errors import BudgetError
from hybridhash.planner import Demand, in_proportion

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
