"""The tiers meet the budget and lose no more than other divisions of it."""

from dataclasses import replace
from functools import cache
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybridhash.errors import BudgetError
from hybridhash.hashing import EXACT, Fingerprints, Ribbon
from hybridhash.planner import Allocation, Forecast, allocate, at_one_price, judge
from hybridhash.planner import table_of as table_of_tiers
from hybridhash.planner.forecast import IMPORTANCE, LEAST_UNSEEN, smallest_bytes
from hybridhash.spec import NOT_SHIPPED, Tier
from hybridhash.theory import coding_loss, false_positive_rate, rounding_loss
from hybridhash.vocabulary import Counts, Outlook


def zipf(num_keys: int, exponent: float, most: int = 100_000) -> np.ndarray:
    return np.maximum(most / np.arange(1, num_keys + 1) ** exponent, 1).astype(np.int64)


TIERS = st.builds(
    Tier,
    st.integers(0, 5000),
    st.sampled_from([0, 2, 3, 4, 8]),
    st.sampled_from([0, 4, 64, 1024]),
    st.sampled_from([*map(Fingerprints, (6, 13, 24)), EXACT]),
) | st.builds(
    Tier,
    st.integers(0, 5000),
    st.sampled_from([2, 4, 8]),
    st.sampled_from([4, 64, 1024]),
    st.sampled_from([*map(Ribbon, (0, 5, 12))]),
)
SHAPES = {
    "flat": np.full(20_000, 7),
    "extreme tail": zipf(30_000, 1.6),
    "zipf": zipf(30_000, 1.0),
    "all once": np.ones(10_000, dtype=np.int64),
    "few": zipf(40, 1.0),
}
SHARES = (0.005, 0.025, 0.1, 1.0)


def table_of(counts: np.ndarray, wide: bool = True) -> Forecast:
    """Return the table of one feature's counts."""
    feature = np.zeros(counts.size, dtype=np.int64)
    counted = Counts(np.arange(counts.size), counts, feature, ("user",), num_rows=int(counts.sum()))
    return Forecast.of(counted.outlook, 16, wide)


def row_bytes(counts: np.ndarray, wide: bool) -> int:
    return counts.size * 4 * (16 + wide)


@cache  # it takes a third of a second
def allocated(shape: str, wide: bool, share: float) -> tuple[int, Allocation]:
    """Return a share of the bytes of float rows, and the tiers that fit."""
    budget = max(int(share * row_bytes(SHAPES[shape], wide)), smallest_bytes(16, wide))
    return budget, allocate(table_of(SHAPES[shape], wide), budget)


@pytest.mark.parametrize("share", SHARES)
@pytest.mark.parametrize(("shape", "wide"), [*((shape, True) for shape in SHAPES), ("zipf", False)])
def test_the_bytes_are_within_the_budget_and_near_it(shape: str, wide: bool, share: float) -> None:
    counts = SHAPES[shape]
    budget, found = allocated(shape, wide, share)
    assert sum(tier.num_keys for tier in found.tiers) == counts.size
    used = table_of(counts, wide).spec_bytes(found.tiers)
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
    table = table_of(counts)
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
    found = allocate(table_of(SHAPES["zipf"]), int(0.05 * row_bytes(SHAPES["zipf"], True)))
    losses = [
        loss / max(float(weight), 1e-12)
        for loss, weight in zip(found.loss_by_tier, _weights(found, SHAPES["zipf"]), strict=True)
    ]
    assert losses == sorted(losses)
    assert len(losses) >= 2


def _weights(found: Allocation, counts: np.ndarray) -> list[float]:
    weights = table_of(counts).weights
    bounds = np.cumsum([0, *(tier.num_keys for tier in found.tiers)])
    return [float(weights[first:last].sum()) for first, last in pairwise(bounds)]


def test_a_loss_by_hand() -> None:
    """Four keys: two at 2 bits, one with a code, one left out."""
    effect, expected = np.array([8.0, 4.0, 2.0, 1.0]), np.array([10.0, 6.0, 4.0, 4.0])
    table = Forecast.of(Outlook(effect, expected, unseen=6.0), 16, False)
    found = judge(table, [Tier(2, 2, 0), Tier(1, 4, 16, Fingerprints(8))])
    of_tiers = (12 / 15 * rounding_loss(2), 2 / 15 * (coding_loss(4) + rounding_loss(4)), 1 / 15)
    assert found.loss_by_tier == pytest.approx(of_tiers)
    # The key that is left out, and new keys, read the row of the third key: they get its effect an occurrence.
    strangers, strength = (4 + 6) / 30, (2 / 15) / (4 / 30)
    assert found.loss_by_fingerprints == pytest.approx(strangers * strength * false_positive_rate(8, 0.95))
    assert found.loss == pytest.approx(sum(of_tiers) + found.loss_by_fingerprints)
    assert found.tiers[-1] == Tier(1, NOT_SHIPPED)


def test_what_is_at_risk_by_hand() -> None:
    """Two keys that can be taken for each other; behind them one that is shipped and one that is not."""
    effect, expected = np.array([8.0, 4.0, 2.0, 1.0]), np.array([10.0, 6.0, 4.0, 4.0])
    table = Forecast.of(Outlook(effect, expected, unseen=6.0), 16, False)
    rarer = (0 * 8 + 1 * 4) / 15 / 2
    mean_strength = (8 / 15 / (10 / 30) + 4 / 15 / (6 / 30)) / 2
    assert table.at_risk(0, 2, shipped=3) == pytest.approx(rarer + 2 / 15 + (4 + 4 + 6) / 30 * mean_strength)
    assert table.at_risk(2, 2, shipped=3) == 0


def test_a_ribbon_by_hand() -> None:
    """Two keys with codes, which are never taken for each other; one that is left out, and new ones, may be."""
    effect, expected = np.array([8.0, 4.0, 2.0]), np.array([10.0, 6.0, 4.0])
    table = Forecast.of(Outlook(effect, expected, unseen=5.0), 16, False)
    found = judge(table, [Tier(2, 8, 4, Ribbon(3))])
    strength = (8 / 14 / (10 / 25) + 4 / 14 / (6 / 25)) / 2
    assert found.loss_by_fingerprints == pytest.approx((4 + 5) / 25 * strength / 8)
    assert found.loss_by_tier == pytest.approx((12 / 14 * (coding_loss(2) + rounding_loss(8)), 2 / 14))


def test_new_keys_are_planned_for_even_where_counts_promise_none() -> None:
    """Ten thousand keys seen seven times each: by Good and Turing nothing new would ever come."""
    outlook = Outlook(np.full(10_000, 3.0), np.full(10_000, 7.0), unseen=0.0)
    table = Forecast.of(outlook, 16, True)
    assert table.unseen == LEAST_UNSEEN == 0.05
    assert Forecast.of(replace(outlook, unseen=30_000.0), 16, True).unseen == pytest.approx(0.3)
    [coded] = [tier for tier in allocate(table, 25_000).tiers if tier.num_codes]
    assert coded.key_bits >= 4


def test_codes_stand_in_ribbons_and_rows_behind_fingerprints() -> None:
    found = allocate(table_of(SHAPES["zipf"]), int(0.02 * row_bytes(SHAPES["zipf"], True)))
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


@given(st.lists(TIERS, max_size=4), st.integers(1, 40), st.booleans())
def test_bytes_are_those_of_the_ledger(tiers: list[Tier], dim: int, wide: bool) -> None:
    table = Forecast(np.ones(1), np.ones(1), 0.0, dim, wide)
    spec = table_of_tiers(tiers, dim)
    weights = spec.companion().ledger()
    expected = spec.ledger().embedding_bytes
    assert table.spec_bytes(tiers) == expected + wide * (
        weights.head_rows + weights.tail_rows + weights.scales
    )


def test_a_budget_below_the_neutral_row() -> None:
    table = table_of(SHAPES["few"])
    assert smallest_bytes(16, True) == 68
    assert [tier.bits for tier in allocate(table, 68).tiers] == [NOT_SHIPPED]
    with pytest.raises(BudgetError, match="expected at least 68 bytes"):
        allocate(table, 67)


def test_no_keys() -> None:
    assert allocate(table_of(np.empty(0, dtype=np.int64)), 1000).tiers == ()


def test_alike_tables_get_alike_shares() -> None:
    table = table_of(SHAPES["zipf"])
    shares = at_one_price([table, table, table], 90_000)
    assert max(shares) - min(shares) <= 1
    assert 90_000 - 3 < sum(shares) <= 90_000


def test_bytes_go_where_they_matter() -> None:
    """Two features with as many keys: one whose keys come again, and one whose keys came once for good."""
    again, once = table_of(SHAPES["flat"]), table_of(np.repeat([1, 2], [19_000, 1000]))
    for budget in (2_000, 5_000):
        shares = at_one_price([again, once], budget)
        assert shares[0] > 10 * shares[1]


@pytest.mark.parametrize("budget", [10_000, 300_000])
def test_no_other_division_is_predicted_to_be_much_better(budget: int) -> None:
    """Moving a tenth of a table's bytes to another never gains more than the coarse set of ways is coarse."""
    tables = [table_of(SHAPES["zipf"]), table_of(SHAPES["flat"], wide=False), table_of(SHAPES["few"])]

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
    tables = [table_of(SHAPES["few"]), table_of(SHAPES["few"], wide=False)]
    assert at_one_price(tables, 68 + 64) == [68, 64]
    with pytest.raises(BudgetError, match="expected at least 132 bytes, one row for all keys of each table"):
        at_one_price(tables, 131)
