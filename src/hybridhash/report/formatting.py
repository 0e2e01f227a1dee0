"""Numbers as people read them; a number that is not known is a dash."""

from typing import Final

UNKNOWN: Final = "–"
_BYTE_UNITS: Final = ("B", "kB", "MB", "GB", "TB", "PB")
_COUNT_UNITS: Final = ("", "k", "M", "G")


def format_bytes(num_bytes: float | None) -> str:
    """Return a size in decimal units (1 kB is 1000 bytes) with three significant digits.

    Args:
        num_bytes: 0 or more, or None for a size that is not known.

    Returns:
        Such as ``"999 B"``, ``"1.05 MB"``, ``"67.1 MB"``; a dash for None.

    Example:
        >>> format_bytes(67_108_864)
        '67.1 MB'
    """
    if num_bytes is None:
        return UNKNOWN
    if num_bytes < 1000:
        return f"{num_bytes:.0f} B"
    value, unit = _scaled(num_bytes, len(_BYTE_UNITS))
    return f"{_three_digits(value)} {_BYTE_UNITS[unit]}"


def format_count(count: float | None) -> str:
    """Return a whole number with separators between the thousands, such as ``"1,234,567"``."""
    return UNKNOWN if count is None else f"{count:,.0f}"


def format_short_count(count: float) -> str:
    """Return a round number briefly for an axis: ``"1"``, ``"10k"``, ``"2.5M"``."""
    value, unit = _scaled(count, len(_COUNT_UNITS))
    return f"{value:.4g}{_COUNT_UNITS[unit]}"


def format_share(share: float | None) -> str:
    """Return a share in [0, 1] as a percentage with one decimal, such as ``"10.0%"``."""
    return UNKNOWN if share is None else f"{100 * share:.1f}%"


def format_number(value: float | None, num_decimals: int) -> str:
    """Return a number with a fixed number of decimals."""
    return UNKNOWN if value is None else f"{value:,.{num_decimals}f}"


def format_spread(mean: float | None, std: float | None, num_decimals: int = 2) -> str:
    """Return a mean with its standard deviation, such as ``"17.60 ± 0.21"``.

    Args:
        mean: The mean over seeds, or None.
        std: The standard deviation, or None where it is not known; it is then left out.
        num_decimals: The number of decimals of both numbers.

    Returns:
        One string.
    """
    if mean is None or std is None:
        return format_number(mean, num_decimals)
    return f"{mean:,.{num_decimals}f} ± {std:.{num_decimals}f}"


def _scaled(value: float, num_units: int) -> tuple[float, int]:
    unit = 0
    # 999.5 would be rounded to 1000 of its unit.
    while abs(value) >= 999.5 and unit < num_units - 1:
        value /= 1000
        unit += 1
    return value, unit


def _three_digits(value: float) -> str:
    num_decimals = 2 if value < 9.995 else 1 if value < 99.95 else 0
    return f"{value:.{num_decimals}f}"
