"""A model spec refuses what is no model, counts its bytes, and survives JSON."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridhash.errors import InvalidValueError
from hybridhash.hashing import Fingerprints
from hybridhash.spec import GroupSpec, Ledger, ModelSpec, TableSpec, Tier

USER = TableSpec(3, 5, 4, 2, "concat", seed=2**64 - 1)
ITEM = TableSpec(2, 7, 6)
SPEC = ModelSpec(
    deep=(GroupSpec(("user", "year"), USER, "deep:user"), GroupSpec(("item",), ITEM, "deep:item", "sum")),
    wide=(
        GroupSpec(("user", "year"), USER.companion(), "deep:user"),
        GroupSpec(("item", "cross"), TableSpec(10, 1, 1), "wide:cross"),
    ),
    hidden=(16, 8),
)


def test_bytes_by_hand() -> None:
    """Dictionaries once each, of 24, 24 and 32 positions and a salt; the layers read 2 * 4 + 6 = 14 floats."""
    assert SPEC.ledger() == Ledger(
        head_rows=4 * (24 * 4 + 24 * 6),
        tail_rows=4 * (5 * 2 + 7 * 6),
        dictionary=8 * (25 + 25 + 33),
        wide_weights=4 * (24 + 5 + 32 + 1),
        dense_layers=4 * (14 * 16 + 16 + 16 * 8 + 8 + 8 * 1 + 1),
    )


def test_deep_and_wide_share_dictionaries_and_codes() -> None:
    """Tiers of 24 positions, and of 128 that share 6 rows; nothing of the third is shipped."""
    tiers = (Tier(3, 8, 0, Fingerprints(16)), Tier(100, 4, 6, Fingerprints(9)), Tier(5, 0))
    table = TableSpec(108, 4, 16, tiers=tiers, tail_bits=2)
    wide = GroupSpec(("user",), table.companion(), "deep:user")
    alone = ModelSpec((GroupSpec(("user",), table, "deep:user"),), (), ())
    layers = Ledger(dense_layers=4 * 17)
    assert alone.ledger() == table.ledger() + layers
    rows = (24 + 7) + (6 + 7) + (4 // 2 + 7)  # 8, 8 and 4 bits
    scales = (4 + 1) + (4 + 1) + (4 + 1)
    weights = Ledger(wide_weights=rows + scales)
    assert replace(alone, wide=(wide,)).ledger() == table.ledger() + layers + weights


def test_what_it_says_of_itself() -> None:
    assert SPEC.layer_shapes == [(16, 14), (8, 16), (1, 8)]
    assert SPEC.num_rows == 24 + 5 + 24 + 7
    assert SPEC.deep_features == ("user", "year", "item")
    assert SPEC.dictionaries() == {"deep:user": 3, "deep:item": 2, "wide:cross": 10}


def test_without_hidden_layers_one_layer_gives_the_logit() -> None:
    assert replace(SPEC, hidden=()).layer_shapes == [(1, 14)]


tables = st.builds(
    TableSpec,
    num_head=st.integers(0, 9),
    num_buckets=st.integers(1, 2**31),
    dim=st.sampled_from([8, 16]),
    num_hashes=st.sampled_from([1, 2, 4]),
    combine=st.sampled_from(["sum", "mean", "concat"]),
    seed=st.integers(0, 2**64 - 1),
)
features = st.lists(st.text(min_size=1), min_size=1, max_size=3).map(tuple)
modes = st.sampled_from(["sum", "mean", "max"])


@given(st.lists(st.tuples(features, tables, modes), min_size=1, max_size=3), st.lists(st.integers(1, 99)))
def test_a_round_trip_through_json(drawn: list[tuple], hidden: list[int]) -> None:  # type: ignore[type-arg]
    groups = [GroupSpec(names, table, f"d{i}", mode) for i, (names, table, mode) in enumerate(drawn)]
    wide = [replace(group, table=group.table.companion()) for group in groups]
    spec = ModelSpec(tuple(groups), tuple(wide), tuple(hidden))
    again = ModelSpec.from_dict(json.loads(json.dumps(spec.as_dict())))
    assert again == spec
    assert hash(again) == hash(spec)


def test_no_deep_table() -> None:
    with pytest.raises(InvalidValueError, match="deep: expected one table or more, got none"):
        replace(SPEC, deep=())


def test_a_hidden_width_of_zero() -> None:
    with pytest.raises(InvalidValueError, match=r"hidden: expected widths of 1 or more, got \[16, 0\]"):
        replace(SPEC, hidden=(16, 0))


def test_a_wide_table_of_two_weights_a_row() -> None:
    with pytest.raises(InvalidValueError, match=r"wide: expected tables of dim 1.*got dims \[2\]"):
        replace(SPEC, wide=(GroupSpec(("item",), TableSpec(10, 1, 2), "wide:cross"),))


def test_a_dictionary_of_two_sizes() -> None:
    with pytest.raises(InvalidValueError, match="dictionary 'deep:user': expected one size, got 4 and 3"):
        replace(SPEC, wide=(GroupSpec(("user",), TableSpec(4, 1, 1), "deep:user"),))


def test_a_dictionary_of_two_divisions() -> None:
    tiered = TableSpec(3, 1, 1, tiers=(Tier(3, 8, 0, Fingerprints(16)),))
    with pytest.raises(
        InvalidValueError, match="dictionary 'deep:user': expected tables of the same tiers but"
    ):
        replace(SPEC, wide=(GroupSpec(("user",), tiered, "deep:user"),))


def test_a_group_of_nothing() -> None:
    with pytest.raises(InvalidValueError, match="features: expected one name or more, got none"):
        GroupSpec((), ITEM, "d")


def test_an_unknown_mode() -> None:
    with pytest.raises(InvalidValueError, match="mode: expected one of sum, mean, max, got 'median'"):
        GroupSpec(("item",), ITEM, "d", "median")  # type: ignore[arg-type]
