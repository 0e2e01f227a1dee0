"""How the paper's figures look: direct labels instead of legends, intervals, units on every axis.

Colours are those of the report: one per method, readable on white and on black.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hybridhash.report import colours, house_style, name_ends, settle_layout

__all__ = ["Line", "colours", "draw_lines", "house_style", "new_figure", "save_figure"]

WIDTH_IN: Final = 5.6
HEIGHT_IN: Final = 3.4
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
        axes: Where; its limits are set to hold curves and bands; the names stand right of it.
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
        left, right = min(line.x[0] for line in lines), max(line.x[-1] for line in lines)
        axes.set_xlim(left, right)
        name_ends(axes, {line.label: line.y for line in lines}, shades, x=right)


def save_figure(figure: Figure, folder: Path, name: str) -> None:
    """Write ``name.png`` and ``name.svg`` on white; the same figure gives the same files."""
    settle_layout(figure)
    with house_style(), matplotlib.rc_context({"savefig.facecolor": "white"}):
        figure.savefig(folder / f"{name}.png", dpi=PNG_DPI, metadata={"Software": None})
        nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
        figure.savefig(folder / f"{name}.svg", metadata=nothing)
