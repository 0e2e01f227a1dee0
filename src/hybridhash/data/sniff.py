"""The delimiter and the quote of a text file with a header, found from its name and its first lines."""

import re
from typing import Final

from hybridhash.data.paths import extension
from hybridhash.data.text_files import Dialect, Head
from hybridhash.errors import InvalidValueError

_DELIMITERS: Final = {".csv": ",", ".tsv": "\t"}
_CANDIDATES: Final = ("::", "\t", ",", ";", "|")
_IN_QUOTES: Final = re.compile(rb'"(?:[^"]|"")*"')


def check_quote(quote: str | None) -> str | None:
    """Return the quote character that an option names: empty for ``none``, None where it is not given.

    Args:
        quote: ``none``, one character, or None.

    Raises:
        InvalidValueError: Anything else.
    """
    if quote is None or (len(quote) == 1 and quote.isascii() and quote.isprintable() and not quote.isalnum()):
        return quote
    if quote == "none":
        return ""
    raise InvalidValueError(f"quote: expected 'none' or one character such as '\"', got {quote!r}")


def sniff(head: Head, quote: str | None = None) -> Dialect:
    """Find the delimiter and the quote of a file with a header.

    The delimiter is the extension's own (``.csv`` a comma, ``.tsv`` a tab) where the header has it, otherwise the
    one of ``::``, tab, comma, semicolon and bar that the header has most often. The quote is ``"``, with two
    exceptions: between ``::`` nothing is quoted, and between tabs only where the first lines show it, since many
    programs write such lines without quoting.

    Args:
        head: The beginning of the file.
        quote: The quote character that was asked for, empty for none; None finds it.

    Raises:
        InvalidValueError: The quote is the delimiter.
    """
    bare = head.start if quote == "" else _IN_QUOTES.sub(b"", head.start)
    first = bare.splitlines()[0] if bare else b""
    own = _DELIMITERS.get(extension(head.file), ",")
    counts = {candidate: first.count(candidate.encode()) for candidate in _CANDIDATES}
    delimiter = own if counts[own] or not any(counts.values()) else max(counts, key=lambda item: counts[item])
    if quote is not None:
        if quote and quote in delimiter:
            raise InvalidValueError(f"quote: expected another character than the delimiter, got {quote!r}")
        return Dialect(delimiter, quote)
    if delimiter == "::":
        return Dialect(delimiter, "")
    return _tabs(head) if delimiter == "\t" else Dialect(delimiter)


def _tabs(head: Head) -> Dialect:
    """Tell quoted fields between tabs from stray quotes, by the first lines."""
    fields = [line.split(b"\t") for line in head.lines]
    begun = [item for line in fields for item in line if item.startswith(b'"')]
    if not begun:
        return Dialect("\t", "", is_guess=True)
    whole = all(_IN_QUOTES.fullmatch(item) for item in begun)
    even = len({len(line) for line in fields}) == 1
    return Dialect("\t", '"' if whole or not even else "")
