"""How the paper's figures look: direct labels instead of legends, intervals, units on every axis.

Colours are those of the report: one per method, readable on white and on black.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hybridhash.report import colours, house_style

__all__ = ["Line", "colours", "draw_lines", "house_style", "new_figure", "save_figure"]

WIDTH_IN: Final = 6.4
HEIGHT_IN: Final = 3.8
LABEL_ROOM: Final = 0.27  # share of the width right of the data, for labels
LINE_GAP: Final = 0.07  # of the height, between the middles of two labels
PNG_DPI: Final = 150


def new_figure(
    x_label: str, y_label: str, height_in: float = HEIGHT_IN, num_panels: int = 1
) -> tuple[Figure, list[Axes]]:
    """Return a figure in the house style, its panels one above the other over one horizontal axis.

    Args:
        x_label: Title of the horizontal axis, with its unit.
        y_label: Title of the vertical axes, with their unit.
        height_in: Height of a panel in inches.
        num_panels: How many axes.

    Returns:
        The figure and its axes, from the top.
    """
    with house_style():
        figure = Figure(figsize=(WIDTH_IN, height_in * num_panels), layout="constrained")
        panels = list(figure.subplots(num_panels, 1, sharex=True, squeeze=False)[:, 0])
        for axes in panels:
            axes.set_ylabel(y_label)
        panels[-1].set_xlabel(x_label)
    return figure, panels


@dataclass(frozen=True)
class Line:
    """One curve with its interval.

    Attributes:
        label: Written at its right end.
        x: float[n], rising.
        y: float[n]; NaN leaves a gap.
        low: Lower end of the interval, float[n], or None without one.
        high: Upper end.
    """

    label: str
    x: Sequence[float]
    y: Sequence[float]
    low: Sequence[float] | None = None
    high: Sequence[float] | None = None


def draw_lines(axes: Axes, lines: Sequence[Line], palette: dict[str, str] | None = None) -> None:
    """Draw curves, their intervals as bands, and their names at their right ends.

    Args:
        axes: Where; its limits are set to hold curves, bands and names.
        lines: The curves.
        palette: Label to colour; `colours` if not given.
    """
    shades = colours([line.label for line in lines]) if palette is None else palette
    with house_style():
        for line in lines:
            colour = shades[line.label]
            axes.plot(line.x, line.y, color=colour, linewidth=1.5)
            if line.low is not None and line.high is not None:
                axes.fill_between(line.x, line.low, line.high, color=colour, alpha=0.18, linewidth=0)
        _label_ends(axes, lines, shades)


def _label_ends(axes: Axes, lines: Sequence[Line], shades: dict[str, str]) -> None:
    left, right = min(line.x[0] for line in lines), max(line.x[-1] for line in lines)
    axes.set_xlim(left, right + LABEL_ROOM / (1 - LABEL_ROOM) * (right - left or 1.0))
    axes.set_xticks([tick for tick in axes.get_xticks() if left <= tick <= right])
    bottom, top = axes.get_ylim()
    axes.set_ylim(bottom, top)  # the places of the names are shares of it
    ends = [[y for y in line.y if math.isfinite(y)][-1] for line in lines]
    places = spread([(end - bottom) / (top - bottom) for end in ends], LINE_GAP)
    for line, end, place in zip(lines, ends, places, strict=True):
        axes.annotate(
            line.label,
            (line.x[-1], end),
            xytext=(1 - LABEL_ROOM + 0.02, place),
            textcoords="axes fraction",
            va="center",
            color=shades[line.label],
            arrowprops={"arrowstyle": "-", "color": shades[line.label], "linewidth": 0.6, "shrinkB": 0},
            annotation_clip=False,
        )


def spread(places: Sequence[float], gap: float) -> list[float]:
    """Move places on a line apart to at least a gap, in their order, as little as is simple.

    Args:
        places: In any order.
        gap: Above 0.

    Returns:
        One place for each, in the order given.
    """
    order = sorted(range(len(places)), key=lambda index: places[index])
    groups: list[tuple[float, list[int]]] = []  # middle of a run of touching labels, and who is in it
    for index in order:
        groups.append((places[index], [index]))
        while len(groups) > 1 and _top(groups[-2], gap) + gap > _bottom(groups[-1], gap):
            last = groups.pop()
            before = groups.pop()
            members = before[1] + last[1]
            groups.append((sum(places[member] for member in members) / len(members), members))
    moved = [0.0] * len(places)
    for middle, members in groups:
        for number, member in enumerate(members):
            moved[member] = middle + gap * (number - (len(members) - 1) / 2)
    return moved


def _top(group: tuple[float, list[int]], gap: float) -> float:
    return group[0] + gap * (len(group[1]) - 1) / 2


def _bottom(group: tuple[float, list[int]], gap: float) -> float:
    return group[0] - gap * (len(group[1]) - 1) / 2


def save_figure(figure: Figure, folder: Path, name: str) -> None:
    """Write ``name.png`` and ``name.svg`` on white; the same figure gives the same files."""
    with house_style(), matplotlib.rc_context({"savefig.facecolor": "white"}):
        figure.savefig(folder / f"{name}.png", dpi=PNG_DPI, metadata={"Software": None})
        nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
        figure.savefig(folder / f"{name}.svg", metadata=nothing)
