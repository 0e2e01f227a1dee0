"""Ids of a synthetic stream: how often each occurs, when it is replaced, and how it is written."""

from typing import Final

import numpy as np
import numpy.typing as npt

from hybridhash.data.synthetic.random import Floats
from hybridhash.hashing.mix import GOLDEN_GAMMA, UInt64s

Ints = npt.NDArray[np.int64]

INT_ID_BITS: Final = 53  # what a float64 and JSON hold exactly
TEXT_ID_BITS: Final = 40
TEXT_ID_CHARS: Final = 8  # 5 bits each

_ALPHABET: Final = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32
_NEARLY_ONE: Final = 1e-8  # exponents as near to 1 as this count as 1
_MULTIPLIERS: Final = (0xBF58476D1CE4E5B9, 0x94D049BB133111EB, GOLDEN_GAMMA)


def zipf_shares(ranks: Ints, num_ids: int, exponent: float) -> Floats:
    """Return the share of the draws that each popularity rank gets.

    Rank k (from 0) gets the integral of ``x ** -exponent`` from ``k + 1/2`` to ``k + 3/2``, normalised.
    That can be inverted in closed form, and differs from ``(k + 1) ** -exponent`` by about the factor
    ``1 + s * (s + 1) / (24 * (k + 1) ** 2)`` with s the exponent: 10 % at rank 0 and 0.1 % at rank 9
    for s = 1.

    Args:
        ranks: int64[N], in [0, num_ids).
        num_ids: How many ranks there are.
        exponent: The exponent of the power law, at least 0; 0 gives all ranks the same share.

    Returns:
        float64[N]; over all ranks they sum to 1.
    """
    starts = ranks.astype(np.float64) + np.float64(0.5)
    first, last = _integral(np.array([0.5, num_ids + 0.5]), exponent)
    shares: Floats = (_integral(starts + np.float64(1), exponent) - _integral(starts, exponent)) / (
        last - first
    )
    return shares


def zipf_ranks(uniforms: Floats, num_ids: int, exponent: float) -> Ints:
    """Turn uniform numbers into popularity ranks with the shares of `zipf_shares`, by inversion.

    Args:
        uniforms: float64[N], in (0, 1).
        num_ids: How many ranks there are.
        exponent: The exponent, as in `zipf_shares`.

    Returns:
        int64[N], in [0, num_ids); 0 is the most frequent.
    """
    first, last = _integral(np.array([0.5, num_ids + 0.5]), exponent)
    x = uniforms * (last - first)
    x += first
    power = 1.0 - exponent
    if abs(power) > _NEARLY_ONE:
        x *= power
        x += 1.0
        np.log(x, out=x)
        x /= power
    np.exp(x, out=x)
    x -= 0.5
    ranks: Ints = x.astype(np.int64)
    np.clip(ranks, 0, num_ids - 1, out=ranks)  # the ends are subject to rounding
    return ranks


def _integral(x: Floats, exponent: float) -> Floats:
    """Integrate ``t ** -exponent`` from 1 to each x."""
    power = 1.0 - exponent
    logs: Floats = np.log(x)
    if abs(power) > _NEARLY_ONE:
        logs = np.expm1(power * logs) / power
    return logs


def generations(ranks: Ints, elapsed_s: Floats, lifetime_s: float) -> Ints:
    """Return how many occupants a popularity rank has had before the one at the given time.

    Each rank's occupant leaves after ``lifetime_s`` and a new id takes its place. The ranks change hands
    at different times: rank k's first occupant has lived the share ``k * 0.618... modulo 1`` of its life
    when the stream starts, which spreads the arrivals evenly.

    Args:
        ranks: int64[N].
        elapsed_s: float64[N], seconds since the stream's start.
        lifetime_s: Seconds; infinite for ids that stay.

    Returns:
        int64[N], from 0.
    """
    phases = (ranks.view(np.uint64) * np.uint64(GOLDEN_GAMMA)).astype(np.float64)
    phases *= 2.0**-64
    np.minimum(phases, 1 - 2.0**-53, out=phases)  # the conversion can round up to 1
    phases += elapsed_s / lifetime_s
    return phases.astype(np.int64)


def scatter(codes: UInt64s, num_bits: int, salt: int) -> UInt64s:
    """Map the integers of ``num_bits`` bits one-to-one onto themselves, in no visible order.

    Args:
        codes: uint64[N], each below ``2 ** num_bits``.
        num_bits: The number of bits, in [2, 64].
        salt: The salt, in [0, 2**64); another salt gives another map.

    Returns:
        uint64[N], each below ``2 ** num_bits``.
    """
    mask = np.uint64((1 << num_bits) - 1)
    half = np.uint64((num_bits + 1) // 2)
    z = codes + np.uint64(salt)
    for multiplier in _MULTIPLIERS:
        z *= np.uint64(multiplier)
        z &= mask
        z ^= z >> half
    return z


def text_ids(numbers: UInt64s) -> npt.NDArray[np.uint8]:
    """Write numbers as fixed-width text in Crockford's base 32.

    Args:
        numbers: uint64[N], each below ``2 ** TEXT_ID_BITS``.

    Returns:
        uint8[N, TEXT_ID_CHARS], ASCII, the most significant character first.
    """
    pairs = np.empty((numbers.size, TEXT_ID_CHARS // 2), dtype=np.uint16)
    for column in range(pairs.shape[1]):
        shift = np.uint64(TEXT_ID_BITS - 10 * (column + 1))
        pairs[:, column] = _PAIRS[(numbers >> shift) & np.uint64(1023)]
    return pairs.view(np.uint8).reshape(numbers.size, TEXT_ID_CHARS)


_PAIRS: Final = np.array([[ord(a), ord(b)] for a in _ALPHABET for b in _ALPHABET], dtype=np.uint8).view(
    np.uint16
)[:, 0]
