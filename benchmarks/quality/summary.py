"""What the kept rows say: means over seeds, and how much of the gap between hashing and the full table is closed."""

import json
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.quality.benchmark import Benchmark
from benchmarks.quality.methods import FULL, HASHED, OURS
from hybridhash.report import format_bytes, format_spread

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Point:
    """A method at a budget.

    Attributes:
        method: Its name.
        share: Of the full table's bytes that it may take.
        num_bytes: Bytes that it takes, the most over the seeds.
        rces: RCE on the test in per cent, one per seed.
        rate: The learning rate that the validation slice chose.
        epochs: The passes that it chose.
        at_edge: Whether that rate is the smallest or largest of the grid, so that another might do better.
        gap: Of the difference in mean RCE between the full table and regular hashing at the same budget, the share
            that the method has; None where either is missing or they do not differ upwards.
        gap_error: Standard error of that share over the seeds that the three have in common; None without a gap or
            with one seed.
    """

    method: str
    share: float
    num_bytes: int
    rces: tuple[float, ...]
    rate: float
    epochs: int
    gap: float | None
    at_edge: bool
    gap_error: float | None = None

    @property
    def gap_text(self) -> str:
        """The share of the gap in per cent, with its standard error where there is one."""
        if self.gap is None:
            return "–"
        error = "" if self.gap_error is None else f" ± {100 * self.gap_error:.0f}"
        return f"{100 * self.gap:.0f}{error}%"

    @property
    def mean(self) -> float:
        """The mean RCE."""
        return float(np.mean(self.rces))

    @property
    def std(self) -> float | None:
        """The sample standard deviation of the RCE; None for one seed."""
        return float(np.std(self.rces, ddof=1)) if len(self.rces) > 1 else None


@dataclass(frozen=True)
class Panel:
    """A data set.

    Attributes:
        title: Its name for people.
        full_bytes: Bytes of the full table.
        points: In the order of the methods, then from the largest budget down.
    """

    title: str
    full_bytes: int
    points: tuple[Point, ...]


def read_panels(folder: Path, names: Iterable[str], benchmark: Benchmark) -> list[Panel]:
    """Return the data sets that have rows, in the order of their names.

    Of a file's rows only those count that were made from the same data and settings as the last, by methods that
    still are among the benchmark's.

    Args:
        folder: Of the results.
        names: Of the data sets.
        benchmark: Whose.
    """
    panels = []
    for name in names:
        path = benchmark.rows_of(folder, name)
        rows = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
        judged = [
            row
            for row in rows
            if row["kind"] == "judged" and row["of"] == rows[-1]["of"] and row["method"] in benchmark.methods
        ]
        if judged:
            panels.append(
                Panel(
                    judged[-1]["title"], judged[-1]["full_bytes"], tuple(points_of(judged, benchmark.methods))
                )
            )
    return panels


def points_of(rows: Sequence[Row], methods: Sequence[str]) -> list[Point]:
    """Gather the rows of one data set by method and budget.

    Args:
        rows: Of single runs.
        methods: In their order.

    Returns:
        The points, by method, then from the largest budget down.
    """
    found: dict[tuple[str, float], dict[int, Row]] = defaultdict(dict)
    for row in rows:
        runs = found[row["method"], row["share"]]
        if any(other["tuned"] != row["tuned"] for other in runs.values()):
            runs.clear()  # they belong to an earlier choice
        runs[row["seed"]] = row
    means = {place: float(np.mean([row["rce"] for row in runs.values()])) for place, runs in found.items()}

    def gap(method: str, share: float) -> tuple[float | None, float | None]:
        """Return the share of the gap and its standard error, to first order, over the seeds that all three have.

        Seeds are shared: what is a good start for one method mostly is one for another, so errors cancel.
        """
        three = [found.get(place, {}) for place in ((method, share), (HASHED, share), (FULL, 1.0))]
        full, hashed = means.get((FULL, 1.0)), means.get((HASHED, share))
        if full is None or hashed is None or full <= hashed:
            return None, None
        part = (means[method, share] - hashed) / (full - hashed)
        seeds = set.intersection(*map(set, three))
        if len(seeds) < 2:
            return part, None
        mine, low, high = (np.array([runs[seed]["rce"] for seed in sorted(seeds)]) for runs in three)
        error = np.std(mine - part * high - (1 - part) * low, ddof=1) / math.sqrt(len(seeds))
        return part, float(error) / (full - hashed)

    points = []
    for (method, share), runs in found.items():
        last = next(reversed(runs.values()))
        part, error = gap(method, share)
        points.append(
            Point(
                method=method,
                share=share,
                num_bytes=max(row["embedding_bytes"] for row in runs.values()),
                rces=tuple(runs[seed]["rce"] for seed in sorted(runs)),
                rate=last["tuned"]["learning_rate"],
                epochs=last["tuned"]["epochs"],
                gap=part,
                gap_error=error,
                at_edge=last["tuned"]["learning_rate"] in (min(last["rates"]), max(last["rates"])),
            )
        )
    return sorted(points, key=lambda point: (methods.index(point.method), -point.share))


def page(panels: Sequence[Panel], figure: str) -> str:
    """Return the summary as Markdown: per data set and budget a table, the best first.

    Args:
        panels: From `read_panels`.
        figure: File name of the figure.
    """
    head = (
        "# Quality at equal bytes\n\n"
        "RCE on the test span in per cent (higher is better), mean ± standard deviation over the seeds; bytes are all "
        'that inference needs of the embeddings; "gap" is (RCE - RCE of `hashed` at the same budget) / (RCE of `full` '
        "- the same), ± its standard error: 0 % is regular hashing, 100 % the full table. A rate marked (edge) is the "
        "first or last of the grid, beyond which a better one may lie. How it was measured stands in "
        "[the README](../quality/README.md).\n\n"
        f"![RCE against bytes]({figure})\n"
    )
    return "".join([head, overview(panels), *map(tables_of, panels)])


def overview(panels: Sequence[Panel]) -> str:
    """Return a line for each data set and budget: ours beside the full table, hashing and the best other method.

    Args:
        panels: The data sets, from `read_panels`.
    """
    lines = [
        f"\n| | bytes, of full | {OURS} | full | hashed | best other | gap closed |\n",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |\n",
    ]
    for panel in panels:
        full = [point for point in panel.points if point.method == FULL]
        names = [panel.title, format_spread(full[0].mean, full[0].std) if full else "–"]
        for share in sorted({point.share for point in panel.points} - {1.0}, reverse=True):
            ours, *beside = _beside([point for point in panel.points if point.share == share])
            cells = [names[0], f"{100 * share:.3g} %", ours, names[1], *beside]
            lines.append(f"| {' | '.join(cells)} |\n")
            names = ["", ""]  # the lines below are of the same set
    return "".join(lines)


def _beside(points: Sequence[Point]) -> tuple[str, str, str, str]:
    """Return our figure at a budget, that of regular hashing, the best other method's, and the share of the gap."""
    by_method = {point.method: point for point in points}
    ours, hashed = by_method.get(OURS), by_method.get(HASHED)
    others = [point for point in points if point.method not in (OURS, HASHED, FULL)]
    best = max(others, key=lambda point: point.mean, default=None)
    return (
        format_spread(ours.mean, ours.std) if ours else "–",
        f"{hashed.mean:.2f}" if hashed else "–",
        f"{best.method} {best.mean:.2f}" if best else "–",
        ours.gap_text if ours and ours.gap is not None else "–",
    )


def tables_of(panel: Panel) -> str:
    """Return a data set's heading and a table for each budget, the best first, as Markdown."""
    parts = [f"\n## {panel.title}\n"]
    full = [point for point in panel.points if point.method == FULL]
    shares = sorted({point.share for point in panel.points if point.method != FULL}, reverse=True)
    for share in shares:
        points = [point for point in panel.points if point.share == share and point.method != FULL]
        points.sort(key=lambda point: -point.mean)
        parts.append(
            f"\n{share:.1%} of the full table's {format_bytes(panel.full_bytes)}\n\n"
            "| method | RCE % | gap | bytes | learning rate | epochs |\n"
            "| --- | ---: | ---: | ---: | ---: | ---: |\n"
        )
        parts += [_line(point) for point in [*full, *points]]
    return "".join(parts)


def _line(point: Point) -> str:
    gap = "–" if point.method in (FULL, HASHED) else point.gap_text
    rate = f"{point.rate:g}{' (edge)' if point.at_edge else ''}"
    rce = format_spread(point.mean, point.std)
    return f"| {point.method} | {rce} | {gap} | {point.num_bytes:,} | {rate} | {point.epochs} |\n"
