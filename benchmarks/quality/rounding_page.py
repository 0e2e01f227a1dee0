"""What the rows of the rounding benchmark say, as a page."""

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hybridhash.packing import FLOAT_BITS
from hybridhash.report.formatting import format_bytes, format_spread


@dataclass(frozen=True)
class Cell:
    """Models of one data set whose rows ship in the same bits, trained in the same way.

    Attributes:
        title: Of the data set.
        rounding: ``after`` or ``in-loop``.
        bits: Of a stored float.
        rate: The learning rate with the best mean RCE.
        at_edge: Whether that is the smallest or largest tried, so that another might do better.
        rces: RCE on the validation slice with it, in per cent, by seed.
        num_bytes: Of the embeddings.
        train_s: Seconds of one pass, the median over all rates and seeds.
    """

    title: str
    rounding: str
    bits: int
    rate: float
    at_edge: bool
    rces: tuple[float, ...]
    num_bytes: int
    train_s: float

    @property
    def mean(self) -> float:
        """The mean RCE."""
        return float(np.mean(self.rces))

    @property
    def std(self) -> float | None:
        """The sample standard deviation of the RCE; None for one seed."""
        return float(np.std(self.rces, ddof=1)) if len(self.rces) > 1 else None


def read_cells(path: Path) -> list[Cell]:
    """Gather the rows by data set, rounding and bits.

    Of a data set's rows those count that were made from the same data and settings as its last, at learning rates that
    all its seeds have.

    Args:
        path: ``rounding.jsonl``; it need not be there.
    """
    rows = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    last_of = {row["set"]: row["of"] for row in rows}
    found = defaultdict(list)
    for row in rows:
        if row["of"] == last_of[row["set"]]:
            found[row["title"], row["rounding"], row["bits"]].append(row)
    cells = []
    for (title, rounding, bits), runs in found.items():
        by_rate: dict[float, dict[int, float]] = defaultdict(dict)
        for run in runs:
            by_rate[run["rate"]][run["seed"]] = run["rce"]
        most = max(map(len, by_rate.values()))
        means = {
            rate: float(np.mean(list(rces.values()))) for rate, rces in by_rate.items() if len(rces) == most
        }
        rate = max(means, key=means.__getitem__)
        rces = tuple(by_rate[rate][seed] for seed in sorted(by_rate[rate]))
        seconds = float(np.median([run["train_s"] for run in runs]))
        at_edge = rate in (min(by_rate), max(by_rate))
        num_bytes = runs[-1]["embedding_bytes"]
        cells.append(Cell(title, rounding, bits, rate, at_edge, rces, num_bytes, seconds))
    return cells


def page(cells: Sequence[Cell]) -> str:
    """Return the page as Markdown: a table per data set.

    Args:
        cells: From `read_cells`.
    """
    parts = [
        "# Rounding after training, and in the loop\n\n"
        "RCE on the validation slice in per cent (higher is better) of the model as it ships, mean ± standard "
        "deviation over the seeds; one row per key, one pass. Each cell has the learning rate with the best mean, "
        "(edge) where that is the first or last of the grid. Wide weights have 4 bits beside rows of 1 and 2 bits, "
        "and 8 bits beside the others. The difference is in the loop minus after, seed by seed; time is that of a "
        "pass, as a multiple of the pass without rounding. How it was measured stands in "
        "[the README](../quality/README.md).\n"
    ]
    for title in dict.fromkeys(cell.title for cell in cells):
        of_set = {(cell.rounding, cell.bits): cell for cell in cells if cell.title == title}
        floats = of_set["after", FLOAT_BITS]
        parts.append(
            f"\n## {title}\n\n"
            "| bits | bytes | after | rate | in the loop | rate | difference | time |\n"
            "| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n"
            f"| {FLOAT_BITS} | {format_bytes(floats.num_bytes)} | {_rce(floats)} | {_rate(floats)} | – | – | – | 1 |\n"
        )
        parts += [
            _line(after, of_set["in-loop", after.bits], floats)
            for after in sorted(of_set.values(), key=lambda cell: cell.bits)
            if after.rounding == "after" and ("in-loop", after.bits) in of_set
        ]
    return "".join(parts)


def _line(after: Cell, in_loop: Cell, floats: Cell) -> str:
    apart = np.subtract(in_loop.rces, after.rces) if len(in_loop.rces) == len(after.rces) else None
    difference = "–"
    if apart is not None:
        spread = float(np.std(apart, ddof=1)) if apart.size > 1 else None
        difference = format_spread(float(np.mean(apart)), spread)
    return (
        f"| {after.bits} | {format_bytes(after.num_bytes)} | {_rce(after)} | {_rate(after)} | {_rce(in_loop)} | "
        f"{_rate(in_loop)} | {difference} | {in_loop.train_s / floats.train_s:.2f} |\n"
    )


def _rce(cell: Cell) -> str:
    return format_spread(cell.mean, cell.std)


def _rate(cell: Cell) -> str:
    return f"{cell.rate:g}{' (edge)' if cell.at_edge else ''}"
