"""Spans of time as people write them."""

import re
from typing import Final

from hybridhash.errors import InvalidValueError

_SECONDS: Final = {"s": 1, "min": 60, "h": 3600, "d": 86400}
_DURATION: Final = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([a-z]+)\s*", re.IGNORECASE)
_USAGE: Final = "write a number of seconds, minutes, hours or days, such as 90s, 15min, 1h or 2d"


def is_duration(text: str) -> bool:
    """Return whether a text has the form of a duration: a number and letters."""
    return _DURATION.fullmatch(text) is not None


def parse_duration(text: str) -> float:
    """Read ``90s``, ``15min``, ``1h`` or ``2d``.

    Args:
        text: As written.

    Returns:
        Seconds, above 0.

    Raises:
        InvalidValueError: Another text, or no time at all.

    Example:
        >>> parse_duration("1.5h")
        5400.0
    """
    match = _DURATION.fullmatch(text)
    if match is None or match[2].lower() not in _SECONDS:
        raise InvalidValueError(f"expected a span of time, got {text!r}; {_USAGE}")
    seconds = float(match[1]) * _SECONDS[match[2].lower()]
    if seconds <= 0:
        raise InvalidValueError(f"expected a span of time above 0, got {text!r}; {_USAGE}")
    return seconds
