"""Which keys end with the same vector: sums forget the order of their rows, concatenations keep it."""

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, get_args

from hybridhash.errors import InvalidValueError
from hybridhash.theory.arguments import whole
from hybridhash.theory.collisions import excess

Combine = Literal["sum", "mean", "concat"]


@dataclass(frozen=True)
class RowPattern:
    """The multisets of H rows that repeat rows in one way, such as {a, a, b}.

    Attributes:
        num_rows: Different rows in each.
        num_orders: Sequences of H rows that are the same multiset, ``H! / (m1! m2! ...)``.
        num_multisets: Multisets of this pattern among B rows.
    """

    num_rows: int
    num_orders: int
    num_multisets: int


def row_patterns(num_buckets: int, num_hashes: int) -> Iterator[RowPattern]:
    """Yield every way in which H rows drawn from B can repeat: one for each partition of H.

    The sequences behind all patterns together are the ``B**H`` equally likely ones.

    Args:
        num_buckets: B, at least 1.
        num_hashes: H, at least 1.

    Yields:
        The patterns that B rows allow.
    """
    for parts in _partitions(num_hashes, num_hashes):
        if len(parts) > num_buckets:
            continue
        num_orders = math.factorial(num_hashes) // math.prod(map(math.factorial, parts))
        # Parts of equal size are interchangeable.
        num_alike = math.prod(map(math.factorial, Counter(parts).values()))
        yield RowPattern(len(parts), num_orders, math.perm(num_buckets, len(parts)) // num_alike)


def _partitions(total: int, largest: int) -> Iterator[tuple[int, ...]]:
    if not total:
        yield ()
    for part in range(min(total, largest), 0, -1):
        for rest in _partitions(total - part, part):
            yield (part, *rest)


def num_vectors(num_buckets: int, num_hashes: int = 2, combine: Combine = "sum") -> int:
    """Return how many different vectors H rows out of B can make.

    Args:
        num_buckets: Shared rows, B.
        num_hashes: Rows that each key reads, H.
        combine: How they become one vector.

    Returns:
        ``B**H`` for concat; for sum and mean the multisets, ``C(B + H - 1, H)``.

    Raises:
        InvalidTypeError: A number is not an integer.
        InvalidValueError: A number is below 1, or ``combine`` is another word.

    Source: Zhang et al. 2020, section 3.2, names both aggregations and counts ``B**2`` for either.

    Example:
        >>> num_vectors(1000), num_vectors(1000, combine="concat")
        (500500, 1000000)
    """
    buckets, hashes = whole("num_buckets", num_buckets, 1), whole("num_hashes", num_hashes, 1)
    check_combine(combine)
    return buckets**hashes if combine == "concat" else math.comb(buckets + hashes - 1, hashes)


def expected_vector_collisions(
    num_keys: int, num_buckets: int, num_hashes: int = 2, combine: Combine = "sum"
) -> float:
    """Return the expected number of full collisions: keys whose vector another key already has.

    Under concat it is ``expected_collisions(n, B**H)``. A sum or mean over one table reads {a, b} and
    {b, a} as the same vector, so a pair of different rows is twice as likely as a row taken twice:
    nearly H! times the collisions of concat when they are rare.

    Args:
        num_keys: Distinct keys hashed, n.
        num_buckets: Rows that the hashes share, B.
        num_hashes: Independent hash functions, H.
        combine: How the rows of a key become one vector.

    Returns:
        Keys less different vectors.

    Raises:
        InvalidTypeError: A number is not an integer.
        InvalidValueError: A number is too small, or ``combine`` is another word.

    Source: not in the paper, whose section 3.2 counts ordered pairs for both aggregations.

    Example:
        >>> summed = expected_vector_collisions(1000, 1000, combine="sum")
        >>> round(summed / expected_vector_collisions(1000, 1000, combine="concat"), 2)
        2.0
    """
    n = whole("num_keys", num_keys)
    buckets, hashes = whole("num_buckets", num_buckets, 1), whole("num_hashes", num_hashes, 1)
    check_combine(combine)
    sequences = buckets**hashes
    if combine == "concat":
        return excess(n, 1, sequences, scale=sequences)
    patterns = row_patterns(buckets, hashes)
    return math.fsum(excess(n, p.num_orders, sequences, scale=p.num_multisets) for p in patterns)


def check_combine(combine: str) -> None:
    """Refuse a word that is not a way to combine rows.

    Args:
        combine: The word.

    Raises:
        InvalidValueError: It is not sum, mean or concat.
    """
    if combine not in get_args(Combine):
        raise InvalidValueError(f"combine: expected 'sum', 'mean' or 'concat', got {combine!r}")
