"""Expected collisions and the paper's collision rates of every method, per bucket.

A collision is a key that finds its bucket taken: n keys in k occupied buckets are n - k collisions.
"""

import math

from hybridhash.theory.arguments import tail_size, whole


def excess(num_keys: int, ways: int, outcomes: int, scale: int) -> float:
    """Return ``scale * (n p - 1 + (1 - p)**n)`` for ``p = ways / outcomes``, without cancellation.

    It is the expected number of keys, beyond the first, at a place that each of n keys takes with
    probability p, times ``scale`` such places. Below ``n p = 1`` it is the binomial series
    ``sum((-1)**k C(n, k) p**k for k >= 2)``, whose first term is exact; above, nothing cancels.

    Args:
        num_keys: Keys, n.
        ways: Numerator of p, at least 1.
        outcomes: Denominator of p, at least ``ways``.
        scale: A factor, at least 0.

    Returns:
        A number of 0 or more, to a relative error of about 1e-14.
    """
    n = num_keys
    if n * ways > outcomes:
        return scale * (n * ways / outcomes - 1 + survival(n, ways, outcomes))
    term = scale * ways**2 * n * (n - 1) / (2 * outcomes**2)
    total, k = term, 2
    while abs(term) > 1e-18 * total:
        k += 1
        term *= -ways * (n - k + 1) / (k * outcomes)
        total += term
    return total


def survival(num_trials: int, ways: int, outcomes: int) -> float:
    """Return ``(1 - p)**num_trials`` for ``p = ways / outcomes``.

    Args:
        num_trials: The number of trials, 0 or more.
        ways: Numerator of p.
        outcomes: Denominator of p, at least ``ways``.

    Returns:
        A probability.
    """
    if ways == outcomes:
        return float(num_trials == 0)
    return math.exp(num_trials * math.log1p(-(ways / outcomes)))


def expected_collisions(num_keys: int, num_buckets: int) -> float:
    """Return the expected number of collisions, ``n - B + B (1 - 1/B)**n``.

    Args:
        num_keys: Distinct keys hashed, n.
        num_buckets: Equally likely buckets, B; any size (``B**2`` for two hashes).

    Returns:
        Keys beyond the first in their bucket, exact to about 14 digits at any size.

    Raises:
        InvalidTypeError: A number is not an integer.
        InvalidValueError: ``num_keys`` is negative or ``num_buckets`` below 1.

    Source: Zhang et al. 2020, section 3.1, the second equation.

    Example:
        >>> expected_collisions(2, 365) == 1 / 365
        True
    """
    n, buckets = whole("num_keys", num_keys), whole("num_buckets", num_buckets, at_least=1)
    return excess(n, 1, buckets, scale=buckets)


def collision_rate(num_keys: int, num_buckets: int) -> float:
    """Return the expected collisions per bucket, ``r_col = n/B - 1 + (1 - 1/B)**n``: regular hashing.

    The denominator is buckets, not keys, so it passes 1 when there are many more keys than buckets,
    and looks small when most buckets are empty. For a share of the keys see `key_shares`.

    Args:
        num_keys: Distinct keys hashed, n.
        num_buckets: Equally likely buckets, B.

    Returns:
        Collisions per bucket.

    Raises:
        InvalidTypeError: A number is not an integer.
        InvalidValueError: ``num_keys`` is negative or ``num_buckets`` below 1.

    Source: Zhang et al. 2020, section 3.1, the third equation; Table 1, regular hashing.

    Example:
        >>> round(collision_rate(4_000_000, 2**22), 2)
        0.34
    """
    n, buckets = whole("num_keys", num_keys), whole("num_buckets", num_buckets, at_least=1)
    return excess(n, 1, buckets, scale=1)


def double_collision_rate(num_keys: int, num_buckets: int, num_hashes: int = 2) -> float:
    """Return the full collisions per possible tuple of buckets, `collision_rate` at ``B**H`` buckets.

    A full collision is a key all of whose buckets, in order, were taken together before. That is an
    equal vector under concat; a sum has more of them (`expected_vector_collisions`). The denominator is
    ``B**H`` tuples, far more than there are rows or keys.

    Args:
        num_keys: Distinct keys hashed, n.
        num_buckets: Rows that the hashes share, B.
        num_hashes: Independent hash functions, H; 2 in the paper.

    Returns:
        Collisions per tuple.

    Raises:
        InvalidTypeError: A number is not an integer.
        InvalidValueError: ``num_keys`` is negative, or ``num_buckets`` or ``num_hashes`` below 1.

    Source: Zhang et al. 2020, section 3.2; Table 1, double hashing.

    Example:
        >>> double_collision_rate(1000, 16) == collision_rate(1000, 256)
        True
    """
    buckets = whole("num_buckets", num_buckets, at_least=1)
    return collision_rate(num_keys, buckets ** whole("num_hashes", num_hashes, at_least=1))


def frequency_collision_rate(num_keys: int, num_head: int, num_buckets: int) -> float:
    """Return the collisions per bucket of the tail of frequency hashing: a head, and one hash.

    The paper's Table 1 prints 0, which is the case where every key is in the head. Its section 3.3
    leaves the other keys "some additional but less hashing space"; this is the rate in that space.

    Args:
        num_keys: Distinct keys, n.
        num_head: Keys with a row of their own, K.
        num_buckets: Shared rows, B; may be 0 if no key is left to them.

    Returns:
        Collisions per bucket; 0 if every key is in the head.

    Raises:
        InvalidTypeError: A number is not an integer.
        InvalidValueError: A number is negative, the head is larger than the keys, or a tail has no bucket.

    Source: Zhang et al. 2020, section 3.3; Table 1, frequency hashing (``num_head == num_keys``).

    Example:
        >>> frequency_collision_rate(1000, num_head=1000, num_buckets=0)
        0.0
    """
    tail = tail_size(num_keys, num_head, num_buckets)
    return collision_rate(tail, num_buckets) if tail else 0.0


def hybrid_collision_rate(num_keys: int, num_head: int, num_buckets: int, num_hashes: int = 2) -> float:
    """Return the full collisions per tuple of buckets of hybrid hashing: a head, and H hashes.

    It is `double_collision_rate` of the keys outside the head; Table 2 calls it the full collision rate.

    Args:
        num_keys: Distinct keys, n.
        num_head: Keys with a row of their own, K.
        num_buckets: Shared rows, B; may be 0 if no key is left to them.
        num_hashes: Independent hash functions, H; 2 in the paper.

    Returns:
        Collisions per tuple; 0 if every key is in the head.

    Raises:
        InvalidTypeError: A number is not an integer.
        InvalidValueError: A number is negative, the head is larger than the keys, a tail has no bucket, or
            ``num_hashes`` is below 1.

    Source: Zhang et al. 2020, section 3.4; Table 1, hybrid hashing; Table 2, full collision rate.

    Example:
        >>> f"{hybrid_collision_rate(4_000_000, 105_000, 2**20):.3g}"
        '6.27e-12'
    """
    whole("num_hashes", num_hashes, at_least=1)
    tail = tail_size(num_keys, num_head, num_buckets)
    return double_collision_rate(tail, num_buckets, num_hashes) if tail else 0.0


def half_collision_rate(num_keys: int, num_head: int, num_buckets: int) -> float:
    """Return the collisions per bucket of one of the hash functions over the tail: the half collisions.

    The paper does not print a formula. Its Table 2 fits this one: expected collisions per bucket of a
    single hash, those that are full collisions included, and above 1 where keys outnumber buckets.

    Args:
        num_keys: Distinct keys, n.
        num_head: Keys with a row of their own, K.
        num_buckets: Shared rows, B; may be 0 if no key is left to them.

    Returns:
        Collisions per bucket; 0 if every key is in the head.

    Raises:
        InvalidTypeError: A number is not an integer.
        InvalidValueError: A number is negative, the head is larger than the keys, or a tail has no bucket.

    Source: Zhang et al. 2020, section 3.4; Table 2, half collision rate.

    Example:
        >>> round(half_collision_rate(4_000_000, 105_000, 2**20), 2)
        2.74
    """
    return frequency_collision_rate(num_keys, num_head, num_buckets)
