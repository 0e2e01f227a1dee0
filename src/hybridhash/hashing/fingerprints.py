"""A dictionary of fingerprints: a few bits of a hash in place of each key, in the places of the exact dictionary.

The position of a key is the number of its row, so what is kept is the fingerprints and nothing else: about two bytes
a key at 16 bits. A key that was not put in is found where a fingerprint in one of its two lines equals
its own; it then reads that row. Which keys these are follows from the dictionary, so training and serving agree.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from hybridhash.errors import InvalidValueError
from hybridhash.hashing.exact import (
    LINE_KEYS,
    Int64s,
    find_positions,
    lines_of,
    num_positions,
    place_keys,
)
from hybridhash.hashing.mix import mix64_in_place

Bytes = npt.NDArray[np.uint8]

MIN_FINGERPRINT_BITS: Final = 4
MAX_FINGERPRINT_BITS: Final = 32
_SALT_BYTES: Final = 8
_WORD: Final = (1 << 64) - 1


def fingerprint_bytes(num_keys: int, bits: int) -> int:
    """Return the length of the array that holds a dictionary of fingerprints.

    Args:
        num_keys: K, 0 or more.
        bits: The bits of a fingerprint.

    Returns:
        Bytes: ``bits`` a line of eight, and the salt; 0 for no keys.
    """
    positions = num_positions(num_keys)
    return positions * bits // 8 + _SALT_BYTES if positions else 0


def place_fingerprints(keys: Int64s, bits: int) -> Bytes:
    """Build a dictionary of fingerprints.

    Every key stands where `place_keys` puts it. Of two keys with one fingerprint that share a line, one may be
    found where the other stands; both then read that row, and the other row is nobody's.

    Args:
        keys: int64[K], distinct.
        bits: The bits of a fingerprint, in [4, 32].

    Returns:
        uint8[`fingerprint_bytes`]: line after line the eight fingerprints, the lowest bits first, 0 where no key
        stands; the salt at the end, the lowest byte first.

    Raises:
        InvalidValueError: The keys are not distinct, or bits out of range.
    """
    if not MIN_FINGERPRINT_BITS <= bits <= MAX_FINGERPRINT_BITS:
        raise InvalidValueError(
            f"bits: expected {MIN_FINGERPRINT_BITS} to {MAX_FINGERPRINT_BITS}, got {bits}"
        )
    exact = place_keys(keys)
    if not exact.size:
        return np.empty(0, dtype=np.uint8)
    salt = int(exact[-1]) & _WORD
    fingerprints = np.zeros(exact.size - 1, dtype="<u4")
    fingerprints[find_positions(keys, exact)] = _fingerprints(keys, salt, bits)
    each = np.unpackbits(fingerprints.view(np.uint8).reshape(-1, 4), axis=1, count=bits, bitorder="little")
    packed = np.packbits(each.reshape(-1), bitorder="little")
    return np.concatenate([packed, np.frombuffer(salt.to_bytes(_SALT_BYTES, "little"), dtype=np.uint8)])


def find_fingerprints(keys: Int64s, dictionary: Bytes, bits: int) -> Int64s:
    """Look keys up.

    The lines of a key are those of `find_positions`. Its fingerprint is the highest bits of ``mix64(h)``, or 1
    where they are 0. The first place that holds it counts, in the first line before the second.

    Args:
        keys: int64[N].
        dictionary: The dictionary from `place_fingerprints`.
        bits: The bits of a fingerprint.

    Returns:
        int64[N], the position of each key, or -1.
    """
    out = np.full(keys.size, -1, dtype=np.int64)
    if not dictionary.size:
        return out
    salt = int.from_bytes(dictionary[-_SALT_BYTES:].tobytes(), "little")
    lines = dictionary[:-_SALT_BYTES].reshape(-1, bits)  # eight fingerprints of some bits are as many bytes
    wanted = _fingerprints(keys, salt, bits)
    for line in reversed(lines_of(keys, len(lines), salt)):
        matches = _unpacked(lines[line], bits) == wanted[:, None]
        found = matches.any(axis=1)
        out[found] = line[found] * LINE_KEYS + matches[found].argmax(axis=1)
    return out


def _unpacked(lines: Bytes, bits: int) -> npt.NDArray[np.uint32]:
    """Return the fingerprints of some lines, uint32[N, 8]."""
    each = np.unpackbits(lines, axis=1, bitorder="little").reshape(-1, bits)
    padded = np.zeros((len(each), 32), dtype=np.uint8)
    padded[:, :bits] = each
    words: npt.NDArray[np.uint32] = np.packbits(padded, axis=1, bitorder="little").view("<u4")
    return words.reshape(-1, LINE_KEYS)


def _fingerprints(keys: Int64s, salt: int, bits: int) -> npt.NDArray[np.uint32]:
    h = np.ascontiguousarray(keys).view(np.uint64) + np.uint64(salt)
    mix64_in_place(h)
    mix64_in_place(h)
    found: npt.NDArray[np.uint32] = np.maximum(h >> np.uint64(64 - bits), np.uint64(1)).astype(np.uint32)
    return found
