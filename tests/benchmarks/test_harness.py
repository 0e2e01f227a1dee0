"""Expectations counted by hand."""

from benchmarks.harness import Case, Plan, Row, measure, speed_ratio


def test_cases_take_turns_and_see_the_same_batches() -> None:
    calls: list[tuple[str, int]] = []
    cases = [
        Case("a", lambda index: calls.append(("a", index)), num_items=10, num_bytes=20),
        Case("b", lambda index: calls.append(("b", index)), num_items=10, every=2),
    ]
    rows = measure("group", cases, Plan(num_repeats=2, num_steps=2, num_warm_up=1), {"size": 3})
    warm_up = [("a", 0), ("b", 0)]
    # Before each turn one untimed step.
    turn = [("a", 2), ("a", 0), ("a", 1), ("b", 1), ("b", 0)]
    assert calls == warm_up + turn + turn
    assert [row.case for row in rows] == ["a", "b"]
    assert all(len(row.times_ms) == 2 and min(row.times_ms) > 0 for row in rows)
    assert rows[0].setting == {"size": 3}


def test_figures_of_a_row() -> None:
    row = Row("group", "case", times_ms=(4.0, 1.0, 2.0), num_items=1000, num_bytes=6_000_000)
    assert row.median_ms == 2.0
    assert row.items_per_s == 500_000
    assert row.gigabytes_per_s == 3.0
    assert Row("group", "case", (1.0,), 1).gigabytes_per_s is None
    assert row.as_dict()["median_ms"] == 2.0


def test_a_ratio_is_the_median_of_the_rounds_ratios() -> None:
    row = Row("group", "fast", times_ms=(1.0, 2.0, 4.0), num_items=1)
    than = Row("group", "slow", times_ms=(3.0, 4.0, 20.0), num_items=1)
    assert speed_ratio(row, than) == (3.0, 2.0, 5.0)
