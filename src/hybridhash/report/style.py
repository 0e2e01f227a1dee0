"""How every figure looks, and how a figure becomes part of a page."""

import io
import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final
from xml.sax.saxutils import escape

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

INK: Final = "#1f2328"
MUTED: Final = "#656d76"
GRID: Final = "#d8dee4"
PAPER: Final = "#fefefe"
WIDTH_IN: Final = 5.6  # drawn at this width, letters stay readable on a telephone
FONT_PT: Final = 9.5

_METHOD_COLOURS: Final = {
    "full": "#768390",
    "baseline": "#768390",
    "hashed": "#d9730d",
    "double": "#a45bd6",
    "frequency": "#2f81d8",
    "hybrid-sum": "#2aa1a8",
    "hybrid": "#14a06f",
    "auto": "#d1497b",
}
_OTHER_COLOURS: Final = (
    "#2f81d8",
    "#d9730d",
    "#14a06f",
    "#a45bd6",
    "#d1497b",
    "#a08500",
    "#2aa1a8",
    "#768390",
)
_PAGE_COLOURS: Final = {INK: "var(--ink)", MUTED: "var(--muted)", GRID: "var(--grid)", PAPER: "var(--paper)"}
_SETTINGS: Final[dict[Any, Any]] = {
    "axes.edgecolor": MUTED,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.labelcolor": INK,
    "axes.labelsize": FONT_PT,
    "axes.linewidth": 0.7,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlecolor": INK,
    "axes.titlesize": FONT_PT,
    "axes.facecolor": "none",
    "figure.facecolor": "none",
    "font.size": FONT_PT,
    "grid.color": GRID,
    "grid.linewidth": 0.6,
    "svg.fonttype": "none",
    "svg.hashsalt": "hybridhash",
    "text.color": INK,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.major.width": 0.7,
    "ytick.major.width": 0.7,
}


@contextmanager
def house_style() -> Iterator[None]:
    """Use our look inside the block, whatever the reader's own matplotlib settings are."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_SETTINGS)
        yield


def colours(labels: Sequence[str]) -> dict[str, str]:
    """Return one colour per label: a method always has its own, other labels take turns.

    Args:
        labels: The labels in the order of their appearance; repeats are fine.

    Returns:
        Label to ``#rrggbb``; each is readable on white and on black.
    """
    others = [label for label in dict.fromkeys(labels) if label not in _METHOD_COLOURS]
    turns = {label: _OTHER_COLOURS[index % len(_OTHER_COLOURS)] for index, label in enumerate(others)}
    return {label: _METHOD_COLOURS.get(label, turns.get(label, INK)) for label in labels}


def shorten(text: str, num_chars: int) -> str:
    """Return the text, its middle left out where it is longer than ``num_chars``."""
    if len(text) <= num_chars:
        return text
    head = (num_chars - 1) // 2
    return f"{text[:head]}…{text[len(text) - (num_chars - 1 - head) :]}"


def axes_in_inches(figure: Figure, left: float, bottom: float, right: float, top: float) -> Axes:
    """Add axes with these margins, in inches."""
    width, height = figure.get_size_inches()
    return figure.add_axes(
        (left / width, bottom / height, (width - left - right) / width, (height - bottom - top) / height)
    )


def settle_layout(figure: Figure) -> None:
    """Let a figure find its layout once: every file of it is then the same, however often it is drawn."""
    if figure.get_layout_engine() is not None:
        with house_style():
            figure.draw_without_rendering()
        figure.set_layout_engine("none")


def inline_svg(figure: Figure, name: str, description: str) -> str:
    """Draw a figure as an ``<svg>`` element for a page: same figure, same text.

    The neutral colours become the CSS variables ``--ink``, ``--muted``, ``--grid`` and ``--paper`` of the
    page, so that the figure follows its light or dark theme. Letters stay text.

    Args:
        figure: The figure.
        name: A word that keeps the element's ids apart from those of other figures on the page.
        description: What the figure shows, for readers who do not see it.

    Returns:
        The element, with a ``viewBox`` and no fixed size.
    """
    buffer = io.StringIO()
    settle_layout(figure)
    with house_style(), warnings.catch_warnings():
        # The browser has other fonts; what ours lacks is no fault of the page.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
        figure.savefig(buffer, format="svg", metadata=nothing)
    svg = buffer.getvalue()
    svg = svg[svg.index("<svg") :].rstrip()
    svg = re.sub(r'(\sid="|href="#|url\(#)', lambda match: f"{match[1]}{name}-", svg)
    for colour, variable in _PAGE_COLOURS.items():
        svg = svg.replace(colour, variable)
    box = re.search(r'viewBox="[^"]*"', svg)
    assert box is not None  # matplotlib writes one
    label = escape(description, {'"': "&quot;"})
    spaces = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
    body = svg[svg.index(">") + 1 :]
    return f'<svg {box[0]} {spaces} role="img" aria-label="{label}">{body}'


def log_ticks(low: float, high: float) -> list[float]:
    """Return 1, 2 and 5 times powers of ten between two positive numbers, fewer where they span much."""
    decades = np.log10(high / low)
    steps = (1, 2, 5) if decades <= 2.2 else (1,)
    every = 1 if decades <= 7 else 2
    exponents = range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)
    ticks = [step * 10.0**exponent for exponent in exponents if exponent % every == 0 for step in steps]
    return [tick for tick in ticks if low <= tick <= high]


def ticks_apart(values: Sequence[float], gap: float = 0.12) -> list[float]:
    """Return the values that can be ticks of a logarithmic axis, rising: no two nearer than a share of its length.

    Args:
        values: Above 0.
        gap: Share of the length between the least and the greatest value.
    """
    rising = sorted(set(values))
    if not rising:
        return []
    least = gap * np.log(rising[-1] / rising[0])
    ticks = [rising[0]]
    for value in rising[1:]:
        if np.log(value / ticks[-1]) >= least:
            ticks.append(value)
    return ticks
