"""What a method costs in rows and operations: Table 1's complexities as counts."""

from dataclasses import dataclass

from hybridhash.theory.arguments import tail_size, whole


@dataclass(frozen=True)
class MethodCost:
    """The cost of a table, and of looking up each of its keys once.

    Attributes:
        num_rows: Rows of the table, K + B.
        num_dictionary_lookups: Keys searched for in the head's dictionary; 0 if there is no head.
        num_bucket_hashes: Hash functions evaluated, H for each key outside the head.
    """

    num_rows: int
    num_dictionary_lookups: int
    num_bucket_hashes: int


def method_cost(num_keys: int, num_head: int, num_buckets: int, num_hashes: int = 2) -> MethodCost:
    """Return the rows of a method and the operations of one lookup of every key.

    One call covers Table 1: regular hashing has no head and one hash, double hashing no head and two,
    frequency hashing every key in the head and no bucket, hybrid hashing both. A dictionary lookup
    counts as one operation: it is a binary search of about log2(K) steps here, where the table's
    ``O(|T| k)`` would scan the head.

    Args:
        num_keys: Distinct keys looked up, n.
        num_head: Keys with a row of their own, K.
        num_buckets: Shared rows, B; may be 0 if no key is left to them.
        num_hashes: Hash functions of the shared rows, H.

    Returns:
        The counts.

    Raises:
        InvalidTypeError: A number is not an integer.
        InvalidValueError: A number is negative, the head is larger than the keys, a tail has no bucket, or
            ``num_hashes`` is below 1.

    Source: Zhang et al. 2020, Table 1, space and time complexity.

    Example:
        >>> method_cost(4_000_000, num_head=105_000, num_buckets=2**20)
        MethodCost(num_rows=1153576, num_dictionary_lookups=4000000, num_bucket_hashes=7790000)
    """
    tail = tail_size(num_keys, num_head, num_buckets)
    hashes = whole("num_hashes", num_hashes, at_least=1)
    return MethodCost(
        num_rows=num_head + num_buckets,
        num_dictionary_lookups=num_keys if num_head else 0,
        num_bucket_hashes=hashes * tail,
    )
