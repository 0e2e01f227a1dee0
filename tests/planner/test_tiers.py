"""The tiers meet the budget and lose no more than other divisions of it."""

from functools import cache
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybridhash.errors import BudgetError
from hybridhash.hashing import Fingerprints, Ribbon
from hybridhash.planner import Allocation, Forecast, allocate, judge
from hybridhash.planner.forecast import IMPORTANCE, smallest_bytes
from hybridhash.spec import NOT_SHIPPED, Tier
from hybridhash.vocabulary import Counts

from .conftest import SHAPES, forecast_of, row_bytes

SHARES = (0.005, 0.025, 0.1, 1.0)


@cache  # it takes a third of a second
def allocated(shape: str, wide: bool, share: float) -> tuple[int, Allocation]:
    """Return a share of the bytes of float rows, and the tiers that fit."""
    budget = max(int(share * row_bytes(SHAPES[shape], wide)), smallest_bytes(16, wide))
    return budget, allocate(forecast_of(SHAPES[shape], wide), budget)


@pytest.mark.parametrize("share", SHARES)
@pytest.mark.parametrize(("shape", "wide"), [*((shape, True) for shape in SHAPES), ("zipf", False)])
def test_the_bytes_are_within_the_budget_and_near_it(shape: str, wide: bool, share: float) -> None:
    counts = SHAPES[shape]
    budget, found = allocated(shape, wide, share)
    assert sum(tier.num_keys for tier in found.tiers) == counts.size
    used = forecast_of(counts, wide).spec_bytes(found.tiers)
    assert used <= budget
    shipped = [tier for tier in found.tiers if tier.bits != NOT_SHIPPED]
    if len(shipped) < len(found.tiers) and counts.size > 1000:  # keys were left out: for want of bytes
        assert used > 0.97 * budget


@pytest.mark.parametrize("shape", ["flat", "extreme tail", "zipf"])
def test_more_bytes_lose_less(shape: str) -> None:
    losses = [allocated(shape, True, share)[1].loss for share in SHARES]
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] < 0.1 * losses[0]


@settings(max_examples=6, deadline=None)
@given(st.data())
def test_no_other_division_of_the_bytes_is_predicted_to_be_much_better(data: st.DataObject) -> None:
    """Three tiers drawn at random that fit in the budget never beat the choice by more than its grid is coarse."""
    counts = SHAPES[data.draw(st.sampled_from(["zipf", "extreme tail"]))]
    table = forecast_of(counts)
    first, second, third = (data.draw(st.integers(0, counts.size // 3)) for _ in range(3))
    codes = 1 << data.draw(st.integers(2, 8))
    tiers = [
        Tier(first, data.draw(st.sampled_from([8, 4])), 0, Fingerprints(data.draw(st.integers(8, 16)))),
        Tier(second, data.draw(st.sampled_from([2, 3])), 0, Fingerprints(data.draw(st.integers(8, 16)))),
        data.draw(
            st.sampled_from([Tier(third, 4, codes, Fingerprints(12)), Tier(third, 4, codes, Ribbon(6))])
        ),
    ]
    budget = table.spec_bytes([tier for tier in tiers if tier.num_keys])
    assert allocate(table, budget).loss <= 1.1 * judge(table, tiers).loss + 1e-4


def test_frequent_keys_have_the_better_rows() -> None:
    found = allocate(forecast_of(SHAPES["zipf"]), int(0.05 * row_bytes(SHAPES["zipf"], True)))
    losses = [
        loss / max(float(weight), 1e-12)
        for loss, weight in zip(found.loss_by_tier, _weights(found, SHAPES["zipf"]), strict=True)
    ]
    assert losses == sorted(losses)
    assert len(losses) >= 2


def _weights(found: Allocation, counts: np.ndarray) -> list[float]:
    weights = forecast_of(counts).weights
    bounds = np.cumsum([0, *(tier.num_keys for tier in found.tiers)])
    return [float(weights[first:last].sum()) for first, last in pairwise(bounds)]


def test_codes_stand_in_ribbons_and_rows_behind_fingerprints() -> None:
    found = allocate(forecast_of(SHAPES["zipf"]), int(0.02 * row_bytes(SHAPES["zipf"], True)))
    coded = [tier for tier in found.tiers if tier.num_codes]
    assert coded
    assert all(tier.dictionary.holds_codes for tier in coded)
    assert [tier for tier in found.tiers if tier.dictionary.holds_codes] == coded


def test_keys_that_hardly_come_again_are_left_out_first() -> None:
    """Of two features whose keys came once, one has keys that came twice and oftener, so its keys do come again."""
    again = np.repeat([1, 2, 3, 4], [3000, 2500, 2000, 1500])
    once = np.repeat([1, 2], [8800, 200])
    feature = np.repeat([0, 1], [again.size, once.size])
    counts = Counts(
        np.arange(feature.size), np.concatenate([again, once]), feature, ("user", "cross"), 20_000
    )
    found = allocate(Forecast.of(counts.outlook, 16, True), int(0.003 * row_bytes(counts.counts, True)))
    assert found.tiers[-1].bits == NOT_SHIPPED
    shipped = counts.top(counts.num_keys - found.tiers[-1].num_keys, IMPORTANCE)
    is_user = shipped.keys < again.size
    assert is_user.sum() > 0
    assert (~is_user).sum() <= 200


def test_a_budget_below_the_neutral_row() -> None:
    table = forecast_of(SHAPES["few"])
    assert smallest_bytes(16, True) == 68
    assert [tier.bits for tier in allocate(table, 68).tiers] == [NOT_SHIPPED]
    with pytest.raises(BudgetError, match="expected at least 68 bytes"):
        allocate(table, 67)


def test_no_keys() -> None:
    assert allocate(forecast_of(np.empty(0, dtype=np.int64)), 1000).tiers == ()
