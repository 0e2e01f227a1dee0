"""How many rows, as people write it: a count, or a share of something."""

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from hybridhash.errors import InvalidValueError

_COUNT: Final = re.compile(r"\d[\d_]*")
_PERCENT: Final = re.compile(r"(\d+(?:\.\d+)?)\s*%")
_FRACTION: Final = re.compile(r"(\d+)\s*/\s*(\d+)")
_POWER: Final = re.compile(r"2\^-(\d{1,2})")


@dataclass(frozen=True)
class Amount:
    """A number of rows, or a share of a table that is not known yet.

    Attributes:
        text: The text as it was written.
        number: A whole number, or a share above 0 and at most 1.
    """

    text: str
    number: int | Fraction

    def of(self, part: int, total: int) -> int:
        """Return the rows of one of several tables, rounded down.

        Args:
            part: What this table has of what a share is of.
            total: What all tables have of it.

        Returns:
            The share of ``part``; a count is divided in proportion to ``part``.
        """
        return int(self.number * part) if isinstance(self.number, Fraction) else self.number * part // total


def parse_amount(flag: str, text: str) -> Amount:
    """Read ``80000``, ``2%``, ``1/8`` or ``2^-3``.

    Args:
        flag: What it was given for, to be named in errors.
        text: The text as it was written.

    Returns:
        The amount.

    Raises:
        InvalidValueError: The text is none of these, nothing, or more than all.
    """
    text = text.strip()
    number: int | Fraction = 0
    if _COUNT.fullmatch(text):
        number = int(text)
    elif match := _PERCENT.fullmatch(text):
        number = Fraction(match[1]) / 100
    elif (match := _FRACTION.fullmatch(text)) and int(match[2]):
        number = Fraction(int(match[1]), int(match[2]))
    elif match := _POWER.fullmatch(text):
        number = Fraction(1, 2 ** int(match[1]))
    if not number or (isinstance(number, Fraction) and number > 1):
        raise InvalidValueError(
            f"{flag}: expected a count such as 80000, or a share of at most 1 such as 2%, 1/8 or 2^-3, got {text!r}"
        )
    return Amount(text, number)
