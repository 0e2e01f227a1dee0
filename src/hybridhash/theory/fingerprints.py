"""False positives of a dictionary of fingerprints: how often it finds a key that was not put in."""

import math

from hybridhash.errors import InvalidValueError
from hybridhash.theory.arguments import whole

_PLACES = 16  # in the two buckets of a key


def false_positive_rate(bits: int, load: float) -> float:
    """Return the probability that a key which was not put in equals a fingerprint in one of its two buckets.

    A fingerprint that would be 0 is 1. So a key has fingerprint 1 with probability ``2 / 2**bits``, and then each of
    the sixteen places equals it with probability ``2 * load / 2**bits``; any other fingerprint equals a place with
    probability ``load / 2**bits``. The two buckets are taken as different, which they are but for one key in as
    many as there are buckets.

    Args:
        bits: The bits of a fingerprint, 1 or more.
        load: Share of the places that hold a key, in [0, 1]; about 0.95 for many keys.

    Returns:
        A probability.

    Raises:
        InvalidTypeError: ``bits`` is not an integer.
        InvalidValueError: A number out of range.

    Source: Fan et al. 2014, "Cuckoo Filter", section 5.1, before its approximation.

    Example:
        >>> f"{false_positive_rate(16, 0.95):.3e}"
        '2.319e-04'
    """
    whole("bits", bits, at_least=1)
    if not 0 <= load <= 1:
        raise InvalidValueError(f"load: expected a share in [0, 1], got {load}")
    one = math.ldexp(1.0, -bits)
    return (1 - 2 * one) * _any_place(load * one) + 2 * one * _any_place(2 * load * one)


def _any_place(probability: float) -> float:
    """Return the probability that one place or more of the sixteen equals a fingerprint."""
    return 1.0 if probability >= 1 else -math.expm1(_PLACES * math.log1p(-probability))
