"""Spans of time as people write them (``90s``, ``1h``), in seconds."""

import re
from typing import Final

from hybridhash.errors import InvalidValueError

_SECONDS: Final = {"s": 1, "min": 60, "h": 3600, "d": 86400}
_FINER: Final = (  # seconds since 1970 reach 1e11 in the year 5138
    (1e17, "nanoseconds", 1_000_000_000),
    (1e14, "microseconds", 1_000_000),
    (1e11, "milliseconds", 1000),
)
_DURATION: Final = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([a-z]+)\s*", re.IGNORECASE)
_USAGE: Final = "write a number of seconds, minutes, hours or days, such as 90s, 15min, 1h or 2d"


def is_duration(text: str) -> bool:
    """Return whether a text has the form of a duration: a number and letters."""
    return _DURATION.fullmatch(text) is not None


def parse_duration(text: str) -> float:
    """Read ``90s``, ``15min``, ``1h`` or ``2d``.

    Args:
        text: The text as it was written.

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


def unit_hint(time: float, span_s: float) -> str:
    """Say what was likely meant by a span where the numbers of a time column look like a finer unit than seconds.

    Args:
        time: A time of the column.
        span_s: The span that was asked for, in seconds.

    Returns:
        A clause for a message; empty where the time may well be seconds.

    Example:
        >>> unit_hint(1704067200000.0, 60.0)
        'numbers in a time column count as seconds, and 1704067200000 looks like milliseconds: write 60000s for 60s'
        >>> unit_hint(1704067200.0, 60.0)
        ''
    """
    for least, unit, per_second in _FINER:
        if abs(time) >= least:
            return (
                f"numbers in a time column count as seconds, and {time:.0f} looks like {unit}: "
                f"write {span_s * per_second:.15g}s for {span_s:.15g}s"
            )
    return ""
