"""The bytes of a tier by hand, and what is no tier."""

from typing import Any

import pytest

from hybridhash.errors import InvalidValueError
from hybridhash.hashing import EXACT, ExactKeys, Fingerprints, Ribbon
from hybridhash.spec import NOT_SHIPPED, Ledger, Tier
from hybridhash.spec.tier import MAX_CODES, row_numbering, slab_ledger


def test_exact_keys_with_rows_of_their_own() -> None:
    """3 keys take 8 * (ceil(3 / 7.6) + 2) = 24 positions, and a salt."""
    tier = Tier(3)
    assert (tier.bits, tier.num_codes, tier.key_bits) == (32, 0, 64)
    assert (tier.num_positions, tier.num_rows) == (24, 24)
    assert (tier.dictionary_bytes, tier.code_bytes, tier.code_bits) == (8 * 25, 0, 0)


@pytest.mark.parametrize(("key_bits", "num_bytes"), [(4, 12 + 8), (9, 27 + 8), (16, 48 + 8), (32, 96 + 8)])
def test_fingerprints(key_bits: int, num_bytes: int) -> None:
    """24 of them, and a salt."""
    assert Tier(3, 8, 0, Fingerprints(key_bits)).dictionary_bytes == num_bytes


@pytest.mark.parametrize(
    ("num_codes", "code_bits", "num_rows", "num_bytes"),
    [
        (2, 1, 2, 16 + 7),
        (6, 3, 6, 48 + 7),
        (128, 7, 128, 112 + 7),
        (129, 8, 128, 128 + 7),
        (1 << 16, 16, 128, 256 + 7),
    ],
)
def test_codes(num_codes: int, code_bits: int, num_rows: int, num_bytes: int) -> None:
    """100 keys take 8 * (ceil(100 / 7.6) + 2) = 128 positions, a code each; no more rows than these."""
    tier = Tier(100, 4, num_codes, Fingerprints(9))
    assert (tier.num_positions, tier.num_rows) == (128, num_rows)
    assert (tier.code_bits, tier.code_bytes) == (code_bits, num_bytes)


@pytest.mark.parametrize(("key_bits", "num_bytes"), [(0, 8 * (3 * 7 + 1)), (5, 8 * (3 * 12 + 1))])
def test_codes_in_a_ribbon(key_bits: int, num_bytes: int) -> None:
    """100 keys take 100 + 5 + 64 slots, so three times 64, and a salt; codes of 7 bits stand in the dictionary."""
    tier = Tier(100, 4, 100, Ribbon(key_bits))
    assert (tier.num_positions, tier.num_rows, tier.dictionary.in_training) == (128, 100, EXACT)
    assert (tier.code_bits, tier.dictionary_bytes, tier.code_bytes) == (7, num_bytes, 0)
    assert Tier(100, 4, 100, Fingerprints(9)).dictionary.in_training == Fingerprints(9)


def test_a_tier_that_is_not_shipped_has_rows_in_training_alone() -> None:
    tier = Tier(100, NOT_SHIPPED, 6, Fingerprints(9))
    assert tier.num_positions == 128
    assert (tier.num_rows, tier.dictionary_bytes, tier.code_bytes) == (0, 0, 0)


@pytest.mark.parametrize("tier", [Tier(0), Tier(0, 4, 6, Fingerprints(9)), Tier(0, 4, 6, Ribbon(9))])
def test_no_keys_have_no_bytes(tier: Tier) -> None:
    assert (tier.num_positions, tier.num_rows, tier.dictionary_bytes, tier.code_bytes) == (0, 0, 0, 0)


@pytest.mark.parametrize(
    ("num_floats", "bits", "rows", "scales"),
    [
        (384, 32, 1536, 0),
        (384, 8, 384 + 7, 4 + 12),
        (384, 4, 192 + 7, 4 + 12),
        (17, 3, 7 + 7, 4 + 1),
        (33, 2, 9 + 7, 4 + 2),
        (1, 2, 1 + 7, 4 + 1),
        (0, 4, 0, 0),
        (384, 0, 0, 0),
    ],
)
def test_rows_and_their_scales(num_floats: int, bits: int, rows: int, scales: int) -> None:
    """Seven bytes more than the bits take; four bytes and half a byte for each sixteen floats."""
    assert slab_ledger("tail_rows", num_floats, bits) == Ledger(tail_rows=rows, scales=scales)
    assert slab_ledger("head_rows", num_floats, bits) == Ledger(head_rows=rows, scales=scales)


def test_tables_read_the_same_rows_whatever_the_bits_of_a_float() -> None:
    tiers = (Tier(3, 8, 0, Fingerprints(16)), Tier(100, 4, 6, Fingerprints(9)), Tier(5, 0))
    assert row_numbering(tiers) == row_numbering(
        (Tier(3, 4, 0, Fingerprints(16)), Tier(100, 32, 6, Fingerprints(9)), Tier(5, 0))
    )
    others = [
        (Tier(4, 8, 0, Fingerprints(16)), Tier(100, 4, 6, Fingerprints(9)), Tier(5, 0)),
        (Tier(3, 8, 0, Fingerprints(15)), Tier(100, 4, 6, Fingerprints(9)), Tier(5, 0)),
        (Tier(3, 8, 0, Fingerprints(16)), Tier(100, 4, 7, Fingerprints(9)), Tier(5, 0)),
        (Tier(3, 8, 0, Fingerprints(16)), Tier(100, 4, 6, Fingerprints(9)), Tier(5, 2)),
        (Tier(3, 8, 0, Fingerprints(16)), Tier(100, 4, 6, Fingerprints(9))),
        (Tier(5, 0), Tier(3, 8, 0, Fingerprints(16)), Tier(100, 4, 6, Fingerprints(9))),
        (Tier(3, 8, 0, Fingerprints(16)), Tier(100, 4, 6, Ribbon(9)), Tier(5, 0)),
    ]
    assert all(row_numbering(other) != row_numbering(tiers) for other in others)


def test_the_last_legal_values() -> None:
    assert MAX_CODES == 65536
    for fields in (
        {"num_keys": 0},
        {"bits": NOT_SHIPPED},
        {"bits": 2},
        {"num_codes": 2},
        {"num_codes": 65536},
        {"dictionary": Fingerprints(4)},
        {"dictionary": Fingerprints(32)},
        {"dictionary": EXACT},
        {"dictionary": Ribbon(0), "num_codes": 2},
        {"dictionary": Ribbon(24), "num_codes": 256},
    ):
        Tier(**{"num_keys": 1, **fields})


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"num_keys": -1}, "num_keys: expected 0 or more, got -1"),
        ({"bits": 1}, r"bits: expected 0 or one of \(2, 3, 4, 8, 32\), got 1"),
        ({"bits": -1}, r"bits: expected 0 or one of \(2, 3, 4, 8, 32\), got -1"),
        ({"bits": 5}, "bits: .* got 5"),
        ({"bits": 33}, "bits: .* got 33"),
        ({"num_codes": -1}, "num_codes: expected 0, or 2 to 65536, got -1"),
        ({"num_codes": 1}, "num_codes: .* got 1"),
        ({"num_codes": 65537}, "num_codes: .* got 65537"),
        ({"dictionary": ExactKeys(63)}, "key_bits: expected 64 of exact keys, got 63"),
        (
            {"dictionary": Fingerprints(3)},
            "key_bits: expected 64 for exact keys, or 4 to 32 for fingerprints, got 3",
        ),
        ({"dictionary": Fingerprints(33)}, "key_bits: .* got 33"),
        ({"dictionary": Fingerprints(63)}, "key_bits: .* got 63"),
        ({"dictionary": Fingerprints(65)}, "key_bits: .* got 65"),
        (
            {"dictionary": Ribbon(3)},
            "ribbon: expected a tier that has codes",
        ),
        ({"dictionary": Ribbon(3), "num_codes": 4, "bits": 0}, "ribbon: .* got bits=0"),
        (
            {"dictionary": Ribbon(-1), "num_codes": 4},
            "key_bits: expected 0 to 24 check bits .* got -1 and 2",
        ),
        ({"dictionary": Ribbon(64), "num_codes": 4}, "key_bits: .* got 64 and 2"),
        ({"dictionary": Ribbon(24), "num_codes": 512}, "key_bits: .* at most 32 .* got 24 and 9"),
    ],
)
def test_what_is_no_tier(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidValueError, match=message):
        Tier(**{"num_keys": 1, **fields})
