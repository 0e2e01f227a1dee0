"""The birthday problem: the probability that any two of the keys share a bucket."""

import math
from typing import Final

import numpy as np

from hybridhash.theory.arguments import whole

_CERTAIN: Final = 40  # 1 - exp(-40) is 1.0 in float64
_MAX_SUMMED: Final = 1 << 16  # keys up to which the logarithms are added one by one


def birthday_probability(num_keys: int, num_buckets: int) -> float:
    """Return the probability of one or more collisions, ``1 - B! / ((B - n)! B**n)``.

    The factorials are never formed. Up to 2**16 keys it is ``-expm1(sum(log1p(-i / B)))``. Beyond, the
    sum is Stirling's series with its large terms cancelled by hand, where ``y = n / B`` is below 0.002
    or the answer is 1 to the last bit: ``log1p(-y) / -2 - B * (y**2 / 2 + y**3 / 6 + y**4 / 12 + ...)``.
    The relative error stays below 1e-12.

    Args:
        num_keys: Distinct keys hashed, n.
        num_buckets: Equally likely buckets, B; any size (``B**2`` for two hashes).

    Returns:
        A probability.

    Raises:
        InvalidTypeError: A number is not an integer.
        InvalidValueError: ``num_keys`` is negative or ``num_buckets`` below 1.

    Source: Zhang et al. 2020, section 3.1, the first equation, before its approximations.

    Example:
        >>> round(birthday_probability(23, 365), 6)
        0.507297
    """
    n, buckets = whole("num_keys", num_keys), whole("num_buckets", num_buckets, at_least=1)
    if n < 2:
        return 0.0
    if n > buckets or n * (n - 1) > 2 * _CERTAIN * buckets:
        return 1.0
    if n <= _MAX_SUMMED:
        return -math.expm1(float(np.log1p(-np.arange(1, n) * (1 / buckets)).sum()))
    y = n / buckets
    # log n! = (n + 1/2) log n - n + c + less than 1 / 12n: what is left out is below the last digit here,
    # as are the powers of y after the eighth.
    bulk = n * sum(y ** (k - 1) / (k * (k - 1)) for k in range(2, 9))
    return -math.expm1(-bulk - math.log1p(-y) / 2)


def birthday_probability_pairs(num_keys: int, num_buckets: int) -> float:
    """Return the first approximation of the birthday probability, ``1 - exp(-n (n - 1) / 2B)``.

    It takes the pairs of keys as independent, and is never above `birthday_probability`.

    Args:
        num_keys: Distinct keys hashed, n.
        num_buckets: Equally likely buckets, B.

    Returns:
        A probability.

    Raises:
        InvalidTypeError: A number is not an integer.
        InvalidValueError: ``num_keys`` is negative or ``num_buckets`` below 1.

    Source: Zhang et al. 2020, section 3.1, the first equation, first approximation.

    Example:
        >>> round(birthday_probability_pairs(23, 365), 6)
        0.500002
    """
    n, buckets = whole("num_keys", num_keys), whole("num_buckets", num_buckets, at_least=1)
    return -math.expm1(-(n * (n - 1) / (2 * buckets)))


def birthday_probability_square(num_keys: int, num_buckets: int) -> float:
    """Return the second approximation of the birthday probability, ``1 - exp(-n**2 / 2B)``.

    One key alone gets a probability above 0, which only a large number of keys hides.

    Args:
        num_keys: Distinct keys hashed, n.
        num_buckets: Equally likely buckets, B.

    Returns:
        A probability.

    Raises:
        InvalidTypeError: A number is not an integer.
        InvalidValueError: ``num_keys`` is negative or ``num_buckets`` below 1.

    Source: Zhang et al. 2020, section 3.1, the first equation, second approximation.

    Example:
        >>> round(birthday_probability_square(23, 365), 6)
        0.51551
    """
    n, buckets = whole("num_keys", num_keys), whole("num_buckets", num_buckets, at_least=1)
    return -math.expm1(-(n * n / (2 * buckets)))
