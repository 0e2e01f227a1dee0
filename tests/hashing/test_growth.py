"""A look-up must not read the whole dictionary: its temporary arrays are as large for many keys as for few."""

import tracemalloc
from collections.abc import Callable

import numpy as np
import pytest

from hybridhash.hashing import (
    build_ribbon,
    find_fingerprints,
    find_in_ribbon,
    find_positions,
    place_fingerprints,
    place_keys,
)
from hybridhash.hashing.exact import Int64s

Lookup = Callable[[Int64s], Int64s]


def exact(keys: Int64s) -> Lookup:
    dictionary = place_keys(keys)
    return lambda asked: find_positions(asked, dictionary)


def fingerprints(bits: int) -> Callable[[Int64s], Lookup]:
    def build(keys: Int64s) -> Lookup:
        dictionary = place_fingerprints(keys, bits)
        return lambda asked: find_fingerprints(asked, dictionary, bits)

    return build


def ribbon(keys: Int64s) -> Lookup:
    words = build_ribbon(keys, np.zeros(keys.size, dtype=np.uint32), 8, 8)
    return lambda asked: find_in_ribbon(asked, words, 8, 8)


def peak_bytes(lookup: Lookup, asked: Int64s) -> int:
    """Return the most bytes that were allocated at a time during a look-up."""
    lookup(asked)
    tracemalloc.start()
    try:
        lookup(asked)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "build", [exact, fingerprints(8), fingerprints(12), ribbon], ids=["exact", "8 bits", "12 bits", "ribbon"]
)
def test_a_hundred_keys_take_the_same_memory_in_a_dictionary_of_any_size(
    build: Callable[[Int64s], Lookup],
) -> None:
    keys = np.random.default_rng(0).permutation(100_000)
    asked = keys[:100]
    assert peak_bytes(build(keys), asked) < 1.5 * peak_bytes(build(keys[:1_000]), asked)
