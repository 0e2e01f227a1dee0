"""The page that a run leaves, line by line."""

from benchmarks.harness import Row
from benchmarks.machine import inspect_machine
from benchmarks.tables import comparison, page, verdicts
from benchmarks.targets import Outcome

ROWS = [
    Row("Group", "ours", times_ms=(1.0, 2.0, 3.0), num_items=4000, num_bytes=6_000_000),
    Row("Group", "peer", times_ms=(4.0, 5.0, 6.0), num_items=4000),
]
OUTCOMES = [Outcome("a", 2.0, 2.5, (2.0, 3.0), "x"), Outcome("b", 60.0, 59.9, (29.0, 60.0), "M/s")]


def test_a_comparison_gives_medians_spread_and_bytes() -> None:
    machine = inspect_machine(quick=True)
    lines = comparison(ROWS, machine).splitlines()
    assert lines[0] == "## Group"
    share = f"{3.0 / machine.copy_gb_per_s:.0%}"
    assert lines[4] == f"| ours | 2.000 (1.000-3.000) | 2.0 M | 1.00 | 6.0 | 3.0 | {share} |"
    assert lines[5] == "| peer | 5.000 (4.000-6.000) | 800.0 k | 2.50 |  |  |  |"


def test_targets_are_met_or_not() -> None:
    lines = verdicts(OUTCOMES).splitlines()
    assert lines[4] == "| a | 2 x | 2.50 x (2.00-3.00) | met |"
    assert lines[5] == "| b | 60 M/s | 59.90 M/s (29.00-60.00) | **not met**, noisy |"


def test_the_page_names_the_machine() -> None:
    machine = inspect_machine(quick=True)
    text = page([ROWS], OUTCOMES, machine, "2026-01-02T03:04:05+00:00")
    assert machine.line() in text
    assert machine.num_threads > 0
    assert min(machine.copy_gb_per_s, machine.triad_gb_per_s, machine.gather_gb_per_s) > 0
    assert text.index("## Targets") < text.index("## Group")
