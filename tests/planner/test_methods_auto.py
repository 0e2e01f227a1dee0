"""The method that looks at the counts."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybridhash.errors import BudgetError, InvalidValueError
from hybridhash.hashing import Fingerprints
from hybridhash.planner import METHODS, Demand, Forecast, allocate, plan
from hybridhash.spec import NOT_SHIPPED, TableSpec, Tier
from hybridhash.vocabulary import Counts

COUNTS = np.maximum(5000 // np.arange(1, 2001), 1)
COUNTED = Counts(np.arange(2000), COUNTS, np.zeros(2000, dtype=np.int64), ("user",), num_rows=9000)
DEMAND = Demand(2000, 1, 16, 4000, wide=True, seed=7, counts=COUNTED)
AUTO = METHODS["auto"]


def test_it_is_the_plan_of_the_counts() -> None:
    assert AUTO.table(DEMAND) == plan(COUNTED, budget=4000, dim=16, wide=True, seed=7).spec


@settings(max_examples=10, deadline=None)
@given(st.lists(st.integers(1, 1000), min_size=1, max_size=300), st.integers(68, 30_000), st.booleans())
def test_the_budget_is_kept(counts: list[int], budget: int, wide: bool) -> None:
    feature = np.arange(len(counts)) % 2
    counted = Counts(np.arange(len(counts)), np.array(counts), feature, ("user", "ad"), num_rows=9000)
    table = AUTO.table(Demand(len(counts), 2, 16, budget, wide, counts=counted))
    assert (table.num_head, table.num_buckets, table.num_hashes) == (len(counts), 1, 1)
    weights = table.companion().ledger()
    used = table.ledger().embedding_bytes + wide * (weights.head_rows + weights.tail_rows + weights.scales)
    assert used <= budget


def test_a_plan_is_followed_whatever_the_counts_and_the_budget() -> None:
    tiers = (Tier(100, 8, 0, Fingerprints(16)), Tier(1200, 4, 64, Fingerprints(9)), Tier(700, NOT_SHIPPED))
    table = AUTO.table(replace(DEMAND, budget_bytes=1, counts=None, tiers=tiers))
    assert table == TableSpec(2000, 1, 16, seed=7, tiers=tiers)
    assert tiers != allocate(Forecast.of(COUNTED.outlook, 16, True), 4000).tiers


@pytest.mark.parametrize("last", [699, 701])
def test_a_plan_of_other_keys_is_refused(last: int) -> None:
    tiers = (Tier(1300, 8, 0, Fingerprints(16)), Tier(last, NOT_SHIPPED))
    with pytest.raises(
        InvalidValueError,
        match=f"--plan: expected tiers of 2000 keys in all, as the data has, got {1300 + last}; plan again with",
    ):
        AUTO.table(replace(DEMAND, tiers=tiers))


def test_without_counts_there_is_nothing_to_plan_from() -> None:
    with pytest.raises(
        InvalidValueError, match=r"counts: expected the counts of the training span, .* got none"
    ):
        AUTO.table(replace(DEMAND, counts=None))


def test_the_smallest_budget_is_named_and_works() -> None:
    with pytest.raises(BudgetError, match="expected at least 68 bytes, one row for all keys, got 67"):
        AUTO.table(replace(DEMAND, budget_bytes=67))
    assert [tier.bits for tier in AUTO.table(replace(DEMAND, budget_bytes=68)).tiers] == [NOT_SHIPPED]
