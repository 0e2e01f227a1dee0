"""The figure of quality by method: one line for each, at bytes that are written beside its name."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from hybridhash.errors import InvalidValueError
from hybridhash.report.formatting import format_bytes
from hybridhash.report.style import (
    FONT_PT,
    GRID,
    MUTED,
    WIDTH_IN,
    axes_in_inches,
    colours,
    house_style,
    shorten,
)
from hybridhash.results import REFERENCES

_LINE_IN: Final = 0.34
_MARGINS_IN: Final = (1.75, 0.55, 0.2, 0.3)  # left, bottom, right, top
_FAR: Final = 0.6  # of the span of the methods: what is not reached stands in the axes up to here beyond them


@dataclass(frozen=True)
class QualityPoint:
    """One method.

    Attributes:
        label: Its name.
        num_bytes: Above 0.
        values: The quality with each seed, at least one.
    """

    label: str
    num_bytes: float
    values: tuple[float, ...]

    @property
    def mean(self) -> float:
        """The mean over the seeds."""
        return float(np.mean(self.values))

    @property
    def std(self) -> float:
        """The sample standard deviation over the seeds; 0 for one seed."""
        return float(np.std(self.values, ddof=1)) if len(self.values) > 1 else 0.0


def quality_by_method(
    points: Sequence[QualityPoint],
    best_reachable: float | None = None,
    quality: str = "RCE (%), higher is better",
) -> Figure:
    """Draw the quality of each method: a mark at the mean, a bar of one standard deviation, a dot per seed.

    The references, full and baseline, stand at the top, the others below in the order of their means. A line goes down
    from each reference. What no model can pass is a line where it is near, and is named at the edge where it is not.

    Args:
        points: The points in any order; at least one, each label once.
        best_reachable: The quality that no model can pass.
        quality: The title of the axis, with its unit.

    Returns:
        The figure. Its axes hold one container of error bars per label, with the label's name.

    Raises:
        InvalidValueError: No points, a size that is not above 0, or a point without values.
    """
    if not points:
        raise InvalidValueError("points: expected at least one, got none")
    for point in points:
        if not point.num_bytes > 0 or not point.values:
            raise InvalidValueError(
                f"points: expected bytes above 0 and at least one value, got {point.num_bytes} bytes and "
                f"{len(point.values)} values for {point.label!r}; leave the point out"
            )
    references = [point for point in points if point.label in REFERENCES]
    others = sorted(
        (point for point in points if point.label not in REFERENCES), key=lambda point: -point.mean
    )
    ordered = [*references, *others]
    with house_style():
        figure = Figure(figsize=(WIDTH_IN, _MARGINS_IN[1] + _MARGINS_IN[3] + _LINE_IN * len(ordered)))
        axes = axes_in_inches(figure, *_MARGINS_IN)
        axes.grid(visible=False, axis="y")
        axes.set_ylim(len(ordered) - 0.5, -0.5)
        axes.set_yticks([])
        axes.spines["left"].set_visible(False)
        axes.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 2.5, 5, 10]))
        palette = colours([point.label for point in points])
        for line, point in enumerate(ordered):
            _draw(axes, line, point, palette[point.label])
        for point in references:
            axes.axvline(
                point.mean, color=palette[point.label], linewidth=0.8, linestyle=(0, (4, 3)), zorder=0.9
            )
        if references and others:
            axes.axhline(len(references) - 0.5, color=GRID, linewidth=0.8)
        _set_limits(axes, points, best_reachable)
        axes.set_xlabel(quality)
    return figure


def _set_limits(axes: Axes, points: Sequence[QualityPoint], best_reachable: float | None) -> None:
    ends = [value for p in points for value in (*p.values, p.mean - p.std, p.mean + p.std)]
    low, high = min(ends), max(ends)
    span = high - low or 1.0
    if best_reachable is not None:
        is_near = best_reachable - high < _FAR * span
        if is_near:
            axes.axvline(best_reachable, color=MUTED, linewidth=1, label="best reachable")
            high = max(high, best_reachable)
        axes.annotate(
            f"best reachable {best_reachable:.2f}{'' if is_near else ' →'}",
            (best_reachable, 1) if is_near else (1, 1),
            xycoords=("data", "axes fraction") if is_near else "axes fraction",
            xytext=(0, 4),
            textcoords="offset points",
            ha="right",
            fontsize=FONT_PT - 1,
        )
    axes.set_xlim(low - 0.06 * span, high + 0.06 * span)


def _draw(axes: Axes, line: int, point: QualityPoint, colour: str) -> None:
    axes.errorbar(
        [point.mean],
        [line],
        xerr=[point.std] if point.std else None,
        color=colour,
        marker="o",
        markersize=6,
        markerfacecolor="none" if point.label in REFERENCES else colour,
        linewidth=1.3,
        capsize=3.5,
        label=point.label,
    )
    if len(point.values) > 1:
        axes.plot(
            point.values,
            [line] * len(point.values),
            linestyle="none",
            marker=".",
            markersize=4,
            color=colour,
            alpha=0.55,
            label=f"_{point.label} seeds",
        )
    for text, x, align, shade in (
        (shorten(point.label, 13), -120, "left", colour),
        (format_bytes(point.num_bytes), -6, "right", MUTED),
    ):
        axes.annotate(
            text,
            (0, line),
            xycoords=("axes fraction", "data"),
            xytext=(x, 0),
            textcoords="offset points",
            ha=align,
            va="center",
            color=shade,
            parse_math=False,
        )
