"""XXH64 over many byte strings at once, in numpy: the definition of string keys.

It follows the public specification of XXH64 (Collet, ``xxhash_spec.md``) and is tested against the
``xxhash`` package. The compiled kernels compute the same and are tested against this.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from hybridhash.hashing.mix import UInt64s

Bytes = npt.NDArray[np.uint8]
Offsets = npt.NDArray[np.int64]

_P1: Final = np.uint64(0x9E3779B185EBCA87)
_P2: Final = np.uint64(0xC2B2AE3D27D4EB4F)
_P3: Final = np.uint64(0x165667B19E3779F9)
_P4: Final = np.uint64(0x85EBCA77C2B2AE63)
_P5: Final = np.uint64(0x27D4EB2F165667C5)
_BLOCK: Final = 1 << 14  # strings per pass
_PADDING: Final = 16  # readable bytes that the word loads need behind the last string


def xxh64(data: Bytes, starts: Offsets, lengths: Offsets, seed: int) -> UInt64s:
    """Hash each byte string with XXH64.

    Args:
        data: uint8[num_bytes], the strings' bytes in one buffer.
        starts: int64[N], where each string begins in ``data``.
        lengths: int64[N], how many bytes each string has.
        seed: The 64-bit seed shared by all strings.

    Returns:
        uint64[N].
    """
    out = np.empty(starts.size, dtype=np.uint64)
    words = _as_words(data)
    seed_word = np.uint64(seed)
    with np.errstate(over="ignore"):
        for first in range(0, starts.size, _BLOCK):
            block = slice(first, first + _BLOCK)
            out[block] = _xxh64_block(words, starts[block], lengths[block], seed_word)
    return out


def _as_words(data: Bytes) -> UInt64s:
    """Copy the bytes into little-endian words with room to read past the end."""
    padded = np.zeros((data.size + _PADDING + 7) // 8 * 8, dtype=np.uint8)
    padded[: data.size] = data
    return padded.view("<u8").astype(np.uint64, copy=False)


def _load64(words: UInt64s, position: Offsets) -> UInt64s:
    """Read the 8 bytes at any byte position, as two aligned words put together."""
    index = position >> 3
    shift = ((position & 7) << 3).astype(np.uint64)
    low: UInt64s = words[index] >> shift
    # A shift by 64 is undefined, so the upper word moves in two steps.
    high: UInt64s = (words[index + 1] << np.uint64(1)) << (np.uint64(63) - shift)
    return low | high


def _rotl(x: UInt64s, bits: int) -> UInt64s:
    return (x << np.uint64(bits)) | (x >> np.uint64(64 - bits))


def _round(accumulator: UInt64s, lane: UInt64s) -> UInt64s:
    return _rotl(accumulator + lane * _P2, 31) * _P1


def _merge(h: UInt64s, accumulator: UInt64s) -> UInt64s:
    return (h ^ _round(np.zeros_like(accumulator), accumulator)) * _P1 + _P4


def _xxh64_block(words: UInt64s, starts: Offsets, lengths: Offsets, seed: np.uint64) -> UInt64s:
    h = np.full(starts.size, seed + _P5, dtype=np.uint64)
    position = starts.astype(np.int64, copy=True)
    long = np.flatnonzero(lengths >= 32)
    if long.size:
        h[long] = _stripes(words, starts[long], lengths[long] >> 5, seed)
        position[long] += lengths[long] & ~31
    h += lengths.astype(np.uint64)

    left = lengths & 31
    for lane in range(3):
        at = np.flatnonzero(left >= 8 * (lane + 1))
        if not at.size:
            break
        word = _load64(words, position[at])
        mixed = h[at] ^ _round(np.zeros_like(word), word)
        h[at] = _rotl(mixed, 27) * _P1 + _P4
        position[at] += 8

    at = np.flatnonzero(left & 4)
    if at.size:
        word = _load64(words, position[at]) & np.uint64(0xFFFFFFFF)
        h[at] = _rotl(h[at] ^ (word * _P1), 23) * _P2 + _P3
        position[at] += 4

    left = left & 3
    tail = _load64(words, position)
    for index in range(3):
        at = np.flatnonzero(left > index)
        if not at.size:
            break
        byte = (tail[at] >> np.uint64(8 * index)) & np.uint64(0xFF)
        h[at] = _rotl(h[at] ^ (byte * _P5), 11) * _P1

    h ^= h >> np.uint64(33)
    h *= _P2
    h ^= h >> np.uint64(29)
    h *= _P3
    h ^= h >> np.uint64(32)
    return h


def _stripes(words: UInt64s, starts: Offsets, num_stripes: Offsets, seed: np.uint64) -> UInt64s:
    """Run the four accumulators over the 32-byte stripes of strings that have at least one."""
    initial = (seed + _P1 + _P2, seed + _P2, seed, seed - _P1)
    accumulators = [np.full(starts.size, value, dtype=np.uint64) for value in initial]
    for stripe in range(int(num_stripes.max())):
        at = np.flatnonzero(num_stripes > stripe)
        for lane, accumulator in enumerate(accumulators):
            word = _load64(words, starts[at] + (32 * stripe + 8 * lane))
            accumulator[at] = _round(accumulator[at], word)
    h = sum(
        (_rotl(a, bits) for a, bits in zip(accumulators, (1, 7, 12, 18), strict=True)), start=np.uint64(0)
    )
    merged: UInt64s = np.asarray(h, dtype=np.uint64)
    for accumulator in accumulators:
        merged = _merge(merged, accumulator)
    return merged
