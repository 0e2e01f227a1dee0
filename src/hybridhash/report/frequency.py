"""The figure of how much traffic the most frequent keys have."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hybridhash.errors import InvalidValueError
from hybridhash.report.formatting import format_short_count
from hybridhash.report.placement import spread_out
from hybridhash.report.style import (
    FONT_PT,
    PAPER,
    WIDTH_IN,
    axes_in_inches,
    colours,
    house_style,
    log_ticks,
    shorten,
)

_MOST_TOGETHER = 6  # more curves than this get a panel each
_NUM_COLUMNS = 4
_X_LABEL = "most frequent keys (log scale)"
_Y_LABEL = "share of the feature's traffic (%)"


@dataclass(frozen=True)
class FrequencyCurve:
    """The traffic of a feature's most frequent keys.

    Attributes:
        label: The feature's name.
        ranks: Numbers of keys, rising, each 1 or more.
        shares: The cumulative share of the traffic of that many most frequent keys, in [0, 1].
    """

    label: str
    ranks: tuple[float, ...]
    shares: tuple[float, ...]


def frequency_curves(curves: Sequence[FrequencyCurve]) -> Figure:
    """Draw the cumulative share of the traffic against the rank of the keys.

    Up to six curves share one pair of axes and carry their names; more have small panels of one scale.

    Args:
        curves: One curve at least, each with at least one rank.

    Returns:
        The figure. A curve's line is labelled with its name; its shares are in percent.

    Raises:
        InvalidValueError: No curves, or a curve without ranks, with a rank below 1, or with more or fewer
            shares than ranks.
    """
    if not curves:
        raise InvalidValueError("curves: expected at least one, got none")
    for curve in curves:
        if not curve.ranks or len(curve.ranks) != len(curve.shares) or min(curve.ranks) < 1:
            raise InvalidValueError(
                f"curve {curve.label!r}: expected ranks of 1 or more and one share for each, got "
                f"{len(curve.ranks)} ranks from {min(curve.ranks, default=None)}, {len(curve.shares)} shares"
            )
    with house_style():
        return _one_panel(curves) if len(curves) <= _MOST_TOGETHER else _many_panels(curves)


def _one_panel(curves: Sequence[FrequencyCurve]) -> Figure:
    height_in, margins_in = 3.5, (0.62, 0.55, 0.15, 0.15)
    figure = Figure(figsize=(WIDTH_IN, height_in))
    axes = axes_in_inches(figure, *margins_in)
    _set_scales(axes, max(rank for curve in curves for rank in curve.ranks))
    axes.set_xlabel(_X_LABEL)
    axes.set_ylabel(_Y_LABEL)
    palette = colours([curve.label for curve in curves])
    for curve in curves:
        _draw(axes, curve, palette[curve.label])
    # Concentrated curves are named high up and flat ones low, so that names stand beside each other.
    ordered = sorted(curves, key=lambda curve: _where(curve, 0.5)[0], reverse=True)
    anchors = [
        _where(curve, level)
        for curve, level in zip(ordered, np.linspace(0.25, 0.85, len(ordered)), strict=True)
    ]
    per_pt = 1.06 / (72 * (height_in - margins_in[1] - margins_in[3]))
    heights = spread_out([share for _, share in anchors], 1.5 * FONT_PT * per_pt)
    right_half = np.sqrt(axes.get_xlim()[0] * axes.get_xlim()[1]) * 3
    for curve, (rank, share), height in zip(ordered, anchors, heights, strict=True):
        axes.plot(
            [rank], [100 * share], marker="o", markersize=4.5, color=palette[curve.label], label="_anchor"
        )
        to_left = rank > right_half
        axes.annotate(
            shorten(curve.label, 24),
            (rank, 100 * share),
            xytext=(-8 if to_left else 8, (height - share) / per_pt),
            textcoords="offset points",
            ha="right" if to_left else "left",
            va="center",
            parse_math=False,
            bbox={"facecolor": PAPER, "edgecolor": "none", "pad": 1, "alpha": 0.8},
        )
    return figure


def _many_panels(curves: Sequence[FrequencyCurve]) -> Figure:
    num_rows = -(-len(curves) // _NUM_COLUMNS)
    height_in = 0.95 * num_rows + 0.6
    figure = Figure(figsize=(WIDTH_IN, height_in))
    grid = figure.subplots(num_rows, _NUM_COLUMNS, sharex=True, sharey=True, squeeze=False)
    figure.subplots_adjust(
        left=0.58 / WIDTH_IN,
        right=1 - 0.12 / WIDTH_IN,
        bottom=0.5 / height_in,
        top=1 - 0.22 / height_in,
        wspace=0.12,
        hspace=0.5,
    )
    panels = list(grid.flat)
    last_rank = max(rank for curve in curves for rank in curve.ranks)
    colour = colours(["frequency"])["frequency"]
    for index, axes in enumerate(panels):
        if index >= len(curves):
            axes.set_axis_off()
            continue
        _set_scales(axes, last_rank, max_ticks=3)
        axes.tick_params(labelsize=FONT_PT - 2, length=2, labelbottom=index + _NUM_COLUMNS >= len(curves))
        axes.set_title(
            shorten(curves[index].label, 16), fontsize=FONT_PT - 1.5, pad=2.5, loc="left", parse_math=False
        )
        _draw(axes, curves[index], colour)
        axes.fill_between(curves[index].ranks, 100 * np.array(curves[index].shares), color=colour, alpha=0.15)
    figure.text(0.55, 0.08 / height_in, _X_LABEL, ha="center")
    figure.text(0.06 / WIDTH_IN, 0.5, _Y_LABEL, va="center", rotation=90)
    return figure


def _set_scales(axes: Axes, last_rank: float, max_ticks: int = 8) -> None:
    axes.set_xscale("log")
    high = 1.25 * max(last_rank, 10)
    ticks = [tick for tick in log_ticks(1, high) if np.log10(tick) % 1 == 0]
    ticks = ticks[:: -(-len(ticks) // max_ticks)]
    axes.set_xlim(0.9, high)
    axes.set_xticks(ticks, [format_short_count(tick) for tick in ticks])
    axes.set_xticks([], minor=True)
    axes.set_ylim(0, 106)
    axes.set_yticks([0, 50, 100] if max_ticks < 4 else [0, 20, 40, 60, 80, 100])


def _draw(axes: Axes, curve: FrequencyCurve, colour: str) -> None:
    single = len(curve.ranks) == 1
    shares = [100 * share for share in curve.shares]
    axes.plot(
        curve.ranks, shares, color=colour, linewidth=1.5, marker="." if single else "", label=curve.label
    )


def _where(curve: FrequencyCurve, level: float) -> tuple[float, float]:
    """Return the rank and share at which a curve passes a level, or its nearer end."""
    shares = np.array(curve.shares)
    if level <= shares[0]:
        return curve.ranks[0], float(shares[0])
    if level >= shares[-1]:
        return curve.ranks[-1], float(shares[-1])
    after = int(np.argmax(shares >= level))
    part = (level - shares[after - 1]) / (shares[after] - shares[after - 1])
    low, high = np.log(curve.ranks[after - 1]), np.log(curve.ranks[after])
    return float(np.exp(low + part * (high - low))), level
