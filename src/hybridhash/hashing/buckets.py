"""Keys to buckets: the hash functions of the shared rows."""

from typing import Final

import numpy as np
import numpy.typing as npt

from hybridhash.errors import InvalidTypeError, InvalidValueError
from hybridhash.hashing.mix import WORD, mix64_in_place, splitmix64

MAX_BUCKETS: Final = 1 << 31


def bucket_salts(num_hashes: int, seed: int = 0) -> list[int]:
    """Return one salt per hash function: the first outputs of SplitMix64 started at ``seed``.

    Args:
        num_hashes: How many hash functions, at least 1.
        seed: The seed, in [0, 2**64).

    Returns:
        ``num_hashes`` integers in [0, 2**64).

    Raises:
        InvalidValueError: The seed or ``num_hashes`` is out of range.
    """
    if num_hashes < 1:
        raise InvalidValueError(f"num_hashes: expected an integer of 1 or more, got {num_hashes}")
    if not 0 <= seed <= WORD:
        raise InvalidValueError(f"seed: expected an integer in [0, 2**64), got {seed}")
    return list(splitmix64(seed, num_hashes))


def hash_buckets(
    keys: npt.NDArray[np.int64], num_buckets: int, num_hashes: int = 1, seed: int = 0
) -> npt.NDArray[np.int64]:
    """Give every key one bucket per hash function.

    Hash i of a key is ``mix64(key + salt_i)``; its bucket is the high word of the 128-bit product
    ``hash * num_buckets`` (multiply-shift), so no bucket is favoured by more than 1 in 2**33.

    Args:
        keys: int64[N].
        num_buckets: The number of buckets, in [1, 2**31].
        num_hashes: How many independent hash functions, at least 1.
        seed: The seed, in [0, 2**64).

    Returns:
        int64[N, num_hashes], each in [0, num_buckets).

    Raises:
        InvalidTypeError: The keys are not int64.
        InvalidValueError: The keys are not 1-D, or ``num_buckets``, ``num_hashes`` or the seed is out of
            range.

    Source: Zhang et al. 2020, section 3.2, the functions h1 and h2.

    Example:
        >>> hash_buckets(np.array([0, 1]), num_buckets=1000, num_hashes=2).tolist()
        [[281, 802], [916, 35]]
    """
    if not 1 <= num_buckets <= MAX_BUCKETS:
        raise InvalidValueError(f"num_buckets: expected an integer in [1, 2**31], got {num_buckets}")
    if keys.dtype != np.int64:
        raise InvalidTypeError(f"keys: expected int64, got {keys.dtype}; make them with hash_keys")
    if keys.ndim != 1:
        raise InvalidValueError(f"keys: expected a 1-D array, got shape {keys.shape}; flatten it first")
    salts = bucket_salts(num_hashes, seed)
    out = np.empty((keys.size, num_hashes), dtype=np.int64)
    words = np.ascontiguousarray(keys).view(np.uint64)
    factor = np.uint64(num_buckets)
    for index, salt in enumerate(salts):
        h = words + np.uint64(salt)
        mix64_in_place(h)
        # high * factor stays below 2**63 and the carry below 2**31, so 64 bits hold the sum.
        carry = ((h & np.uint64(0xFFFFFFFF)) * factor) >> np.uint64(32)
        out[:, index] = ((h >> np.uint64(32)) * factor + carry) >> np.uint64(32)
    return out
