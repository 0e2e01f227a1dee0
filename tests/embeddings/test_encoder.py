"""The encoder holds the dictionary of its head keys, and knows its hash functions again."""

import numpy as np
import pytest
import torch

from hybridhash.embeddings import RowEncoder
from hybridhash.errors import InvalidTypeError, InvalidValueError
from hybridhash.hashing import bucket_salts, find_positions, hash_buckets, place_keys
from hybridhash.spec import TableSpec
from hybridhash.vocabulary import Vocabulary

SPEC = TableSpec(3, 100, 8, 2, "sum", seed=2**64 - 1)
VOCABULARY = Vocabulary(np.array([30, -7, 12]))


def test_a_head_row_is_the_position_in_the_dictionary() -> None:
    encoder = RowEncoder(SPEC, VOCABULARY)
    rows = encoder(torch.tensor([30, 12, -7, 30]))
    assert encoder.dictionary[rows.head].tolist() == [30, 12, -7, 30]
    assert int(rows.head.max()) < SPEC.num_positions
    assert rows.in_head.all()


def test_the_engines_name_the_same_rows() -> None:
    """Head rows as they are, tail rows with all bits turned, and no row for the padding key."""
    encoder = RowEncoder(SPEC, VOCABULARY)
    keys = torch.tensor([30, 5, -7, 0, 12, 99])
    expected, found = encoder(keys, 99), encoder(keys, 99, "cpu")
    assert found.dtype == torch.int32
    assert found[expected.in_head].tolist() == [[row, row] for row in expected.head.tolist()]
    assert (~found[expected.in_tail]).tolist() == expected.tail.tolist()
    assert found[~expected.counted, 0].tolist() == [2**31 - 1]


def test_tail_rows_are_those_of_the_numpy_definition() -> None:
    keys = np.array([5, -(2**63), 2**63 - 1, 0])
    rows = RowEncoder(SPEC, VOCABULARY)(torch.from_numpy(keys))
    assert rows.in_tail.all()
    np.testing.assert_array_equal(rows.tail.numpy(), hash_buckets(keys, 100, 2, seed=2**64 - 1))


@pytest.mark.parametrize(
    ("padding", "in_head", "in_tail"),
    [(12, [True, True, False], [False, False, True]), (5, [True, True, False], [False, False, False])],
)
def test_a_padding_key_does_not_count(padding: int, in_head: list[bool], in_tail: list[bool]) -> None:
    """It may have a row of its own; it never reads shared ones."""
    rows = RowEncoder(SPEC, VOCABULARY)(torch.tensor([30, 12, 5]), padding_key=padding)
    assert rows.counted.tolist() == [key != padding for key in (30, 12, 5)]
    assert rows.in_head.tolist() == in_head
    assert rows.in_tail.tolist() == in_tail


def test_the_head_row_of_one_key() -> None:
    encoder = RowEncoder(SPEC, VOCABULARY)
    keys = np.array([-7, 12, 30])
    expected = find_positions(keys, encoder.dictionary.numpy()).tolist()
    assert [encoder.head_row(key) for key in keys.tolist()] == expected
    assert len(set(expected)) == 3
    assert [encoder.head_row(key) for key in (-(2**63), 13, 2**63 - 1)] == [None, None, None]
    assert RowEncoder(TableSpec(0, 5, 8), Vocabulary(np.array([], dtype=np.int64))).head_row(0) is None


def test_the_dictionary_is_all_that_weighs() -> None:
    """8 bytes for each of 24 positions and the salt; the hashes' salts follow from the seed."""
    encoder = RowEncoder(SPEC, VOCABULARY)
    persistent = {name: value for name, value in encoder.state_dict().items() if name != "_extra_state"}
    assert {name: value.nbytes for name, value in persistent.items()} == {"dictionary": 200}
    assert [salt % 2**64 for salt in encoder.salts.tolist()] == bucket_salts(2, 2**64 - 1)


def test_a_loaded_dictionary_replaces_the_one_that_was() -> None:
    encoder = RowEncoder(SPEC, Vocabulary(np.array([1, 2, 3])))
    encoder.load_state_dict(RowEncoder(SPEC, VOCABULARY).state_dict())
    assert encoder.dictionary.tolist() == place_keys(VOCABULARY.keys).tolist()
    assert [encoder.head_row(key) is None for key in (1, 30)] == [True, False]


def test_the_vocabulary_stays_apart_from_the_module() -> None:
    encoder = RowEncoder(SPEC, VOCABULARY)
    encoder.dictionary.zero_()
    assert VOCABULARY.sorted_keys.tolist() == [-7, 12, 30]


@pytest.mark.parametrize("other", [TableSpec(3, 100, 8, 2, seed=0), TableSpec(3, 100, 8, 3, seed=2**64 - 1)])
def test_a_state_of_other_hash_functions_is_refused(other: TableSpec) -> None:
    saved = RowEncoder(other, VOCABULARY).state_dict()
    with pytest.raises(InvalidValueError, match=r"expected one of 2 hashes with seed 18446744073709551615"):
        RowEncoder(SPEC, VOCABULARY).load_state_dict(saved)


@pytest.mark.parametrize("size", [2, 4])
def test_a_vocabulary_of_another_size_is_refused(size: int) -> None:
    with pytest.raises(InvalidValueError, match=f"vocabulary: expected 3 keys, .* got {size}"):
        RowEncoder(SPEC, Vocabulary(np.arange(size)))


def test_keys_of_another_type_or_shape_are_refused() -> None:
    encoder = RowEncoder(SPEC, VOCABULARY)
    with pytest.raises(InvalidTypeError, match=r"keys: expected int64, got torch.int32"):
        encoder(torch.tensor([1], dtype=torch.int32))
    with pytest.raises(InvalidTypeError, match=r"keys: expected a torch.Tensor .* got ndarray"):
        encoder(np.array([1]))
    with pytest.raises(InvalidValueError, match="keys: expected 1-D, got 2-D"):
        encoder(torch.tensor([[1]]))


def test_it_serves_every_table_with_its_rows() -> None:
    encoder = RowEncoder(SPEC, VOCABULARY)
    assert encoder.serves(SPEC)
    assert encoder.serves(SPEC.companion())
    assert not encoder.serves(TableSpec(3, 101, 8, 2, seed=2**64 - 1))


def test_it_says_its_sizes() -> None:
    assert repr(RowEncoder(SPEC, VOCABULARY)) == "RowEncoder(num_head=3, num_buckets=100, num_hashes=2)"
