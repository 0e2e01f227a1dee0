"""The figure of predicted beside measured collisions."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from hybridhash.errors import InvalidValueError
from hybridhash.report.style import FONT_PT, WIDTH_IN, axes_in_inches, house_style, shorten
from hybridhash.results import Shares

_COLOURS = {"exclusive": "#2f81d8", "half_shared": "#c78a12", "fully_shared": "#c2452d"}
_NAMES = {"exclusive": "exclusive", "half_shared": "partly shared", "fully_shared": "fully shared"}
_BAR = 0.36


@dataclass(frozen=True)
class CollisionBar:
    """One method's collisions.

    Attributes:
        label: The method's name.
        predicted: What theory expects, or None.
        measured: What was counted, or None.
    """

    label: str
    predicted: Shares | None
    measured: Shares | None


def collision_bars(bars: Sequence[CollisionBar]) -> Figure:
    """Draw what share of the traffic reads rows of its own, partly shared and fully shared rows.

    Args:
        bars: The bars from top to bottom, at least one.

    Returns:
        The figure: two stacked bars per method, in percent of the traffic.

    Raises:
        InvalidValueError: No bars, or a bar with neither prediction nor measurement.
    """
    if not bars:
        raise InvalidValueError("bars: expected at least one, got none")
    for bar in bars:
        if bar.predicted is None and bar.measured is None:
            raise InvalidValueError(
                f"bar {bar.label!r}: expected predicted or measured shares, got neither; leave the bar out"
            )
    with house_style():
        figure = Figure(figsize=(WIDTH_IN, 0.95 + 0.62 * len(bars)))
        axes = axes_in_inches(figure, left=1.65, bottom=0.5, right=0.25, top=0.35)
        axes.grid(visible=False, axis="y")
        ticks: dict[float, str] = {}
        for index, bar in enumerate(bars):
            for offset, kind, shares in ((-0.2, "predicted", bar.predicted), (0.2, "measured", bar.measured)):
                if shares is not None:
                    ticks[index + offset] = kind
                    _stack(axes, index + offset, shares)
            axes.annotate(
                shorten(bar.label, 14),
                (0, index),
                xycoords=("axes fraction", "data"),
                xytext=(-112, 0),
                textcoords="offset points",
                va="center",
                fontweight="bold",
                parse_math=False,
            )
        axes.set_yticks(list(ticks), list(ticks.values()), fontsize=FONT_PT - 1)
        axes.tick_params(axis="y", length=0)
        axes.set_xlim(0, 100)
        axes.set_ylim(len(bars) - 0.5, -0.5)
        axes.set_xlabel("share of the traffic (%)")
        axes.legend(
            handles=[Patch(color=_COLOURS[name], label=_NAMES[name]) for name in _COLOURS],
            loc="lower left",
            bbox_to_anchor=(0, 1.0),
            ncols=3,
            frameon=False,
            borderaxespad=0.2,
            handlelength=1.0,
            handleheight=0.9,
            columnspacing=1.4,
        )
    return figure


def _stack(axes: Axes, y: float, shares: Shares) -> None:
    start = 0.0
    for field in fields(shares):
        width = 100 * getattr(shares, field.name)
        axes.barh(y, width, left=start, height=_BAR, color=_COLOURS[field.name])
        if width >= 8:
            axes.text(
                start + width / 2,
                y,
                f"{width:.1f}",
                color="#ffffff",
                ha="center",
                va="center",
                fontsize=FONT_PT - 1.5,
            )
        start += width
