"""What all our pages share: the document, its style, its tables and figures."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any, Final

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

_NUMBER: Final = re.compile(r"[-+−±<>~≈\[]?\s?[\d.]|[–★]?$|diverged$")
_MOST_TEXT: Final = 16  # characters of a line of text where the column is narrow
_CHARACTER_REM: Final = 0.5
_MARGINS_REM: Final = 1.2
_PADDING_REM: Final = 1.0
_STEP_REM: Final = 8
_WIDEST_REM: Final = 96


@dataclass(frozen=True)
class Grid:
    """A table of text.

    Attributes:
        head: The headings; the first column names the rows.
        body: The rows.
        strong: The row to stand out, by its first cell, or None.
    """

    head: Sequence[str]
    body: Sequence[Sequence[str]]
    strong: str | None = None

    @property
    def is_text(self) -> list[bool]:
        """Which columns hold words, which are set to the left and wrap; the others hold numbers."""
        return [not all(_NUMBER.match(row[place]) for row in self.body) for place in range(len(self.head))]

    @property
    def width_class(self) -> str:
        """The class that says from which width of the page on all columns can be seen."""
        needed = _MARGINS_REM
        for place, is_text in enumerate(self.is_text):
            longest = max((len(row[place]) for row in self.body), default=0)
            words = max((len(word) for word in self.head[place].split()), default=0)
            most = _MOST_TEXT if is_text else longest
            needed += _PADDING_REM + _CHARACTER_REM * max(min(longest, most), words)
        return f"needs-{min(-int(-needed // _STEP_REM) * _STEP_REM, _WIDEST_REM)}"


def page_templates() -> Environment:
    """Return the templates of this room: ``document.html``, which pages extend, and ``macros.html``."""
    return Environment(
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        loader=FunctionLoader(_source),
    )


def html_page(kind: str, title: str, body: str, footer: str) -> str:
    """Return a whole page: one document, its style inside, no network, no scripts.

    Args:
        kind: What made the page, such as ``hybridhash compare``; text.
        title: What it is about; text.
        body: HTML.
        footer: Text.

    Returns:
        The HTML document.
    """
    document = page_templates().get_template("document.html")
    return document.render(kind=kind, title=title, body=Markup(body), footer=footer)


def html_table(grid: Grid, caption: str) -> str:
    """Return a table as HTML for `html_page`; all text is escaped."""
    return str(_macros().grid(grid, caption))


def html_figure(svg: str, caption: str) -> str:
    """Return a figure with its caption as HTML for `html_page`.

    Args:
        svg: The SVG text from `hybridhash.report.inline_svg`.
        caption: Text.
    """
    return str(_macros().figure(Markup(svg), caption))


def _macros() -> Any:
    return page_templates().get_template("macros.html").module


def _source(name: str) -> str:
    return resources.files("hybridhash.report").joinpath(name).read_text(encoding="utf-8")
