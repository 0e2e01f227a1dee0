"""Numbers as text: read as people type them and written again, without losing a digit."""


def parse_number(text: str) -> float:
    """Read a finite number; an integer that no float64 equals stays an integer.

    Raises:
        ValueError: Other text.

    Example:
        >>> parse_number("8"), parse_number("9007199254740993")
        (8.0, 9007199254740993)
    """
    number = float(text)
    if not abs(number) < float("inf"):
        raise ValueError(f"expected a finite number, got {text}")
    if text.strip().lstrip("+-").isdecimal() and int(text) != number:
        return int(text)
    return number


def number_text(number: float) -> str:
    """Return the shortest text that `parse_number` reads as this number.

    Example:
        >>> number_text(8.0), number_text(0.30000000000000004)
        ('8', '0.30000000000000004')
    """
    return repr(number).removesuffix(".0")
