"""The plan of counted features: within the budget, with shares that add up and reasons that say them."""

import re

import numpy as np
import pytest

import hybridhash as hh
from hybridhash.errors import BudgetError
from hybridhash.hashing import Fingerprints, Ribbon
from hybridhash.planner import format_loss, plan
from hybridhash.spec import NOT_SHIPPED, Tier
from hybridhash.vocabulary import Counts


def counts_of(**features: list[int]) -> Counts:
    """Return counts of features with keys of their own."""
    numbers = [(place, count) for place, counts in enumerate(features.values()) for count in counts]
    feature, counts = (np.array(column) for column in zip(*numbers, strict=True))
    return Counts(np.arange(counts.size), counts, feature, tuple(features), num_rows=int(counts.max()))


ZIPF = np.maximum(3000 // np.arange(1, 1501), 1).tolist()
MANY = counts_of(user=ZIPF, site=ZIPF[:200])


@pytest.mark.parametrize("wide", [False, True])
@pytest.mark.parametrize(("budget", "num_bytes"), [("5%", None), ("4kB", 4000), (3000, 3000)])
def test_the_table_is_what_fits_best(budget: str | int, num_bytes: int | None, wide: bool) -> None:
    """2048 rows of 16 floats, and a weight, are the baseline of 1700 keys."""
    found = plan(MANY, budget=budget, wide=wide, seed=3)
    assert found.baseline_bytes == 2048 * 4 * (16 + wide)
    assert found.budget_bytes == (num_bytes or found.baseline_bytes * 5 // 100)
    assert (found.spec.num_head, found.spec.num_buckets, found.spec.seed) == (1700, 1, 3)
    assert 0.9 * found.budget_bytes < found.num_bytes <= found.budget_bytes
    assert found.num_trained_rows == found.spec.num_rows
    for bits in (8, 4, 2):  # the most frequent keys with rows of their own, as many as fit
        others = [
            plan(MANY, budget=budget, wide=wide, tiers=[Tier(num_keys, bits, 0, Fingerprints(16))])
            for num_keys in range(100, 1700, 100)
        ]
        others = [other for other in others if other.num_bytes <= found.budget_bytes]
        assert others
        assert found.allocation.loss < min(other.allocation.loss for other in others)


def test_shares_of_the_coming_traffic_by_hand() -> None:
    """Two keys have rows of their own, two a code, three nothing; for each that occurred once a new one comes."""
    counts = counts_of(a=[80, 10, 6, 1], b=[40, 9, 1])
    tiers = [Tier(2, 8), Tier(2, 4, 2, Fingerprints(16))]
    found = plan(counts, budget=100, dim=4, tiers=tiers)
    assert found.spec.tiers == (*tiers, Tier(3, NOT_SHIPPED))
    expected = {
        "a": (4, 80 / 98, 10 / 98, 7 / 98, 1 / 98),
        "b": (3, 40 / 51, 9 / 51, 1 / 51, 1 / 51),
    }
    for shares in found.features:
        numbers = (shares.num_keys, shares.exclusive, shares.shared, shares.omitted, shares.unseen)
        assert numbers == pytest.approx(expected[shares.feature])
        assert sum(numbers[1:]) == pytest.approx(1)


def test_shares_add_up_for_every_feature() -> None:
    for budget in ("1%", "10%", "100%"):
        found = plan(MANY, budget=budget)
        assert [(shares.feature, shares.num_keys) for shares in found.features] == [
            ("user", 1500),
            ("site", 200),
        ]
        for shares in found.features:
            parts = (shares.exclusive, shares.shared, shares.omitted, shares.unseen)
            assert sum(parts) == pytest.approx(1)
            assert min(parts) >= 0


def test_every_tier_has_its_reason() -> None:
    counts = counts_of(a=[80, 10, 6, 1], b=[40, 9, 1])
    found = plan(
        counts, budget=100, dim=4, tiers=[Tier(2, 8, 0, Fingerprints(12)), Tier(2, 4, 2, Fingerprints(16))]
    )
    own, shared, omitted = found.reasons
    assert own.startswith("2 keys with 80.5% of the coming traffic")  # 120 of 149
    assert "rows of their own at 8 bits a float, behind fingerprints of 12 bits" in own
    assert shared.startswith("2 keys with 12.8% of the coming traffic")
    assert "each reads one of 2 shared rows, by a code of 1 bits behind fingerprints of 16 bits" in shared
    assert omitted.startswith("3 keys with 5.4% of the coming traffic")
    assert "left out when the model is shipped" in omitted
    for reason, loss in zip(found.reasons, found.allocation.loss_by_tier, strict=True):
        assert reason.endswith(f"s {format_loss(loss)}")
    said = str(found).splitlines()
    assert said[2:] == [
        f"- {size:,} bytes: {why}" for size, why in zip(found.bytes_by_tier, found.reasons, strict=True)
    ]
    # What is left is the neutral row of 4 floats; a key that is left out has no bytes.
    assert sum(found.bytes_by_tier) == found.num_bytes - 16
    assert found.bytes_by_tier[2] == 0


def test_codes_in_a_ribbon_are_called_so() -> None:
    counts = counts_of(a=[80, 10, 6, 1], b=[40, 9, 1])
    shared, _ = plan(counts, budget=100, dim=4, tiers=[Tier(4, 8, 4, Ribbon(5))]).reasons
    assert "each reads one of 4 shared rows, by a code of 2 bits in a ribbon with 5 check bits" in shared


def test_exact_keys_are_not_called_fingerprints() -> None:
    [own, _] = plan(counts_of(a=[5, 4, 3]), budget=50, dim=4, tiers=[Tier(2, 8)]).reasons
    assert "rows of their own at 8 bits a float, behind exact keys" in own


def test_a_budget_that_is_too_small_names_the_smallest() -> None:
    with pytest.raises(BudgetError) as caught:
        plan(MANY, budget=10)
    named = re.search(r"at least (\d+) bytes", str(caught.value))
    assert named is not None
    assert plan(MANY, budget=int(named[1])).num_bytes == int(named[1]) == 64


@pytest.mark.parametrize(
    ("budget", "message"),
    [
        ("ten", "expected a share such as '10%'"),
        ("101%", "at most 100% of the baseline"),
        ("1GB", "at most 100% of the baseline's 131072 bytes"),
    ],
)
def test_a_budget_that_is_none(budget: str, message: str) -> None:
    with pytest.raises(BudgetError, match=message):
        plan(MANY, budget=budget)


def test_tiers_of_more_keys_than_there_are_cannot_be_judged() -> None:
    with pytest.raises(
        hh.HybridHashError, match="tiers: expected at most 3 keys in all, as were counted, got 4"
    ):
        plan(counts_of(a=[5, 4, 3]), budget=50, tiers=[Tier(4, 8)])


def test_it_is_public() -> None:
    assert hh.plan is plan
    assert isinstance(hh.plan(MANY, budget="5%"), hh.Plan)
