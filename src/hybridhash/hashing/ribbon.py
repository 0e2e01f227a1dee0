"""A dictionary that holds short codes and no keys: about 1.1 bits for each bit of a code, whatever the keys are.

A code is the exclusive or of a few slots of an array. Which slots they are follows from the key: the slots are the
solution of one linear equation over GF(2) for each key, and as each equation touches a ribbon of 64 neighbouring
slots, solving them takes one pass. A key that was not put in reads a random code, so a few check bits stand above each
code: one key in ``2**check_bits`` that was not put in is found all the same. A dictionary of fingerprints pays four
more bits a key for the same rate, since a fingerprint is compared with those in sixteen places.

Source: Dillinger, Huebschle-Schneider, Sanders and Walzer, "Fast Succinct Retrieval and Approximate Membership Using
Ribbon", SEA 2022 (standard ribbon, interleaved columns).
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from hybridhash import _native
from hybridhash.errors import InvalidValueError
from hybridhash.hashing.exact import Int64s, dictionary_salts, reduce_hashes
from hybridhash.hashing.mix import UInt64s, mix64_in_place

MAX_CHECK_BITS: Final = 24
MAX_RIBBON_BITS: Final = 32
"""Of a code and its check bits together."""

RIBBON_WIDTH: Final = 64
_SPARE: Final = 50  # slots in a thousand beyond one per key, of few keys
_SPARE_PER_DOUBLING: Final = 8  # the more equations, the more surely some of them crowd
_FEW_KEYS_BITS: Final = 12
_WORD: Final = (1 << 64) - 1


def ribbon_words(num_keys: int, value_bits: int) -> int:
    """Return the length of the int64 array that holds a ribbon: a word for each bit of 64 slots, then the salt.

    Args:
        num_keys: K, 0 or more.
        value_bits: The bits of a code and its check bits.

    Returns:
        0 for no keys.

    Example:
        >>> ribbon_words(0, 8), ribbon_words(1, 8), ribbon_words(1_000_000, 8) * 64 / 8_000_000
        (0, 17, 1.11412)
    """
    return _num_blocks(num_keys) * value_bits + 1 if num_keys else 0


def _num_blocks(num_keys: int) -> int:
    doublings = max(num_keys.bit_length() - _FEW_KEYS_BITS, 0)
    spare = num_keys * (_SPARE + _SPARE_PER_DOUBLING * doublings) // 1000 + RIBBON_WIDTH
    return -(-(num_keys + spare) // RIBBON_WIDTH)


def build_ribbon(keys: Int64s, codes: npt.NDArray[np.uint32], code_bits: int, check_bits: int) -> Int64s:
    """Build a dictionary of codes.

    Args:
        keys: int64[K], distinct.
        codes: uint32[K], each below ``2**code_bits``.
        code_bits: 1 or more.
        check_bits: 0 to 24; with 0 every key is found.

    Returns:
        int64[`ribbon_words` (K, code_bits + check_bits)]: for each 64 slots a word per bit of their values, the lowest
        first, whose bit s is of slot s; the salt at the end.

    Raises:
        InvalidValueError: The keys are not distinct, a code does not fit, or bits out of range.
    """
    value_bits = code_bits + check_bits
    if code_bits < 1 or not 0 <= check_bits <= MAX_CHECK_BITS or value_bits > MAX_RIBBON_BITS:
        raise InvalidValueError(
            f"bits: expected a code of 1 bit or more, 0 to {MAX_CHECK_BITS} check bits and at most {MAX_RIBBON_BITS} "
            f"together, got {code_bits} and {check_bits}"
        )
    if codes.shape != keys.shape or (codes.size and int(codes.max()) >> code_bits):
        raise InvalidValueError(f"codes: expected one below 2**{code_bits} for each of {keys.size} keys")
    ribbon = np.empty(ribbon_words(keys.size, value_bits), dtype=np.int64)
    if not ribbon.size:
        return ribbon
    in_order = np.sort(keys)
    if (in_order[1:] == in_order[:-1]).any():
        raise InvalidValueError("keys: expected distinct keys, got one twice; a key has one code")
    for salt in dictionary_salts(64):
        ribbon[-1] = salt - (1 << 64) if salt >> 63 else salt
        starts, coefficients, checks = _equations(keys, (ribbon.size - 1) // value_bits, salt, check_bits)
        values = codes | checks << np.uint32(code_bits)
        order = np.argsort(starts)  # so that neighbours follow each other, which the caches like
        if _native.solve_ribbon(
            starts[order].astype(np.uint32), coefficients[order], values[order], value_bits, ribbon[:-1]
        ):
            return ribbon
    raise InvalidValueError(
        f"keys: expected equations that can be solved, found no salt for {keys.size} of them"
    )


def find_in_ribbon(keys: Int64s, ribbon: Int64s, code_bits: int, check_bits: int) -> Int64s:
    """Look keys up.

    With ``h = mix64(key + salt)`` and ``g = mix64(h)``, a key reads those of the 64 slots from ``reduce(h)`` on that
    the bits of ``g | 1`` select, the lowest bit the first slot; ``reduce`` is that of `find_positions`, to the number
    of slots less 63. The exclusive or of their values is the code, and above it the check bits, which must be the
    highest bits of ``mix64(g)``.

    Args:
        keys: int64[N].
        ribbon: The ribbon from `build_ribbon`.
        code_bits: The bits of a code.
        check_bits: Behind it.

    Returns:
        int64[N], the code of each key, or -1.
    """
    if not ribbon.size:
        return np.full(keys.size, -1, dtype=np.int64)
    words = ribbon[:-1].view(np.uint64).reshape(-1, code_bits + check_bits)
    starts, coefficients, checks = _equations(keys, len(words), int(ribbon[-1]) & _WORD, check_bits)
    block, slot = starts // RIBBON_WIDTH, (starts % RIBBON_WIDTH).astype(np.uint64)[:, None]
    upper = words[np.minimum(block + 1, len(words) - 1)] << np.uint64(1) << (np.uint64(63) - slot)
    chosen = (words[block] >> slot | upper) & coefficients[:, None]
    for distance in (32, 16, 8, 4, 2, 1):
        chosen ^= chosen >> np.uint64(distance)
    bits = (chosen & np.uint64(1)).astype(np.int64)  # whether an odd number of slots has the bit
    values = (bits << np.arange(code_bits + check_bits)).sum(axis=1)
    found: Int64s = np.where(values >> code_bits == checks, values & ((1 << code_bits) - 1), -1)
    return found


def _equations(
    keys: Int64s, num_blocks: int, salt: int, check_bits: int
) -> tuple[Int64s, UInt64s, npt.NDArray[np.uint32]]:
    """Return the first slot, the coefficients and the check bits of each key."""
    h = np.ascontiguousarray(keys).view(np.uint64) + np.uint64(salt)
    mix64_in_place(h)
    starts = reduce_hashes(h, num_blocks * RIBBON_WIDTH - RIBBON_WIDTH + 1)
    mix64_in_place(h)
    coefficients = h | np.uint64(1)
    mix64_in_place(h)
    checks = h >> np.uint64(64 - check_bits) if check_bits else np.zeros_like(h)
    return starts, coefficients, checks.astype(np.uint32)
