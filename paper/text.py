"""Words for the report."""

from html import escape


def paragraph(text: str) -> str:
    """Return a paragraph of plain text as HTML."""
    return f"<p>{escape(text)}</p>\n"


def note(text: str) -> str:
    """Return a remark of plain text as HTML, set apart from the running text."""
    return f'<p class="note">{escape(text)}</p>\n'


def notes(texts: list[str]) -> str:
    """Return numbered remarks of plain text as HTML; a table refers to them by number, from 1."""
    items = "".join(f"<li>{escape(text)}</li>\n" for text in texts)
    return f"<ol>\n{items}</ol>\n" if texts else ""
