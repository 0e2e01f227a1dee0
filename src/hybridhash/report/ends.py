"""Names of curves, written right of the axes beside their last points."""

import math
from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes

from hybridhash.report.placement import spread_out
from hybridhash.report.style import FONT_PT

_LINE: float = 1.25  # height of a line of text in font sizes
_ROOM: float = 0.05  # of the axes' width, between the axes and the names


def name_ends(
    axes: Axes,
    curves: Mapping[str, Sequence[float | None]],
    palette: Mapping[str, str],
    *,
    x: float,
    strong: Sequence[str] = (),
    font_pt: float = FONT_PT,
) -> None:
    """Write the name of each curve right of the axes, at the height of its last point or near it.

    The limits of the axes stay what they are now. Names that would touch are moved apart, as little as possible.

    Args:
        axes: The axes of the curves; the figure needs room to the right, or a constrained layout.
        curves: Name to the heights of its points, of which None and NaN are gaps; at least one is a number.
        palette: Name to colour.
        x: The abscissa at which the curves end.
        strong: The names to write in bold.
        font_pt: The size of the letters.
    """
    bottom, top = axes.get_ylim()
    axes.set_ylim(bottom, top)
    figure = axes.get_figure(root=True)
    assert figure is not None
    height_pt = 72 * figure.get_size_inches()[1] * axes.get_position().height
    ends = {name: _last(values) for name, values in curves.items()}
    line = _LINE * font_pt / height_pt
    lines = {name: name.count("\n") + 1 for name in ends}
    most = max(lines.values())
    wanted = [(end - bottom) / (top - bottom) for end in ends.values()]
    for (name, end), place in zip(ends.items(), spread_out(wanted, most * line), strict=True):
        axes.annotate(
            name,
            (x, end),
            xytext=(1 + _ROOM, place),
            textcoords="axes fraction",
            ha="left",
            va="center",
            fontsize=font_pt,
            fontweight="bold" if name in strong else "normal",
            color=palette[name],
            parse_math=False,
            arrowprops={
                "arrowstyle": "-",
                "color": palette[name],
                "linewidth": 0.6,
                "relpos": (0, 0.5),
                "shrinkA": 1,
                "shrinkB": 1,
            },
            annotation_clip=False,
        )


def _last(values: Sequence[float | None]) -> float:
    return [value for value in values if value is not None and math.isfinite(value)][-1]
