"""RCE against bytes: a panel per data set, a line per method, names at the lines' ends."""

from collections.abc import Mapping, Sequence
from typing import Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.quality.methods import FULL, HASHED, METHODS, OURS
from benchmarks.quality.summary import Panel, Point
from hybridhash.report import colours, format_bytes, house_style

WIDTH_IN: Final = 11.0
PANEL_IN: Final = 4.1
LABEL_PT: Final = 8.5
_GAP: Final = 0.052  # between the middles of two labels, as a share of the panel's height
_MARKERS: Final = "osv^P*XDph"


def rce_against_bytes(panels: Sequence[Panel]) -> Figure:
    """Draw a panel for each data set, two side by side.

    The full table is a dashed line across. Bars are one standard deviation. Regular hashing and our own method are
    thick, all others thin.

    Args:
        panels: One at least.

    Returns:
        The figure.
    """
    num_lines = -(-len(panels) // 2)
    palette = _palette()
    with house_style():
        figure = Figure(figsize=(WIDTH_IN, PANEL_IN * num_lines), layout="constrained")
        grid = list(figure.subplots(num_lines, min(len(panels), 2), squeeze=False).flat)
        for axes, panel in zip(grid, panels, strict=False):
            _draw(axes, panel, palette)
        for axes in grid[len(panels) :]:
            axes.remove()
    return figure


def _palette() -> dict[str, str]:
    """Give ours and regular hashing the colours of the report, and the others those that are left."""
    ours = colours([OURS, HASHED])
    left = [name for name in METHODS if name not in (OURS, HASHED, FULL)]
    spare = [
        *("#2f81d8", "#a45bd6", "#14a06f", "#a08500", "#2aa1a8", "#768390"),
        *("#b4541c", "#5b6ee1", "#7a9a01", "#8c6d5a", "#c9487f", "#3b8f5c"),
    ]
    return {OURS: ours[OURS], HASHED: ours[HASHED]} | {
        name: spare[index % len(spare)] for index, name in enumerate(left)
    }


def _draw(axes: Axes, panel: Panel, palette: Mapping[str, str]) -> None:
    lines: dict[str, list[Point]] = {}
    for point in panel.points:
        lines.setdefault(point.method, []).append(point)
    full = lines.pop(FULL, [])
    axes.set_xscale("log")
    ends = {}
    for name, points in lines.items():
        points = sorted(points, key=lambda point: point.num_bytes)
        stands_out = name in (OURS, HASHED)
        axes.errorbar(
            [point.num_bytes for point in points],
            [point.mean for point in points],
            yerr=[point.std or 0.0 for point in points],
            color=palette[name],
            marker=_MARKERS[list(palette).index(name) % len(_MARKERS)],
            markersize=5 if stands_out else 4,
            linewidth=2.2 if stands_out else 1.0,
            capsize=2,
            label=name,
        )
        ends[name] = points[-1]
    if full:
        axes.axhline(
            full[0].mean, color=palette.get(FULL, "#768390"), linestyle="--", linewidth=1.2, label=FULL
        )
        axes.annotate(
            f"full table, {format_bytes(full[0].num_bytes)}: {full[0].mean:.2f}",
            (0.01, full[0].mean),
            xycoords=("axes fraction", "data"),
            xytext=(0, -3),
            textcoords="offset points",
            va="top",
            fontsize=LABEL_PT,
        )
    _label_ends(axes, ends, palette)
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


def _label_ends(axes: Axes, ends: Mapping[str, Point], palette: Mapping[str, str]) -> None:
    """Write every line's name right of its last point, pushed apart where they would meet."""
    low, high = axes.get_ylim()
    names = sorted(ends, key=lambda name: ends[name].mean)
    wanted = [(ends[name].mean - low) / (high - low) for name in names]
    places: list[float] = []
    for place in wanted:
        places.append(max(place, places[-1] + _GAP) if places else place)
    surplus = max(places[-1] - 1.0, 0.0) if places else 0.0
    for index in reversed(range(len(places))):
        limit = 1.0 if index == len(places) - 1 else places[index + 1] - _GAP
        places[index] = min(places[index], limit) if surplus else places[index]
    for name, place in zip(names, places, strict=True):
        axes.annotate(
            f"{name} (ours)" if name == OURS else name,
            (ends[name].num_bytes, ends[name].mean),
            xytext=(1.03, place),
            textcoords="axes fraction",
            va="center",
            fontsize=LABEL_PT,
            fontweight="bold" if name in (OURS, HASHED) else "normal",
            color=palette[name],
            arrowprops={"arrowstyle": "-", "color": palette[name], "linewidth": 0.5, "relpos": (0, 0.5)},
            annotation_clip=False,
        )
