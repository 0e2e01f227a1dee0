"""A byte budget as people write it."""

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Final, Literal

from hybridhash.errors import BudgetError

Whole = Literal["baseline", "full"]
"""What a share can be of."""

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
_SHARE: Final = re.compile(r"\s*(\d+(?:\.\d+)?)\s*%(?:[\s-]*of[\s-]*(baseline|full))?\s*", re.IGNORECASE)
_SIZE: Final = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([a-z]*)\s*", re.IGNORECASE)


@dataclass(frozen=True)
class Budget:
    """What the embeddings may take, read once.

    Attributes:
        text: The budget as it was typed.
        amount: Bytes, or a share above 0 and at most 1.
        share_of: What a share is of; None where the amount is bytes.
    """

    text: str
    amount: Fraction
    share_of: Whole | None

    @classmethod
    def parse(cls, text: str) -> "Budget":
        """Read ``10%`` (of the baseline), ``10%-of-full``, ``40MB``, ``1.5GiB`` or a plain number of bytes.

        Args:
            text: The budget as typed.

        Raises:
            BudgetError: The text says no size, nothing, or more than 100 %.

        Example:
            >>> Budget.parse("10%-of-full").in_bytes(baseline_bytes=1000, full_bytes=800)
            80
        """
        if match := _SHARE.fullmatch(text):
            share_of: Whole = "full" if (match[2] or "").lower() == "full" else "baseline"
            share = Fraction(match[1]) / 100  # exact: 29 % of 100 bytes are 29 bytes
            if share > 1:
                raise BudgetError(f"budget: expected at most 100% of the {_NAMES[share_of]}, got {text!r}")
            return cls(text, _above_zero(share, text), share_of)
        match = _SIZE.fullmatch(text)
        if match is None or match[2].lower() not in _UNITS:
            raise BudgetError(
                f"budget: expected a share such as '10%' or '10%-of-full', or a size such as '40MB', got {text!r}"
            )
        number = _above_zero(Fraction(match[1]), text)
        if not match[2] and number <= 100:
            percent = float(number if number >= 1 else 100 * number)
            raise BudgetError(
                f"budget: expected a share such as '10%' or a size such as '40MB', got {text!r}, which is "
                f"{float(number):g} bytes; did you mean '{percent:g}%'?"
            )
        return cls(text, number * _UNITS[match[2].lower()], None)

    def in_bytes(self, baseline_bytes: int, full_bytes: int) -> int:
        """Return the bytes.

        Args:
            baseline_bytes: Embedding bytes of the baseline.
            full_bytes: Embedding bytes of the full table, its dictionary included.

        Raises:
            BudgetError: The budget is less than one byte, or more than the baseline.
        """
        whole = {None: 1, "baseline": baseline_bytes, "full": full_bytes}[self.share_of]
        budget = int(self.amount * whole)
        if budget > baseline_bytes:
            raise BudgetError(
                f"budget: expected at most 100% of the baseline's {baseline_bytes} bytes, got {self.text}; "
                "there is nothing to compress at that size"
            )
        if budget < 1:
            raise BudgetError(f"budget: expected at least one byte, got {self.text!r}, which is less")
        return budget


_NAMES: Final[dict[Whole, str]] = {"baseline": "baseline", "full": "full table"}


def _above_zero(number: Fraction, text: str) -> Fraction:
    if not number:
        raise BudgetError(f"budget: expected at least one byte, got {text!r}")
    return number
