"""How often a dictionary of fingerprints takes a key for another."""

import math
from typing import Final

from hybridhash.errors import InvalidValueError

PLACES: Final = 16  # two buckets of eight


def false_positive_rate(bits: int, load: float) -> float:
    """Return the chance that a key which was not put in is found.

    Its two buckets have sixteen places, a share ``load`` of them taken, and each taken place holds one of ``2**bits``
    fingerprints (to within the one value that stands for a free place).

    Args:
        bits: Of a fingerprint, 1 or more.
        load: Share of the places that are taken, in [0, 1].

    Returns:
        ``1 - (1 - 2**-bits)**(16 * load)``.

    Raises:
        InvalidValueError: A number out of range.
    """
    if bits < 1:
        raise InvalidValueError(f"bits: expected 1 or more, got {bits}")
    if not 0 <= load <= 1:
        raise InvalidValueError(f"load: expected a share in [0, 1], got {load}")
    return -math.expm1(PLACES * load * math.log1p(-(2.0**-bits)))
