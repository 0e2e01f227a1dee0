"""A byte budget as people write it."""

import re
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


def parse_budget(text: str, baseline_bytes: int) -> int:
    """Read ``10%`` (of the baseline), ``40MB``, ``1.5GiB`` or a plain number of bytes.

    Args:
        text: The budget as written.
        baseline_bytes: Embedding bytes of the baseline, which a share is of.

    Returns:
        Bytes.

    Raises:
        BudgetError: The text says no size, nothing, or more than the baseline.
    """
    match = _SIZE.fullmatch(text)
    if match is None or (match[2] != "%" and match[2].lower() not in _UNITS):
        raise BudgetError(f"budget: expected a share such as '10%' or a size such as '40MB', got {text!r}")
    number = float(match[1])
    if match[2] == "%":
        budget = int(number / 100 * baseline_bytes)
    else:
        budget = int(number * _UNITS[match[2].lower()])
    if budget > baseline_bytes:
        raise BudgetError(
            f"budget: expected at most 100% of the baseline's {baseline_bytes} bytes, got {text} ({budget} bytes); "
            "there is nothing to compress at that size"
        )
    if budget < 1:
        raise BudgetError(f"budget: expected at least one byte, got {text!r}")
    return budget
