"""Tiers in words, as ``plan`` and ``inspect`` show them."""

from hybridhash.hashing import Dictionary
from hybridhash.packing import FLOAT_BITS
from hybridhash.spec import NOT_SHIPPED


def what_a_key_has(bits: int, num_shared: int) -> str:
    """Say what the shipped table has for a key of a tier.

    Args:
        bits: Bits of a stored float; 0 where the tier is not shipped.
        num_shared: Rows that the keys of the tier share; 0 where each has its own.
    """
    if bits == NOT_SHIPPED:
        return "left out"
    whose = f"one of {num_shared:,} shared rows" if num_shared else "its own row"
    return f"{whose}, {floats_of(bits)}"


def floats_of(bits: int) -> str:
    """Say how the floats of a row are stored."""
    return "floats" if bits == FLOAT_BITS else f"{bits} bits a float"


def known_by(dictionary: Dictionary) -> str:
    """Say how the shipped table tells a key from others.

    Args:
        dictionary: What holds the keys.
    """
    return dictionary.known_by.removeprefix("behind ").removeprefix("in ")
