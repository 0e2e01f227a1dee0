"""Rows as tables in Markdown."""

from collections.abc import Sequence

from benchmarks.harness import Row
from benchmarks.machine import Machine
from benchmarks.targets import Outcome


def comparison(rows: Sequence[Row], machine: Machine) -> str:
    """Return the table of one comparison.

    Args:
        rows: Its cases; the speed of each is given beside that of the first.
        machine: For the speed of its memory.
    """
    first = rows[0].median_ms
    lines = [
        f"## {rows[0].group}",
        "",
        "| | ms (least-most) | items/s | time against the first | MB a step | GB/s | of copy speed |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for row in rows:
        moved, speed, share = "", "", ""
        if row.num_bytes is not None and row.gigabytes_per_s is not None:
            moved, speed = f"{row.num_bytes / 1e6:.1f}", f"{row.gigabytes_per_s:.1f}"
            share = f"{row.gigabytes_per_s / machine.copy_gb_per_s:.0%}"
        lines.append(
            f"| {row.case} | {row.median_ms:.3f} ({min(row.times_ms):.3f}-{max(row.times_ms):.3f}) "
            f"| {_count(row.items_per_s)} | {row.median_ms / first:.2f} | {moved} | {speed} | {share} |"
        )
    return "\n".join(lines)


def verdicts(outcomes: Sequence[Outcome]) -> str:
    """Return the table of targets, met and not met."""
    lines = [
        "## Targets",
        "",
        "| | asked | got (least-most) | |",
        "|---|---:|---:|---|",
    ]
    for outcome in outcomes:
        least, greatest = outcome.spread
        verdict = ("met" if outcome.met else "**not met**") + (", noisy" if outcome.noisy else "")
        lines.append(
            f"| {outcome.text} | {outcome.wanted:g} {outcome.unit} "
            f"| {outcome.got:.2f} {outcome.unit} ({least:.2f}-{greatest:.2f}) | {verdict} |"
        )
    return "\n".join(lines)


def page(rows: Sequence[Sequence[Row]], outcomes: Sequence[Outcome], machine: Machine, date: str) -> str:
    """Return the whole page.

    Args:
        rows: The comparisons of the run.
        outcomes: From `benchmarks.targets.outcomes`.
        machine: What they were measured on.
        date: When.
    """
    parts = [
        "# Benchmark results",
        f"Written by `make bench`, {date}; the raw rows are beside this file. What is measured, and how, is in "
        "`docs/benchmarks.md`.",
        machine.line(),
        verdicts(outcomes),
        *(comparison(group, machine) for group in rows),
    ]
    return "\n\n".join(parts) + "\n"


def _count(number: float) -> str:
    for size, letter in ((1e6, "M"), (1e3, "k")):
        if number >= size:
            return f"{number / size:.1f} {letter}"
    return f"{number:.1f}"
