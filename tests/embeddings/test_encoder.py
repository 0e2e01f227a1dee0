"""The encoder holds the dictionary of its head keys, and knows its hash functions again."""

import numpy as np
import pytest
import torch

from hybridhash.embeddings import RowEncoder
from hybridhash.errors import InvalidTypeError, InvalidValueError
from hybridhash.hashing import (
    Fingerprints,
    bucket_salts,
    find_fingerprints,
    find_positions,
    hash_buckets,
    place_fingerprints,
    place_keys,
)
from hybridhash.kernels.cpu.engine import CpuEngine
from hybridhash.packing import pack_integers
from hybridhash.spec import TableSpec, Tier
from hybridhash.tables import Blueprint, KeyIndex
from hybridhash.vocabulary import Vocabulary

SPEC = TableSpec(3, 100, 8, 2, "sum", seed=2**64 - 1)
VOCABULARY = Vocabulary(np.array([30, -7, 12]))


def encoder_of(spec: TableSpec, vocabulary: Vocabulary) -> RowEncoder:
    return RowEncoder(KeyIndex.in_training(Blueprint(spec, vocabulary)))


def compiled(encoder: RowEncoder, keys: torch.Tensor, padding_key: int | None = None) -> torch.Tensor:
    return CpuEngine().encode(keys, encoder.index(padding_key))


def test_a_head_row_is_the_position_in_the_dictionary() -> None:
    encoder = encoder_of(SPEC, VOCABULARY)
    rows = encoder(torch.tensor([30, 12, -7, 30]))
    assert encoder.dictionary[rows.head].tolist() == [30, 12, -7, 30]
    assert int(rows.head.max()) < SPEC.num_positions
    assert rows.in_head.all()


def test_a_dictionary_begins_with_a_cache_line() -> None:
    """So that a bucket of eight keys, 64 bytes, is one line and not parts of two."""
    for num_keys in (3, 5_000, 120_000):  # numpy takes memory for small and large arrays in different ways
        encoder = encoder_of(TableSpec(num_keys, 100, 8, 2), Vocabulary(np.arange(num_keys)))
        assert encoder.dictionary.data_ptr() % 64 == 0


def test_the_engines_name_the_same_rows() -> None:
    """Head rows as they are, tail rows with all bits turned, and no row for the padding key."""
    encoder = encoder_of(SPEC, VOCABULARY)
    keys = torch.tensor([30, 5, -7, 0, 12, 99])
    expected, found = encoder(keys, 99), compiled(encoder, keys, 99)
    assert found.dtype == torch.int32
    assert found[expected.in_head].tolist() == [[row, row] for row in expected.head.tolist()]
    assert (~found[expected.in_tail]).tolist() == expected.tail.tolist()
    assert found[~expected.counted, 0].tolist() == [2**31 - 1]


def test_tail_rows_are_those_of_the_numpy_definition() -> None:
    keys = np.array([5, -(2**63), 2**63 - 1, 0])
    rows = encoder_of(SPEC, VOCABULARY)(torch.from_numpy(keys))
    assert rows.in_tail.all()
    np.testing.assert_array_equal(rows.tail.numpy(), hash_buckets(keys, 100, 2, seed=2**64 - 1))


@pytest.mark.parametrize(
    ("padding", "in_head", "in_tail"),
    [(12, [True, True, False], [False, False, True]), (5, [True, True, False], [False, False, False])],
)
def test_a_padding_key_does_not_count(padding: int, in_head: list[bool], in_tail: list[bool]) -> None:
    """It may have a row of its own; it never reads shared ones."""
    rows = encoder_of(SPEC, VOCABULARY)(torch.tensor([30, 12, 5]), padding_key=padding)
    assert rows.counted.tolist() == [key != padding for key in (30, 12, 5)]
    assert rows.in_head.tolist() == in_head
    assert rows.in_tail.tolist() == in_tail


def test_the_head_row_of_one_key() -> None:
    encoder = encoder_of(SPEC, VOCABULARY)
    keys = np.array([-7, 12, 30])
    expected = find_positions(keys, encoder.dictionary.numpy()).tolist()
    assert [encoder.head_row(key) for key in keys.tolist()] == expected
    assert len(set(expected)) == 3
    assert [encoder.head_row(key) for key in (-(2**63), 13, 2**63 - 1)] == [None, None, None]
    assert encoder_of(TableSpec(0, 5, 8), Vocabulary(np.array([], dtype=np.int64))).head_row(0) is None


def test_the_dictionary_is_all_that_weighs() -> None:
    """8 bytes for each of 24 positions and the salt; the hashes' salts follow from the seed."""
    encoder = encoder_of(SPEC, VOCABULARY)
    persistent = {name: value for name, value in encoder.state_dict().items() if name != "_extra_state"}
    assert {name: value.nbytes for name, value in persistent.items()} == {"dictionary": 200}
    assert [salt % 2**64 for salt in encoder.salts.tolist()] == bucket_salts(2, 2**64 - 1)


def test_a_loaded_dictionary_replaces_the_one_that_was() -> None:
    encoder = encoder_of(SPEC, Vocabulary(np.array([1, 2, 3])))
    encoder.load_state_dict(encoder_of(SPEC, VOCABULARY).state_dict())
    assert encoder.dictionary.tolist() == place_keys(VOCABULARY.keys).tolist()
    assert [encoder.head_row(key) is None for key in (1, 30)] == [True, False]


def test_the_vocabulary_stays_apart_from_the_module() -> None:
    encoder = encoder_of(SPEC, VOCABULARY)
    encoder.dictionary.zero_()
    assert VOCABULARY.sorted_keys.tolist() == [-7, 12, 30]


@pytest.mark.parametrize("other", [TableSpec(3, 100, 8, 2, seed=0), TableSpec(3, 100, 8, 3, seed=2**64 - 1)])
def test_a_state_of_other_hash_functions_is_refused(other: TableSpec) -> None:
    saved = encoder_of(other, VOCABULARY).state_dict()
    with pytest.raises(InvalidValueError, match=r"expected one of 2 hashes with seed 18446744073709551615"):
        encoder_of(SPEC, VOCABULARY).load_state_dict(saved)


@pytest.mark.parametrize("size", [2, 4])
def test_a_vocabulary_of_another_size_is_refused(size: int) -> None:
    with pytest.raises(InvalidValueError, match=f"vocabulary: expected 3 keys, .* got {size}"):
        encoder_of(SPEC, Vocabulary(np.arange(size)))


def test_keys_of_another_type_or_shape_are_refused() -> None:
    encoder = encoder_of(SPEC, VOCABULARY)
    with pytest.raises(InvalidTypeError, match=r"keys: expected int64 or int32, got torch.float32"):
        encoder(torch.tensor([1.0]))
    with pytest.raises(InvalidTypeError, match=r"keys: expected a torch.Tensor .* got ndarray"):
        encoder(np.array([1]))
    with pytest.raises(InvalidValueError, match="keys: expected 1-D, got 2-D"):
        encoder(torch.tensor([[1]]))


def test_it_serves_every_table_with_its_rows() -> None:
    encoder = encoder_of(SPEC, VOCABULARY)
    assert encoder.serves(SPEC)
    assert encoder.serves(SPEC.companion())
    assert not encoder.serves(TableSpec(3, 101, 8, 2, seed=2**64 - 1))


def test_it_says_its_sizes() -> None:
    assert (
        repr(encoder_of(SPEC, VOCABULARY))
        == "RowEncoder(num_head=3, num_buckets=100, num_hashes=2, seed=18446744073709551615)"
    )


POOL = np.unique(np.random.default_rng(0).integers(-(2**63), 2**63, 3000))
POOL = np.random.default_rng(1).permutation(POOL)
DIVISIONS = {
    "exact first": (Tier(50), Tier(300, 8, 0, Fingerprints(4)), Tier(60, 0)),
    "fingerprints first": (
        Tier(300, 8, 0, Fingerprints(4)),
        Tier(50),
        Tier(0, 8, 0, Fingerprints(16)),
        Tier(60, 4, 7, Fingerprints(12)),
    ),
    "one": (Tier(410, 4, 100, Fingerprints(9)),),
}


def tiered(name: str) -> tuple[RowEncoder, TableSpec]:
    spec = TableSpec(410, 100, 8, 2, "sum", seed=7, tiers=DIVISIONS[name])
    return encoder_of(spec, Vocabulary(POOL[:410])), spec


def positions_in(tier: Tier, of_tier: np.ndarray, keys: np.ndarray) -> np.ndarray:
    """By the numpy definitions of the dictionaries; -1 for keys that it does not have."""
    if tier.key_bits == 64:
        return find_positions(keys, place_keys(of_tier))
    return find_fingerprints(keys, place_fingerprints(of_tier, tier.key_bits), tier.key_bits)


def rows_by_definition(spec: TableSpec, keys: np.ndarray) -> list[int]:
    """Return the head row of each key, -1 for none: the first tier that knows a key gives it, tier after tier."""
    rows = [-1] * keys.size
    first_key = first_row = 0
    for tier in spec.tiers:
        of_tier = POOL[first_key : first_key + tier.num_keys]
        for place, position in enumerate(positions_in(tier, of_tier, keys).tolist()):
            if rows[place] < 0 <= position:
                rows[place] = first_row + position
        first_key += tier.num_keys
        first_row += tier.num_positions
    return rows


@pytest.mark.parametrize("name", DIVISIONS)
def test_rows_of_tiers_are_those_of_the_numpy_definitions(name: str) -> None:
    """Keys of all tiers, and as many that are in none, of which some read a row by their fingerprint."""
    encoder, spec = tiered(name)
    keys = POOL[:3000]
    expected = np.array(rows_by_definition(spec, keys))
    assert (expected[:410] >= 0).all()
    strangers = expected[410:] >= 0
    assert (500 if "first" in name else 20) < strangers.sum() < 2000
    rows = encoder(torch.from_numpy(keys))
    np.testing.assert_array_equal(rows.in_head.numpy(), expected >= 0)
    np.testing.assert_array_equal(rows.head.numpy(), expected[expected >= 0])
    buckets = hash_buckets(keys, 100, 2, seed=7)
    np.testing.assert_array_equal(rows.tail.numpy(), buckets[expected < 0])
    found = compiled(encoder, torch.from_numpy(keys)).numpy()
    np.testing.assert_array_equal(found, np.where(expected[:, None] >= 0, expected[:, None], ~buckets))
    assert [encoder.head_row(key) for key in keys[405:415].tolist()] == [
        row if row >= 0 else None for row in expected[405:415].tolist()
    ]


def test_the_first_tier_is_asked_first() -> None:
    """Sixteen places of fifteen fingerprints: about half of all keys seem to be in the tier of 4 bits."""
    encoder, _ = tiered("exact first")
    own = encoder(torch.from_numpy(POOL[:50])).head
    assert int(own.max()) < Tier(50).num_positions
    encoder, _ = tiered("fingerprints first")
    taken = encoder(torch.from_numpy(POOL[300:350])).head < Tier(300).num_positions
    assert 5 < int(taken.sum()) < 45


def test_a_state_of_tiers_replaces_the_dictionaries_that_were() -> None:
    encoder, spec = tiered("exact first")
    state = encoder.state_dict()
    assert {name: value.nbytes for name, value in state.items() if name != "_extra_state"} == {
        f"dictionary{'_' * bool(place)}{place or ''}": num_bytes
        for place, num_bytes in enumerate([8 * (72 + 1), 336 // 2 + 8, 8 * (80 + 1)])
    }
    other = encoder_of(spec, Vocabulary(POOL[1000:1410]))
    keys = torch.from_numpy(POOL)
    assert not torch.equal(compiled(other, keys), compiled(encoder, keys))
    other.load_state_dict(state)
    assert torch.equal(compiled(other, keys), compiled(encoder, keys))
    assert torch.equal(other(keys).head, encoder(keys).head)


def test_tables_that_differ_in_the_bits_of_a_float_share_an_encoder() -> None:
    encoder, spec = tiered("exact first")
    assert encoder.serves(spec.companion())
    for tiers, served in (
        ((Tier(50, 2), Tier(300, 32, 0, Fingerprints(4)), Tier(60, 0)), True),
        ((Tier(50), Tier(300, 8, 0, Fingerprints(4)), Tier(60, 8)), False),
        ((Tier(50), Tier(300, 8, 0, Fingerprints(5)), Tier(60, 0)), False),
        ((Tier(50), Tier(300, 8, 9, Fingerprints(4)), Tier(60, 0)), False),
        ((Tier(50), Tier(360, 8, 0, Fingerprints(4))), False),
        ((), False),
    ):
        assert encoder.serves(TableSpec(410, 100, 8, 2, "sum", seed=7, tiers=tiers)) == served
    assert repr(encoder) == "RowEncoder(num_head=410, 3 tiers, num_buckets=100, num_hashes=2, seed=7)"


def coded() -> tuple[RowEncoder, np.ndarray]:
    """Return an encoder of exclusive, shared and omitted rows, and the code of each position of the second tier."""
    spec = TableSpec(
        410, 100, 8, 2, "sum", seed=7, tiers=(Tier(50), Tier(300, 8, 37, Fingerprints(16)), Tier(60, 0))
    )
    codes = np.random.default_rng(2).integers(0, 37, Tier(300).num_positions).astype(np.uint32)
    places = [
        one.places for one in KeyIndex.in_training(Blueprint(spec, Vocabulary(POOL[:410]))).dictionaries
    ]
    packed = [np.empty(0, dtype=np.uint8), pack_integers(codes, 6)]
    return RowEncoder(KeyIndex.shipped(spec, places[:2], packed)), codes


def test_keys_read_the_row_of_their_code_and_the_tail_where_their_tier_is_not_shipped() -> None:
    encoder, codes = coded()
    exact, prints, omitted, others = POOL[:50], POOL[50:350], POOL[350:410], POOL[410:]
    rows = encoder(torch.from_numpy(np.concatenate([exact, prints])))
    assert rows.in_head.all()
    np.testing.assert_array_equal(rows.head[:50].numpy(), find_positions(exact, place_keys(exact)))
    positions = positions_in(Tier(300, 8, 37, Fingerprints(16)), prints, prints)
    np.testing.assert_array_equal(rows.head[50:].numpy(), Tier(50).num_positions + codes[positions])
    for keys in (omitted, others):
        strangers = keys[positions_in(Tier(300, 8, 37, Fingerprints(16)), prints, keys) < 0]
        assert strangers.size > 0.98 * keys.size
        found = encoder(torch.from_numpy(strangers))
        assert found.in_tail.all()
        np.testing.assert_array_equal(found.tail.numpy(), hash_buckets(strangers, 100, 2, seed=7))


def test_the_engines_name_the_same_coded_rows() -> None:
    encoder, _ = coded()
    keys = torch.from_numpy(POOL)
    expected, found = encoder(keys, int(keys[0])), compiled(encoder, keys, int(keys[0]))
    assert expected.in_head[0]
    assert found[0, 0] == 2**31 - 1
    assert torch.equal(found[1:][expected.in_head[1:]], expected.head[1:, None].expand(-1, 2).int())
    assert torch.equal(~found[expected.in_tail], expected.tail.int())
    lookup = CpuEngine().lookup(keys, encoder.index(int(keys[0])), kept=True)
    assert torch.equal(lookup.rows(), found)


def test_what_a_coded_encoder_keeps_is_what_is_shipped() -> None:
    encoder, _ = coded()
    kept = {name: value.nbytes for name, value in encoder.state_dict().items() if name != "_extra_state"}
    assert kept == {
        "dictionary": Tier(50).dictionary_bytes,
        "dictionary_1": Tier(300, 8, 37, Fingerprints(16)).dictionary_bytes,
        "codes_1": Tier(300, 8, 37, Fingerprints(16)).code_bytes,
    }
    assert encoder.dictionaries[0].codes.numel() == 0


def test_a_lookup_is_answered_by_its_own_encoder_alone() -> None:
    encoder, _ = coded()
    engine = CpuEngine()
    lookup = engine.lookup(torch.from_numpy(POOL), encoder.index(5), kept=True)
    assert engine.answers(lookup, encoder.index(5))
    assert not engine.answers(lookup, encoder.index(None))
    assert not engine.answers(lookup, coded()[0].index(5))
