"""What all our pages share: the document, its style, its tables and figures."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup


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
        svg: From `hybridhash.report.inline_svg`.
        caption: Text.
    """
    return str(_macros().figure(Markup(svg), caption))


def _macros() -> Any:
    return page_templates().get_template("macros.html").module


def _source(name: str) -> str:
    return resources.files("hybridhash.report").joinpath(name).read_text(encoding="utf-8")
