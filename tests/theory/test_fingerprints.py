"""Against exact fractions, and every pair of hashes of a few bits."""

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridhash.errors import InvalidValueError
from hybridhash.theory import false_positive_rate


@given(st.integers(1, 64), st.just(0.0) | st.floats(1e-290, 1))
def test_fractions(bits: int, load: float) -> None:
    words, share = 2**bits, Fraction(load)
    none = (
        Fraction(words - 2, words) * (1 - share / words) ** 16
        + Fraction(2, words) * (1 - 2 * share / words) ** 16
    )
    assert false_positive_rate(bits, load) == pytest.approx(float(1 - none), rel=1e-12, abs=0)


@pytest.mark.parametrize("bits", [2, 3, 6])
def test_every_hash_of_a_key_and_of_full_places(bits: int) -> None:
    """Of all places and one key: how many hashes differ from the key's fingerprint, 0 becoming 1."""
    words = range(2**bits)
    rate = 0.0
    for key in words:
        others = sum(max(place, 1) != max(key, 1) for place in words) / len(words)
        rate += (1 - others**16) / len(words)
    assert false_positive_rate(bits, 1.0) == pytest.approx(rate, rel=1e-12)


def test_one_bit_and_full_places() -> None:
    """All fingerprints are 1."""
    assert false_positive_rate(1, 1.0) == 1.0


@pytest.mark.parametrize(("bits", "load"), [(0, 0.9), (8, -0.01), (8, 1.01), (8, math.nan)])
def test_numbers_out_of_range_are_refused(bits: int, load: float) -> None:
    with pytest.raises(InvalidValueError):
        false_positive_rate(bits, load)
