"""Which tails win: each against the package's own, set by set."""

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from benchmarks.quality.methods import FULL, HASHED
from benchmarks.quality.summary import Panel, Point, tables_of

REFERENCE: Final = "hybrid"
PAPER: Final = "hybrid-sum"


@dataclass(frozen=True)
class Difference:
    """A method against another on one set at one budget.

    Attributes:
        mean: Of its RCE, less the other's, in per cent.
        error: Standard error of that; None where either has a single seed.
    """

    mean: float
    error: float | None

    @property
    def won(self) -> bool:
        """Whether it is ahead by more than the error."""
        return self.error is not None and self.mean > self.error


def difference(one: Point, other: Point) -> Difference:
    """Compare the mean RCE of two methods over their seeds, as independent samples."""
    if one.std is None or other.std is None:
        return Difference(one.mean - other.mean, None)
    error = math.sqrt(one.std**2 / len(one.rces) + other.std**2 / len(other.rces))
    return Difference(one.mean - other.mean, error)


def differences(panel: Panel, method: str, reference: str = REFERENCE) -> dict[float, Difference]:
    """Return the differences of a method from another by budget, where both were run.

    Args:
        panel: A data set.
        method: Which.
        reference: The other.

    Returns:
        By share of the full table's bytes.
    """
    ours, theirs = (
        {point.share: point for point in panel.points if point.method == name} for name in (method, reference)
    )
    return {share: difference(ours[share], theirs[share]) for share in ours if share in theirs}


def has_won(panel: Panel, method: str, reference: str = REFERENCE) -> bool:
    """Say whether a method won on a data set: at every budget that the other was run at."""
    found = differences(panel, method, reference)
    budgets = {point.share for point in panel.points if point.method == reference}
    return bool(budgets) and budgets == set(found) and all(each.won for each in found.values())


def page(panels: Sequence[Panel], real: Collection[str]) -> str:
    """Return the verdict and the tables as Markdown.

    Args:
        panels: From `benchmarks.quality.summary.read_panels`.
        real: Titles of the data sets that are real, on which a tail has to win.
    """
    places = [
        (panel, share)
        for panel in panels
        for share in sorted({point.share for point in panel.points if point.method != FULL}, reverse=True)
    ]
    heads = [f"{panel.title} {share:.1%}" for panel, share in places]
    methods = dict.fromkeys(point.method for panel in panels for point in panel.points)
    lines = [
        "# Tails that were tried\n\n"
        f"RCE on the test span in per cent, less that of `{REFERENCE}`, whose tail is eight joined chunks, at the same "
        "bytes: difference of the means over the seeds ± its standard error. In bold: ahead by more than the error. A "
        "set is won by being so at all its budgets; a tail is kept if it wins on two real sets or more. The last "
        f"column counts the real sets won in the same way against `{PAPER}`, the paper's sum of two. The rules stand "
        "in [the README](../quality/README.md).\n\n"
        f"| method | {' | '.join(heads)} | real sets won | against `{PAPER}` |\n",
        f"| --- |{' ---: |' * (len(heads) + 2)}\n",
    ]
    for method in methods:
        if method in (FULL, HASHED, REFERENCE):
            continue
        cells = [_cell(differences(panel, method).get(share)) for panel, share in places]
        won, won_from_paper = (
            sum(has_won(panel, method, reference) for panel in panels if panel.title in real)
            for reference in (REFERENCE, PAPER)
        )
        lines.append(f"| {method} | {' | '.join(cells)} | {won} | {won_from_paper} |\n")
    return "".join([*lines, *map(tables_of, panels)])


def _cell(found: Difference | None) -> str:
    if found is None:
        return "–"
    text = f"{found.mean:+.2f}" + ("" if found.error is None else f" ± {found.error:.2f}")
    return f"**{text}**" if found.won else text
