"""A byte budget as people write it."""

import re
from fractions import Fraction
from typing import Final

from hybridhash.errors import BudgetError

_UNITS: Final = {
    "": 1,
    "b": 1,
    "kb": 10**3,
    "mb": 10**6,
    "gb": 10**9,
    "kib": 2**10,
    "mib": 2**20,
    "gib": 2**30,
}
_SIZE: Final = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(%|[a-z]*)\s*", re.IGNORECASE)


def check_budget(text: str) -> None:
    """Refuse a budget that can be used for no data at all.

    Raises:
        BudgetError: The text says no size, nothing, or more than 100 %.
    """
    _read(text)


def parse_budget(text: str, baseline_bytes: int) -> int:
    """Read ``10%`` (of the baseline), ``40MB``, ``1.5GiB`` or a plain number of bytes.

    Args:
        text: The budget as written.
        baseline_bytes: Embedding bytes of the baseline, which a share is of.

    Returns:
        Bytes.

    Raises:
        BudgetError: The text says no size, less than one byte, or more than the baseline.
    """
    amount, is_share = _read(text)
    budget = int(amount * baseline_bytes if is_share else amount)
    if budget > baseline_bytes:
        raise BudgetError(
            f"budget: expected at most 100% of the baseline's {baseline_bytes} bytes, got {text}; "
            "there is nothing to compress at that size"
        )
    if budget < 1:
        raise BudgetError(f"budget: expected at least one byte, got {text!r}, which is less")
    return budget


def _read(text: str) -> tuple[Fraction, bool]:
    """Return a share of the baseline and True, or a number of bytes and False."""
    match = _SIZE.fullmatch(text)
    if match is None or (match[2] != "%" and match[2].lower() not in _UNITS):
        raise BudgetError(f"budget: expected a share such as '10%' or a size such as '40MB', got {text!r}")
    number = Fraction(match[1])  # exact: 29 % of 100 bytes are 29 bytes
    if not number:
        raise BudgetError(f"budget: expected at least one byte, got {text!r}")
    if not match[2] and number <= 100:
        share = float(number if number >= 1 else 100 * number)
        raise BudgetError(
            f"budget: expected a share such as '10%' or a size such as '40MB', got {text!r}, which is "
            f"{float(number):g} bytes; did you mean '{share:g}%'?"
        )
    if match[2] != "%":
        return number * _UNITS[match[2].lower()], False
    if number > 100:
        raise BudgetError(f"budget: expected at most 100% of the baseline, got {text!r}")
    return number / 100, True
