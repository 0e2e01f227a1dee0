"""Shares of the keys, and of the traffic, whose rows are their own, partly shared, or all shared.

The paper counts collisions per bucket; what a model feels is how much of its traffic reads a row that
another key also trains. All keys of the tail are alike to a hash function, so the traffic of the tail
splits as its keys do.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hybridhash.errors import InvalidTypeError, InvalidValueError
from hybridhash.theory.arguments import tail_size, whole
from hybridhash.theory.collisions import survival
from hybridhash.theory.vectors import Combine, check_combine, row_patterns


@dataclass(frozen=True)
class KeyShares:
    """Expected shares of the keys; they add up to 1.

    Attributes:
        exclusive: No row of the key is a row of another key.
        half_shared: Some row is, and yet no other key has the same vector.
        fully_shared: Another key has the same vector. With one hash, all that is not exclusive.
    """

    exclusive: float
    half_shared: float
    fully_shared: float


@dataclass(frozen=True)
class TrafficShares:
    """Expected shares of the traffic; they add up to 1.

    Attributes:
        exclusive: The share of keys none of whose rows is read by another key.
        half_shared: The share of keys that share a row with another key and still have a vector of their own.
        fully_shared: The share of keys that have the same vector as another key.
    """

    exclusive: float
    half_shared: float
    fully_shared: float


def key_shares(
    num_keys: int, num_head: int, num_buckets: int, num_hashes: int = 2, combine: Combine = "sum"
) -> KeyShares:
    """Return the expected shares of the keys that share no row, some row, or their whole vector.

    This is the rate per key beside the paper's rate per bucket. With one hash a key is fully shared
    with probability ``1 - (1 - 1/B)**(n - K - 1)``. With H hashes a key with d different rows is
    exclusive with probability ``(1 - d/B)**(H (n - K - 1))``.

    Args:
        num_keys: Distinct keys, n.
        num_head: Keys with a row of their own, K; they are exclusive.
        num_buckets: Shared rows, B; may be 0 if no key is left to them.
        num_hashes: Independent hash functions, H.
        combine: How the rows of a key become one vector; under sum and mean their order is lost.

    Returns:
        The shares.

    Raises:
        InvalidTypeError: A number is not an integer.
        InvalidValueError: There are no keys, a number is negative, the head is larger than the keys, a tail
            has no bucket, ``num_hashes`` is below 1, or ``combine`` is another word.

    Source: not in the paper.

    Example:
        >>> shares = key_shares(1000, num_head=0, num_buckets=1000, num_hashes=1)
        >>> round(shares.exclusive, 3), shares.half_shared, round(shares.fully_shared, 3)
        (0.368, 0.0, 0.632)
    """
    keys = whole("num_keys", num_keys, at_least=1)
    tail = tail_size(keys, num_head, num_buckets)
    of_tail = _tail_shares(tail, num_buckets, num_hashes, combine)
    tail_share = tail / keys
    return KeyShares(
        exclusive=(keys - tail) / keys + tail_share * of_tail.exclusive,
        half_shared=tail_share * of_tail.half_shared,
        fully_shared=tail_share * of_tail.fully_shared,
    )


def traffic_shares(
    counts: npt.ArrayLike, num_head: int, num_buckets: int, num_hashes: int = 2, combine: Combine = "sum"
) -> TrafficShares:
    """Return the expected shares of the traffic that reads exclusive, partly shared or fully shared rows.

    Args:
        counts: [n] the traffic of each distinct key, in any order: integers, or weights of 0 or more. A
            key of count 0 has no traffic and still takes its rows.
        num_head: How many keys, those of the largest counts, have a row of their own.
        num_buckets: Shared rows, B; may be 0 if no key is left to them.
        num_hashes: Independent hash functions, H.
        combine: How the rows of a key become one vector; under sum and mean their order is lost.

    Returns:
        The shares.

    Raises:
        InvalidTypeError: The counts are not numbers, or another number is not an integer.
        InvalidValueError: The counts are not 1-D, negative, not finite or all 0, a number is negative, the
            head is larger than the keys, a tail has no bucket, ``num_hashes`` is below 1, or ``combine`` is
            another word.

    Source: not in the paper.

    Example:
        >>> shares = traffic_shares([900, 50, 50], num_head=1, num_buckets=1, num_hashes=1)
        >>> shares.exclusive, shares.fully_shared
        (0.9, 0.1)
    """
    traffic = _traffic(counts)
    tail = tail_size(traffic.size, num_head, num_buckets)
    of_tail = _tail_shares(tail, num_buckets, num_hashes, combine)
    # The smallest counts come first.
    tail_traffic = float(np.partition(traffic, tail - 1)[:tail].sum()) if tail else 0.0
    tail_share = tail_traffic / float(traffic.sum())
    return TrafficShares(
        exclusive=1 - tail_share * (of_tail.half_shared + of_tail.fully_shared),
        half_shared=tail_share * of_tail.half_shared,
        fully_shared=tail_share * of_tail.fully_shared,
    )


def _traffic(counts: npt.ArrayLike) -> npt.NDArray[np.float64]:
    traffic = np.asarray(counts)
    if traffic.dtype.kind not in "uif":
        raise InvalidTypeError(
            f"counts: expected integers or floats, got {traffic.dtype}; pass one count per key"
        )
    if traffic.ndim != 1:
        raise InvalidValueError(f"counts: expected a 1-D array, one count per key, got shape {traffic.shape}")
    values = traffic.astype(np.float64)
    wrong = ~(np.isfinite(values) & (values >= 0))
    if wrong.any():
        raise InvalidValueError(
            f"counts: expected finite numbers of 0 or more, got {values[wrong][0]} at {int(np.argmax(wrong))}"
        )
    if not values.any():
        raise InvalidValueError("counts: expected some traffic, got none; a share of nothing is undefined")
    return values


def _tail_shares(num_tail: int, num_buckets: int, num_hashes: int, combine: Combine) -> KeyShares:
    hashes = whole("num_hashes", num_hashes, at_least=1)
    check_combine(combine)
    if num_tail <= 1:
        return KeyShares(exclusive=1.0, half_shared=0.0, fully_shared=0.0)
    buckets, others = whole("num_buckets", num_buckets), num_tail - 1
    sequences = buckets**hashes
    alone, some, same, apart = [], [], [], []
    for pattern in row_patterns(buckets, hashes):
        weight = pattern.num_orders * pattern.num_multisets / sequences
        ways = 1 if combine == "concat" else pattern.num_orders
        alone.append(weight * survival(hashes * others, pattern.num_rows, buckets))
        some.append(weight * _hit(hashes * others, pattern.num_rows, buckets))
        apart.append(weight * survival(others, ways, sequences))
        same.append(weight * _hit(others, ways, sequences))
    exclusive, fully_shared = math.fsum(alone), math.fsum(same)
    if hashes == 1:
        half_shared = 0.0
    elif fully_shared < 0.5:
        half_shared = math.fsum(some) - fully_shared
    else:
        half_shared = math.fsum(apart) - exclusive
    return KeyShares(exclusive, half_shared, fully_shared)


def _hit(num_trials: int, ways: int, outcomes: int) -> float:
    """Return ``1 - (1 - p)**num_trials``, small or not."""
    if ways == outcomes:
        return float(num_trials > 0)
    return -math.expm1(num_trials * math.log1p(-(ways / outcomes)))
