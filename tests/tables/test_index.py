"""Rows of keys by dictionaries in tiers, and the arrays that are refused."""

import numpy as np
import pytest

from hybridhash.errors import InvalidValueError
from hybridhash.hashing import Fingerprints, bucket_salts, find_positions, place_keys
from hybridhash.packing import pack_integers
from hybridhash.spec import TableSpec, Tier
from hybridhash.tables import Blueprint, KeyIndex
from hybridhash.vocabulary import Vocabulary

KEYS = np.random.default_rng(0).permutation(400)
TIERS = (Tier(50), Tier(100, 8, 7, Fingerprints(20)), Tier(50, 0))
SPEC = TableSpec(200, 9, 8, 2, "sum", seed=3, tiers=TIERS)
TRAINED = KeyIndex.in_training(Blueprint(SPEC, Vocabulary(KEYS[:200])))


def test_in_training_every_key_has_a_row_of_its_own() -> None:
    rows = TRAINED.head_rows(KEYS[:200])
    np.testing.assert_array_equal(rows[:50], find_positions(KEYS[:50], place_keys(KEYS[:50])))
    assert len(set(rows.tolist())) == 200
    assert TIERS[0].num_positions <= rows[50:150].min() <= rows[50:150].max()
    assert rows[50:150].max() < TIERS[0].num_positions + TIERS[1].num_positions <= rows[150:].min()
    assert (TRAINED.head_rows(KEYS[200:]) == -1).mean() > 0.99
    assert TRAINED.words == tuple(bucket_salts(2, 3))


def test_a_shipped_index_reads_codes_and_leaves_tiers_out() -> None:
    """A code beyond the seven rows reads the last."""
    codes = np.arange(TIERS[1].num_positions, dtype=np.uint32) % 8
    places = [one.places for one in TRAINED.dictionaries[:2]]
    shipped = KeyIndex.shipped(SPEC, places, [np.empty(0, dtype=np.uint8), pack_integers(codes, 3)])
    trained = TRAINED.head_rows(KEYS)
    found = shipped.head_rows(KEYS)
    first = TIERS[0].num_positions
    np.testing.assert_array_equal(found[:50], trained[:50])
    np.testing.assert_array_equal(found[50:150], first + np.minimum(codes[trained[50:150] - first], 6))
    assert (found[150:] == -1).mean() > 0.99


def test_which_tables_it_serves() -> None:
    assert TRAINED.serves(SPEC.companion())
    assert not TRAINED.serves(TableSpec(200, 9, 8, 2, "sum", seed=4, tiers=TIERS))


def test_arrays_of_another_table_are_refused() -> None:
    places, nothing = [one.places for one in TRAINED.dictionaries[:2]], np.empty(0, dtype=np.uint8)
    codes = np.zeros(TIERS[1].code_bytes, dtype=np.uint8)
    for mine, coded, message in (
        (places[:1], [nothing], "dictionaries: expected 2, one for each tier that is shipped, got 1"),
        ([places[0][:-1], places[1]], [nothing, codes], "dictionary 0: expected 73 int64"),
        ([places[0], places[1].astype(np.int8)], [nothing, codes], "dictionary 1: .* got .* int8"),
        (places, [nothing, codes[:-1]], "dictionary 1: expected .* bytes of codes"),
    ):
        with pytest.raises(InvalidValueError, match=message):
            KeyIndex.shipped(SPEC, mine, coded)
