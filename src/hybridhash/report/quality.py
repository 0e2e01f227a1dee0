"""The figure of quality against bytes."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from matplotlib.transforms import ScaledTranslation

from hybridhash.errors import InvalidValueError
from hybridhash.report.formatting import format_bytes
from hybridhash.report.placement import Mark, Place, place_marks
from hybridhash.report.style import (
    FONT_PT,
    MUTED,
    WIDTH_IN,
    axes_in_inches,
    colours,
    house_style,
    log_ticks,
    shorten,
)
from hybridhash.results import REFERENCES

_HEIGHT_IN = 3.7
_MARGINS_IN = (0.72, 0.55, 0.12, 0.15)  # left, bottom, right, top
_LABEL_PT = 68.0  # room for a label beside its point
_MARKERS = {"full": "D", "baseline": "s", "hashed": "v", "double": "^", "frequency": "P", "hybrid": "o"}


@dataclass(frozen=True)
class QualityPoint:
    """One method at one size.

    Attributes:
        label: Points that share a label are joined by a line.
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


def quality_against_bytes(
    points: Sequence[QualityPoint],
    best_reachable: float | None = None,
    quality: str = "RCE (%), higher is better",
) -> Figure:
    """Draw quality against size: a mark at the mean, a bar of one standard deviation, a dot per seed.

    Args:
        points: In any order; at least one.
        best_reachable: The quality that no model can pass, drawn as a line.
        quality: The title of the vertical axis, with its unit.

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
    with house_style():
        figure = Figure(figsize=(WIDTH_IN, _HEIGHT_IN))
        axes = axes_in_inches(figure, *_MARGINS_IN)
        axes.set_xscale("log")
        _set_limits(axes, points, best_reachable)
        palette = colours([point.label for point in points])
        ordered = sorted(points, key=lambda point: (point.label, point.num_bytes))
        lines = [list(group) for _, group in groupby(ordered, key=lambda point: point.label)]
        for line, place in zip(lines, _places(axes, lines), strict=True):
            _draw_line(figure, axes, line, place, palette[line[0].label])
        if best_reachable is not None:
            axes.axhline(
                best_reachable, color=MUTED, linewidth=1, linestyle=(0, (4, 3)), label="best reachable"
            )
            axes.annotate(
                f"best reachable {best_reachable:.2f}",
                (0, best_reachable),
                xycoords=("axes fraction", "data"),
                xytext=(3, 3),
                textcoords="offset points",
                fontsize=FONT_PT - 1,
            )
        axes.set_xlabel("embedding bytes, dictionary included (log scale)")
        axes.set_ylabel(quality)
    return figure


def _size_pt() -> tuple[float, float]:
    left, bottom, right, top = _MARGINS_IN
    return 72 * (WIDTH_IN - left - right), 72 * (_HEIGHT_IN - bottom - top)


def _set_limits(axes: Axes, points: Sequence[QualityPoint], best_reachable: float | None) -> None:
    sizes = [point.num_bytes for point in points]
    decades = max(np.log10(max(sizes) / min(sizes)), 1.0)
    per_pt = decades / (_size_pt()[0] - 2 * _LABEL_PT)
    low, high = min(sizes) / 10 ** (per_pt * _LABEL_PT), max(sizes) * 10 ** (per_pt * _LABEL_PT)
    axes.set_xlim(low, high)
    ticks = log_ticks(low, high)
    axes.set_xticks(ticks, [re.sub(r"\.0+ ", " ", format_bytes(tick)) for tick in ticks])
    axes.set_xticks([], minor=True)
    ends = [value for p in points for value in (*p.values, p.mean - p.std, p.mean + p.std)]
    ends += [] if best_reachable is None else [best_reachable]
    pad = 0.1 * (max(ends) - min(ends)) or 1.0
    axes.yaxis.set_major_locator(MaxNLocator(7, steps=[1, 2, 5, 10]))
    axes.set_ylim(min(ends) - pad, max(ends) + pad)


def _places(axes: Axes, lines: Sequence[list[QualityPoint]]) -> list[Place]:
    """Place each line's mark and name by its largest point."""
    width, height = _size_pt()
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()

    def up(quality: float) -> float:
        return float(height * (quality - bottom) / (top - bottom))

    marks = []
    for line in lines:
        point = line[-1]
        across = float(width * np.log10(point.num_bytes / left) / np.log10(right / left))
        ends = (*point.values, point.mean - point.std, point.mean + point.std)
        marks.append(Mark(across, up(point.mean), up(min(ends)), up(max(ends))))
    return place_marks(marks, _LABEL_PT, 1.25 * FONT_PT)


def _draw_line(figure: Figure, axes: Axes, line: list[QualityPoint], place: Place, colour: str) -> None:
    label = line[0].label
    # The data stay what they are; only the drawing moves aside.
    aside = axes.transData + ScaledTranslation(place.shift / 72, 0, figure.dpi_scale_trans)
    spreads = [point.std for point in line]
    axes.errorbar(
        [point.num_bytes for point in line],
        [point.mean for point in line],
        yerr=spreads if any(spreads) else None,
        color=colour,
        marker=_MARKERS.get(label, "o"),
        markersize=5.5,
        markerfacecolor="none" if label in REFERENCES else colour,
        linewidth=1.3,
        capsize=3.5,
        label=label,
        transform=aside,
    )
    for point in line:
        if len(point.values) > 1:
            axes.plot(
                [point.num_bytes] * len(point.values),
                point.values,
                linestyle="none",
                marker=".",
                markersize=3.5,
                color=colour,
                alpha=0.55,
                label=f"_{label} seeds",
                transform=aside,
            )
    led = abs(place.label_y) > 0.6 * FONT_PT or abs(place.label_x - place.shift) > 14
    axes.annotate(
        shorten(label, 18),
        (line[-1].num_bytes, line[-1].mean),
        xycoords=aside,
        xytext=(place.label_x - place.shift, place.label_y),
        textcoords="offset points",
        ha="right" if place.to_left else "left",
        va="center",
        parse_math=False,
        arrowprops={"arrowstyle": "-", "color": MUTED, "linewidth": 0.6, "shrinkB": 4} if led else None,
    )
