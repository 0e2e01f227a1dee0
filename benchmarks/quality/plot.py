"""RCE against bytes: a panel for each data set, four methods in colour and the others in grey, names at the ends."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.quality.methods import FULL, HASHED, OURS
from benchmarks.quality.summary import Panel, Point
from hybridhash.report import INK, MUTED, colours, format_bytes, house_style

WIDTH_IN: Final = 11.0
PANEL_IN: Final = 4.1
HYBRID: Final = "hybrid"
_NAME_PT: Final = 8.5
_GREY_NAME_PT: Final = 7.5
_GREY: Final = "#b4bac2"
_GAP: Final = 0.052  # between the middles of two names, as a share of the panel's height
_MARKERS: Final = {OURS: "o", HYBRID: "P", HASHED: "s"}


@dataclass(frozen=True)
class _Style:
    """How a method is drawn.

    Attributes:
        colour: Of its line.
        name_colour: Of its name.
        stands_out: Whether it has markers, bars and a thick line; the others are grey, behind those.
        marker: The shape of its points.
    """

    colour: str = _GREY
    name_colour: str = MUTED
    stands_out: bool = False
    marker: str = "D"


def rce_against_bytes(panels: Sequence[Panel]) -> Figure:
    """Draw a panel for each data set, two side by side.

    Our methods, regular hashing and the best of the other methods are in colour, with bars of one standard deviation.
    All others are grey. The full table is a dashed line across.

    Args:
        panels: The data sets, one at least.

    Returns:
        The figure.
    """
    num_lines = -(-len(panels) // 2)
    with house_style():
        figure = Figure(figsize=(WIDTH_IN, PANEL_IN * num_lines), layout="constrained")
        grid = list(figure.subplots(num_lines, min(len(panels), 2), squeeze=False).flat)
        for axes, panel in zip(grid, panels, strict=False):
            _draw(axes, panel)
        for axes in grid[len(panels) :]:
            axes.remove()
    return figure


def best_other(panel: Panel) -> str | None:
    """Return the method that has the highest RCE at the largest budget, the full table and `_MARKERS` left out."""
    others = [point for point in panel.points if point.method not in (FULL, *_MARKERS)]
    largest = max((point.num_bytes for point in others), default=0)
    at_largest = [point for point in others if point.num_bytes > 0.9 * largest]
    return max(at_largest, key=lambda point: point.mean).method if at_largest else None


def _styles(panel: Panel) -> dict[str, _Style]:
    palette = colours([OURS, HASHED]) | {HYBRID: "#14a06f"}
    shown = {name: _Style(palette[name], palette[name], True, marker) for name, marker in _MARKERS.items()}
    best = best_other(panel)
    if best is not None:
        shown[best] = _Style("#5b6ee1", "#5b6ee1", True)
    return {point.method: shown.get(point.method, _Style()) for point in panel.points}


def _draw(axes: Axes, panel: Panel) -> None:
    lines: dict[str, list[Point]] = {}
    for point in panel.points:
        lines.setdefault(point.method, []).append(point)
    full = lines.pop(FULL, [])
    styles = _styles(panel)
    axes.set_xscale("log")
    ends = {}
    for name, points in lines.items():
        points = sorted(points, key=lambda point: point.num_bytes)
        style = styles[name]
        axes.errorbar(
            [point.num_bytes for point in points],
            [point.mean for point in points],
            yerr=[point.std or 0.0 for point in points] if style.stands_out else None,
            color=style.colour,
            marker=style.marker if style.stands_out else "",
            markersize=5,
            linewidth=2.2 if style.stands_out else 1.0,
            zorder=3 if style.stands_out else 2,
            capsize=2,
            label=name,
        )
        ends[name] = points[-1]
    if full:
        axes.axhline(full[0].mean, color=INK, linestyle="--", linewidth=1.2, zorder=2.5, label=FULL)
    _name_ends(axes, ends, styles, full)
    shares = sorted(
        {point.share: point.num_bytes for point in panel.points if point.method == HASHED}.items()
    )
    axes.set_xticks(
        [num_bytes for _, num_bytes in shares],
        [f"{format_bytes(num_bytes)}\n{share:.1%}" for share, num_bytes in shares],
    )
    axes.set_xticks([], minor=True)
    axes.set_title(f"{panel.title}", loc="left")
    axes.set_ylabel("RCE on the test (%), higher is better")
    axes.set_xlabel("embedding bytes (log scale), share of full")


def _name_ends(axes: Axes, ends: dict[str, Point], styles: dict[str, _Style], full: Sequence[Point]) -> None:
    """Write the name of every line right of its last point; names that would meet are pushed apart."""
    low, high = axes.get_ylim()
    right = axes.get_xlim()[1]
    heights = {name: point.mean for name, point in ends.items()}
    shown = {OURS: f"{OURS} (ours)"}
    if full:
        heights[FULL] = full[0].mean
        shown[FULL] = f"full table, {format_bytes(full[0].num_bytes)}"
    names = sorted(heights, key=heights.__getitem__)
    places: list[float] = []
    for name in names:
        place = (heights[name] - low) / (high - low)
        places.append(max(place, places[-1] + _GAP) if places else place)
    surplus = max(places[-1] - 1.0, 0.0) if places else 0.0
    for index in reversed(range(len(places))):
        limit = 1.0 if index == len(places) - 1 else places[index + 1] - _GAP
        places[index] = min(places[index], limit) if surplus else places[index]
    styles = styles | {FULL: _Style(INK, INK, True)}
    for name, place in zip(names, places, strict=True):
        style = styles[name]
        axes.annotate(
            shown.get(name, name),
            (right if name == FULL else ends[name].num_bytes, heights[name]),
            xytext=(1.03, place),
            textcoords="axes fraction",
            va="center",
            fontsize=_NAME_PT if style.stands_out else _GREY_NAME_PT,
            fontweight="bold" if style.stands_out and name != FULL else "normal",
            color=style.name_colour,
            arrowprops={"arrowstyle": "-", "color": style.colour, "linewidth": 0.5, "relpos": (0, 0.5)},
            annotation_clip=False,
        )
