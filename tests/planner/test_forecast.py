"""What tiers lose, by hand, and the bytes of the ledger."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridhash.hashing import EXACT, Fingerprints, Ribbon
from hybridhash.planner import Forecast, allocate, judge, table_of
from hybridhash.planner.forecast import LEAST_UNSEEN
from hybridhash.spec import NOT_SHIPPED, Tier
from hybridhash.theory import coding_loss, false_positive_rate, rounding_loss
from hybridhash.vocabulary import Outlook

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


@given(st.lists(TIERS, max_size=4), st.integers(1, 40), st.booleans())
def test_bytes_are_those_of_the_ledger(tiers: list[Tier], dim: int, wide: bool) -> None:
    table = Forecast(np.ones(1), np.ones(1), 0.0, dim, wide)
    spec = table_of(tiers, dim)
    weights = spec.companion().ledger()
    expected = spec.ledger().embedding_bytes
    assert table.spec_bytes(tiers) == expected + wide * (
        weights.head_rows + weights.tail_rows + weights.scales
    )
