"""Integers of a few bits one behind the other."""

from typing import Final

import numpy as np
import numpy.typing as npt

from hybridhash.errors import InvalidValueError

Bytes = npt.NDArray[np.uint8]

SLACK_BYTES: Final = 7  # so that any integer can be read as part of eight bytes
_WIDEST: Final = 32
_CHUNK: Final = 1 << 17  # integers at a time; a multiple of 8, so that chunks end with a whole byte


def packed_bytes(count: int, bits: int) -> int:
    """Return the length of the array that holds packed integers.

    Args:
        count: Integers.
        bits: The bits of each integer, in [1, 32].

    Returns:
        Bytes: what the bits take, and seven more where they are fewer than 32, so that a reader may load eight
        bytes anywhere; 0 for no integers.
    """
    if not count:
        return 0
    return 4 * count if bits == _WIDEST else -(-count * bits // 8) + SLACK_BYTES


def pack_integers(values: npt.NDArray[np.uint32], bits: int) -> Bytes:
    """Pack integers bit by bit: integer i is bits ``[i * bits, (i + 1) * bits)``, the lowest first.

    Args:
        values: uint32[N], each below ``2**bits``.
        bits: The bits, in [1, 32].

    Returns:
        uint8[`packed_bytes`].

    Raises:
        InvalidValueError: ``bits`` out of range, or a value that needs more.
    """
    if not 1 <= bits <= _WIDEST:
        raise InvalidValueError(f"bits: expected 1 to {_WIDEST}, got {bits}")
    if values.size and int(values.max()) >> bits:
        raise InvalidValueError(f"values: expected numbers below 2**{bits}, got {int(values.max())}")
    out = np.zeros(packed_bytes(values.size, bits), dtype=np.uint8)
    for start in range(0, values.size, _CHUNK):
        part = np.ascontiguousarray(values[start : start + _CHUNK], dtype="<u4")
        each = np.unpackbits(part.view(np.uint8).reshape(-1, 4), axis=1, count=bits, bitorder="little")
        packed = np.packbits(each.reshape(-1), bitorder="little")
        first = start * bits // 8
        out[first : first + packed.size] = packed
    return out


def unpack_integers(packed: Bytes, bits: int, indices: npt.NDArray[np.int64]) -> npt.NDArray[np.uint32]:
    """Read packed integers.

    Args:
        packed: The packed array from `pack_integers`.
        bits: The bits of each integer.
        indices: int64, any shape: which to read.

    Returns:
        uint32, the shape of ``indices``.
    """
    first_bit = indices * bits
    byte, shift = first_bit >> 3, (first_bit & 7).astype(np.uint64)
    word = np.zeros(indices.shape, dtype=np.uint64)
    for place in range(bits // 8 if bits % 8 == 0 else (bits + 14) // 8):  # bytes that an integer may touch
        word |= packed[byte + place].astype(np.uint64) << np.uint64(8 * place)
    return ((word >> shift) & np.uint64((1 << bits) - 1)).astype(np.uint32)
