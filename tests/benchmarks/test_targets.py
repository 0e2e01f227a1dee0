"""Outcomes worked out by hand."""

from benchmarks.harness import Row
from benchmarks.targets import Faster, Outcome, Rate, outcomes

FAST = Row("group", "fast", times_ms=(1.0, 2.0, 4.0), num_items=8000)
SLOW = Row("group", "slow", times_ms=(3.0, 4.0, 20.0), num_items=8000)
ROWS = {("group", "fast"): FAST, ("group", "slow"): SLOW}


def test_faster_is_met_at_the_factor_and_not_above() -> None:
    met, missed = (Faster("group", "fast", "slow", factor).outcome(ROWS) for factor in (3.0, 3.01))
    assert met is not None
    assert missed is not None
    assert (met.got, met.spread, met.met) == (3.0, (2.0, 5.0), True)
    assert not missed.met
    assert met.noisy


def test_rate_is_in_millions_a_second() -> None:
    outcome = Rate("group", "fast", 4.0).outcome(ROWS)
    assert outcome is not None
    assert (outcome.got, outcome.spread, outcome.met) == (4.0, (2.0, 8.0), True)


def test_what_was_not_measured_has_no_outcome() -> None:
    assert Faster("group", "fast", "other", 1.0).outcome(ROWS) is None
    assert Rate("other", "fast", 1.0).outcome(ROWS) is None
    assert outcomes([FAST, SLOW]) == []


def test_end_to_end_hybrid_is_held_against_every_other_model() -> None:
    rows = [
        Row("Wide & deep, x", name, (time,), 1) for name, time in (("hybrid at 10 %", 1.0), ("full", 3.0))
    ]
    (outcome,) = outcomes(rows)
    assert outcome.got == 3.0


def test_rounds_within_a_factor_of_two_are_not_noisy() -> None:
    assert not Outcome("a", 1.0, 1.5, (1.0, 2.0), "x").noisy
    assert Outcome("a", 1.0, 1.5, (1.0, 2.01), "x").noisy
