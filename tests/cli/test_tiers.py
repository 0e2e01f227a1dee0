"""Tiers, and what the other keys read, in words."""

from typing import Any

import pytest

from hybridhash.cli.inspect import _tail
from hybridhash.cli.tiers import known_by, what_a_key_has
from hybridhash.hashing import EXACT, Dictionary, Fingerprints, Ribbon


@pytest.mark.parametrize(
    ("bits", "num_shared", "text"),
    [
        (8, 0, "its own row, 8 bits a float"),
        (32, 0, "its own row, floats"),
        (8, 1024, "one of 1,024 shared rows, 8 bits a float"),
        (0, 0, "left out"),
    ],
)
def test_what_a_key_has(bits: int, num_shared: int, text: str) -> None:
    assert what_a_key_has(bits, num_shared) == text


@pytest.mark.parametrize(
    ("dictionary", "text"),
    [
        (EXACT, "exact keys"),
        (Fingerprints(12), "fingerprints of 12 bits"),
        (Ribbon(5), "a ribbon with 5 check bits"),
    ],
)
def test_how_a_key_is_known(dictionary: Dictionary, text: str) -> None:
    assert known_by(dictionary) == text


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"num_buckets": 1}, "the neutral row, floats"),
        ({"num_hashes": 1, "tail_bits": 8}, "one of 5,000 shared rows, 8 bits a float"),
        ({"combine": "sum"}, "2 of 5,000 shared rows, summed, floats"),
        ({"num_hashes": 8}, "8 of 5,000 shared rows, joined, floats"),
    ],
)
def test_what_the_other_keys_read(changes: dict[str, Any], text: str) -> None:
    row = {"num_buckets": 5000, "num_hashes": 2, "combine": "concat", "tail_bits": 32}
    assert _tail({**row, **changes}) == text
