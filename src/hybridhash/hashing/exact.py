"""The dictionary of head keys: lines of eight keys, two of them for each key; a position is a row.

A line is a cache line of 64 bytes, so a look-up reads two cache lines at most. Nothing is kept beside the keys: the
position of a key is the number of its row, so the dictionary costs 8 bytes a position. A few per cent of the
positions stay free, which is what finding a place for every key takes; a free position holds a number that
is looked for in other lines.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from hybridhash import _native
from hybridhash.errors import InvalidValueError
from hybridhash.hashing.mix import UInt64s, mix64_in_place, splitmix64

Int64s = npt.NDArray[np.int64]

LINE_KEYS: Final = 8
_MOST_KEYS_PER_LINE: Final = 7.6  # on average: a load of 0.95
_SPARE_LINES: Final = 2  # so that few keys find a place as surely as many
_SEED: Final = 0x68796272696468  # any fixed number: salts are tried in the order of its SplitMix64 stream
_WORD: Final = (1 << 64) - 1


def num_positions(num_keys: int) -> int:
    """Return how many positions, and so how many rows, a dictionary of this many keys has.

    Args:
        num_keys: K, 0 or more.

    Returns:
        0 for no keys, otherwise a multiple of 8: about K / 0.95.

    Example:
        >>> num_positions(0), num_positions(1), num_positions(1_000_000)
        (0, 24, 1052648)
    """
    if num_keys == 0:
        return 0
    return LINE_KEYS * (int(np.ceil(num_keys / _MOST_KEYS_PER_LINE)) + _SPARE_LINES)


def keys_that_fit(positions: int) -> int:
    """Return the most keys whose dictionary has no more than this many positions."""
    lines = positions // LINE_KEYS - _SPARE_LINES
    num_keys = max(int(lines * _MOST_KEYS_PER_LINE), 0)
    return num_keys if num_positions(num_keys) <= positions else num_keys - 1


def dictionary_words(num_keys: int) -> int:
    """Return the length of the int64 array that holds a dictionary: its positions, then the salt."""
    positions = num_positions(num_keys)
    return positions + 1 if positions else 0


def dictionary_salts(count: int) -> list[int]:
    """Return the salts that are tried in turn until all keys have a place."""
    return list(splitmix64(_SEED, count))


def place_keys(keys: Int64s) -> Int64s:
    """Build a dictionary.

    A key goes to its first line while that has fewer than four keys, else to the emptier of its two; if both are
    full, a key there is moved to its other line, and so on (bucketised cuckoo hashing). The first four keys of a
    line are not moved, so that most look-ups of important keys end in their first line.

    Args:
        keys: int64[K], distinct, the most important first.

    Returns:
        int64[`dictionary_words` (K)]: per position its key, and the salt at the end.

    Raises:
        InvalidValueError: The keys are not distinct.
    """
    words = dictionary_words(keys.size)
    if not words:
        return np.empty(0, dtype=np.int64)
    dictionary = _at_cache_line(words)
    for salt in dictionary_salts(64):
        dictionary[-1] = salt - (1 << 64) if salt >> 63 else salt
        try:
            if _native.place_keys(np.ascontiguousarray(keys), dictionary):
                return dictionary
        except ValueError as error:
            raise InvalidValueError(f"{error}; a key has one row") from error
    raise InvalidValueError(
        f"keys: expected keys that spread over lines, found no place for {keys.size} of them"
    )


def _at_cache_line(words: int) -> Int64s:
    """Return int64[words], not filled, in which each line of eight keys is one cache line."""
    room = np.empty(words + LINE_KEYS, dtype=np.int64)
    first = -(room.ctypes.data // room.itemsize) % LINE_KEYS
    return room[first : first + words]


def find_positions(keys: Int64s, dictionary: Int64s) -> Int64s:
    """Look keys up.

    The lines of a key are the two halves of ``h = mix64(key + salt)``: ``reduce(h)`` and
    ``reduce(h with its 32-bit halves swapped)``, where ``reduce(x)`` is the high word of
    ``x * number of lines``.

    Args:
        keys: int64[N].
        dictionary: The dictionary from `place_keys`.

    Returns:
        int64[N], the position of each key, or -1.
    """
    if not dictionary.size:
        return np.full(keys.size, -1, dtype=np.int64)
    positions = dictionary[:-1].reshape(-1, LINE_KEYS)
    out = np.full(keys.size, -1, dtype=np.int64)
    for line in reversed(lines_of(keys, positions.shape[0], int(dictionary[-1]) & _WORD)):
        matches = positions[line] == keys[:, None]
        found = matches.any(axis=1)
        out[found] = line[found] * LINE_KEYS + matches[found].argmax(axis=1)
    return out


def lines_of(keys: Int64s, num_lines: int, salt: int) -> tuple[Int64s, Int64s]:
    """Return the two lines of each key, int64[N] twice; see `find_positions`."""
    h = np.ascontiguousarray(keys).view(np.uint64) + np.uint64(salt)
    mix64_in_place(h)
    swapped = (h << np.uint64(32)) | (h >> np.uint64(32))
    return reduce_hashes(h, num_lines), reduce_hashes(swapped, num_lines)


def reduce_hashes(h: UInt64s, count: int) -> Int64s:
    """Return the high word of ``h * count``, int64[N], for a count of at most 2**31."""
    factor = np.uint64(count)
    carry = ((h & np.uint64(0xFFFFFFFF)) * factor) >> np.uint64(32)
    return (((h >> np.uint64(32)) * factor + carry) >> np.uint64(32)).astype(np.int64)
