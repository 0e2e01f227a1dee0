"""A few shared rows, and a code for each key that says which of them it reads."""

from collections.abc import Callable
from typing import Final

from hybridhash.hashing import Fingerprints
from hybridhash.planner import METHODS, FeatureGroup, MethodOptions
from hybridhash.spec import NOT_SHIPPED, TableSpec, Tier

NUM_CODES: Final = 64
KEY_BITS: Final = 8


def codebook_table(group: FeatureGroup, budget_bytes: int, options: MethodOptions, seed: int) -> TableSpec:
    """Lay out the head of `hybrid`, and rows that are shared by code by as many of the next keys as fit.

    While it learns every key has a row; then those of the coded keys are clustered into `NUM_CODES` float32 rows. Keys
    that have no code, and those never seen, read one neutral row. Coded keys are known by fingerprints. Where all of
    them fit, the head has the bytes that are left. Of this kind are the tiers of `auto`, with fewer bits a float and a
    division that follows from the counts.

    Args:
        group: The features of the table.
        budget_bytes: What it may take, wide weights included.
        options: Choices of the user.
        seed: Of the hashes.

    Returns:
        The table.

    Source: vector quantisation (Gray, "Vector quantization", IEEE ASSP Magazine 1984), by the package's tiers.
    """
    num_keys = group.counts.num_keys

    def table(num_head: int, num_coded: int) -> TableSpec:
        tiers = (
            Tier(num_head),
            Tier(num_coded, num_codes=NUM_CODES, dictionary=Fingerprints(KEY_BITS)),
            Tier(num_keys - num_head - num_coded, NOT_SHIPPED),
        )
        shipped = tuple(tier for tier in tiers if tier.num_keys)
        return TableSpec(num_keys, 1, group.dim, seed=seed, tiers=shipped)

    def fits(num_head: int, num_coded: int) -> bool:
        return table(num_head, num_coded).embedding_bytes(group.carries_wide) <= budget_bytes

    num_head = METHODS["hybrid"].table(group.demand(budget_bytes, options, seed)).num_head
    num_rare = num_keys - num_head
    if not fits(num_head, num_rare):
        return table(num_head, _most(lambda coded: fits(num_head, coded), 0, num_rare))
    num_head = _most(lambda head: fits(head, num_keys - head), num_head, num_keys)
    return table(num_head, num_keys - num_head)


def _most(fits: Callable[[int], bool], low: int, high: int) -> int:
    """Return the largest number from ``low`` to ``high`` that fits, where ``low`` does."""
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits(middle) else (low, middle - 1)
    return low
