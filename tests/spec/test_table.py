"""A table spec refuses what is no table, and its bytes are those of its rows and keys."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridhash.errors import InvalidValueError
from hybridhash.hashing import EXACT, Fingerprints
from hybridhash.spec import COMBINES, FLOAT_BYTES, KEY_BYTES, Ledger, TableSpec, Tier
from hybridhash.spec.table import companion_bits

TIERS = (Tier(3, 8, 0, Fingerprints(16)), Tier(100, 4, 6, Fingerprints(9)), Tier(5, 0))
TIERED = TableSpec(108, 4, 16, 2, "concat", seed=9, tiers=TIERS, tail_bits=2)


def test_bytes_by_hand() -> None:
    """24 positions for 3 keys: head rows of 8 floats, and 8 bytes each with the salt; 5 rows of 8 / 4 floats."""
    ledger = TableSpec(3, 5, dim=8, num_hashes=4, combine="concat").ledger()
    assert (FLOAT_BYTES, KEY_BYTES) == (4, 8)
    assert (ledger.head_rows, ledger.tail_rows, ledger.dictionary) == (768, 40, 200)
    assert ledger.total_bytes == 768 + 40 + 200


@pytest.mark.parametrize(("combine", "floats"), [("sum", 12), ("mean", 12), ("concat", 4)])
def test_only_concat_narrows_a_bucket(combine: Any, floats: int) -> None:
    spec = TableSpec(0, 5, dim=12, num_hashes=3, combine=combine)
    assert spec.bucket_dim == floats
    assert spec.ledger().tail_rows == 5 * floats * 4


def test_rows_are_head_and_tail() -> None:
    """3 keys take 8 * (ceil(3 / 7.6) + 2) = 24 positions, no keys none."""
    assert (TableSpec(3, 5, 8).num_positions, TableSpec(3, 5, 8).num_rows) == (24, 29)
    assert (TableSpec(0, 5, 8).num_positions, TableSpec(0, 5, 8).num_rows) == (0, 5)


@pytest.mark.parametrize(("combine", "wide"), [("sum", "sum"), ("mean", "mean"), ("concat", "mean")])
def test_the_companion_has_the_same_rows_and_one_weight_on_each(combine: Any, wide: str) -> None:
    spec = TableSpec(3, 5, 8, 2, combine, seed=9)
    assert spec.companion() == TableSpec(3, 5, 1, 2, wide, seed=9)  # type: ignore[arg-type]


def test_bytes_of_tiers_by_hand() -> None:
    """24, 128 and 24 positions, of which 24 and 6 rows are shipped; rows end with seven spare bytes, scales begin with
    four, and sixteen floats take half a byte of them.
    """
    assert (TIERED.num_positions, TIERED.num_rows) == (24 + 128 + 24, 24 + 128 + 24 + 4)
    assert TIERED.ledger() == Ledger(
        head_rows=24 * 16 + 7 + 6 * 16 // 2 + 7,
        tail_rows=4 * 8 // 4 + 7,
        scales=(4 + 12) + (4 + 3) + (4 + 1),
        dictionary=(24 * 2 + 8) + (128 * 9 // 8 + 8),
        codes=128 * 3 // 8 + 7,
    )


def test_a_head_that_is_not_divided_is_one_tier() -> None:
    assert TableSpec(3, 5, 8).head_tiers == (Tier(3),)
    assert TIERED.head_tiers == TIERS
    assert TableSpec(3, 5, 8, tiers=(Tier(3),)).ledger() == TableSpec(3, 5, 8).ledger()


@pytest.mark.parametrize(
    ("tiers", "tail_bits", "packed"),
    [
        ((), 32, False),
        ((), 8, True),
        ((Tier(6),), 32, False),
        ((Tier(6, 32, 0, Fingerprints(16)),), 32, False),
        ((Tier(6, 8),), 32, True),
        ((Tier(6, 32, 4),), 32, True),
        ((Tier(4), Tier(2, 0)), 32, True),
    ],
)
def test_what_is_shipped_differs_where_rows_or_their_readers_do(
    tiers: tuple[Tier, ...], tail_bits: int, packed: bool
) -> None:
    assert TableSpec(6, 5, 8, tiers=tiers, tail_bits=tail_bits).is_packed == packed


def test_wide_weights_have_more_bits_than_rows() -> None:
    assert {bits: companion_bits(bits) for bits in (0, 2, 3, 4, 8, 32)} == {
        0: 0, 2: 4, 3: 8, 4: 8, 8: 8, 32: 32
    }  # fmt: skip
    assert TIERED.companion() == TableSpec(
        108,
        4,
        1,
        2,
        "mean",
        seed=9,
        tiers=(Tier(3, 8, 0, Fingerprints(16)), Tier(100, 8, 6, Fingerprints(9)), Tier(5, 0)),
        tail_bits=4,
    )


tiers = st.lists(
    st.builds(
        Tier,
        st.integers(0, 50),
        st.sampled_from([0, 2, 3, 4, 8, 32]),
        st.sampled_from([0, 2, 65536]),
        st.sampled_from([*map(Fingerprints, (4, 9, 32)), EXACT]),
    ),
    max_size=5,
).map(tuple)


@given(tiers, st.sampled_from([2, 3, 4, 8, 32]))
def test_a_round_trip_through_json(tiers: tuple[Tier, ...], tail_bits: int) -> None:
    num_head = sum(tier.num_keys for tier in tiers)
    spec = TableSpec(num_head, 5, 8, 2, "mean", seed=2**64 - 1, tiers=tiers, tail_bits=tail_bits)
    again = TableSpec.from_dict(json.loads(json.dumps(spec.as_dict())))
    assert again == spec
    assert hash(again) == hash(spec)


def test_the_last_legal_values() -> None:
    TableSpec(num_head=0, num_buckets=1, dim=1, num_hashes=1, seed=0)
    TableSpec(num_head=0, num_buckets=2**31, dim=1, num_hashes=1, seed=2**64 - 1)
    assert COMBINES == ("sum", "mean", "concat")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"num_head": -1}, "num_head: expected 0 or more, got -1"),
        ({"num_buckets": 0}, r"num_buckets: expected an integer in \[1, 2\*\*31\], got 0"),
        ({"num_buckets": 2**31 + 1}, "num_buckets: .* got 2147483649"),
        ({"dim": 0}, "dim: expected 1 or more, got 0"),
        ({"num_hashes": 0}, "num_hashes: expected 1 or more, got 0"),
        ({"combine": "product"}, "combine: expected one of sum, mean, concat, got 'product'"),
        ({"combine": "concat", "num_hashes": 3}, "expected a dim that 3 divides, got 8"),
        ({"seed": -1}, r"seed: expected an integer in \[0, 2\*\*64\), got -1"),
        ({"seed": 2**64}, "seed: .* got 18446744073709551616"),
        ({"tiers": (Tier(1), Tier(1))}, r"tiers: expected 1 keys in all, as num_head says, got \[1, 1\]"),
        ({"tiers": (Tier(0),)}, r"tiers: .* got \[0\]"),
        ({"tail_bits": 0}, r"tail_bits: expected one of \(2, 3, 4, 8, 32\), got 0"),
        ({"tail_bits": 5}, "tail_bits: .* got 5"),
    ],
)
def test_what_is_no_table(changes: dict[str, Any], message: str) -> None:
    fields = {"num_head": 1, "num_buckets": 4, "dim": 8, "num_hashes": 2, "combine": "sum", "seed": 0}
    with pytest.raises(InvalidValueError, match=message):
        TableSpec(**(fields | changes))
