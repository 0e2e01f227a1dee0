"""The dictionary of head keys: buckets of eight keys, two of which a key may stand in; a position is a row.

A look-up touches two cache lines of 64 bytes, whatever the key. Nothing is kept beside the keys: the
position of a key is the number of its row, so the dictionary costs 8 bytes a position. A few per cent of the
positions stay free, which is what finding a place for every key takes; a free position holds a number that
is looked for in other buckets.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from hybridhash import _native
from hybridhash.errors import InvalidValueError
from hybridhash.hashing.mix import UInt64s, mix64_in_place, splitmix64

Int64s = npt.NDArray[np.int64]

BUCKET_KEYS: Final = 8
_MOST_KEYS_PER_BUCKET: Final = 7.6  # on average: a load of 0.95
_SPARE_BUCKETS: Final = 2  # so that few keys find a place as surely as many
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
    return BUCKET_KEYS * (int(np.ceil(num_keys / _MOST_KEYS_PER_BUCKET)) + _SPARE_BUCKETS)


def keys_that_fit(positions: int) -> int:
    """Return the most keys whose dictionary has no more than this many positions."""
    buckets = positions // BUCKET_KEYS - _SPARE_BUCKETS
    num_keys = max(int(buckets * _MOST_KEYS_PER_BUCKET), 0)
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

    A key goes to its first bucket while that has fewer than four keys, else to the emptier of its two; if both are
    full, a key there is moved to its other bucket, and so on (cuckoo hashing with buckets). The first four keys of a
    bucket are not moved, so that most look-ups of important keys end in their first bucket.

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
        f"keys: expected keys that spread over buckets, found no place for {keys.size} of them"
    )


def _at_cache_line(words: int) -> Int64s:
    """Return int64[words], not filled, in which a bucket is one cache line and not parts of two."""
    room = np.empty(words + BUCKET_KEYS, dtype=np.int64)
    first = -(room.ctypes.data // room.itemsize) % BUCKET_KEYS
    return room[first : first + words]


def find_positions(keys: Int64s, dictionary: Int64s) -> Int64s:
    """Look keys up.

    The buckets of a key are the two halves of ``h = mix64(key + salt)``: ``reduce(h)`` and
    ``reduce(h with its 32-bit halves swapped)``, where ``reduce(x)`` is the high word of
    ``x * number of buckets``.

    Args:
        keys: int64[N].
        dictionary: The dictionary from `place_keys`.

    Returns:
        int64[N], the position of each key, or -1.
    """
    if not dictionary.size:
        return np.full(keys.size, -1, dtype=np.int64)
    positions = dictionary[:-1].reshape(-1, BUCKET_KEYS)
    out = np.full(keys.size, -1, dtype=np.int64)
    for bucket in reversed(buckets_of(keys, positions.shape[0], int(dictionary[-1]) & _WORD)):
        matches = positions[bucket] == keys[:, None]
        found = matches.any(axis=1)
        out[found] = bucket[found] * BUCKET_KEYS + matches[found].argmax(axis=1)
    return out


def buckets_of(keys: Int64s, num_buckets: int, salt: int) -> tuple[Int64s, Int64s]:
    """Return the two buckets of each key, int64[N] twice; see `find_positions`."""
    h = np.ascontiguousarray(keys).view(np.uint64) + np.uint64(salt)
    mix64_in_place(h)
    swapped = (h << np.uint64(32)) | (h >> np.uint64(32))
    return reduce_hashes(h, num_buckets), reduce_hashes(swapped, num_buckets)


def reduce_hashes(h: UInt64s, num_buckets: int) -> Int64s:
    """Return the high word of ``h * num_buckets``, int64[N], for at most 2**31 buckets."""
    factor = np.uint64(num_buckets)
    carry = ((h & np.uint64(0xFFFFFFFF)) * factor) >> np.uint64(32)
    return (((h >> np.uint64(32)) * factor + carry) >> np.uint64(32)).astype(np.int64)
