"""The vocabulary and its file, against a Python dictionary."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybridhash.errors import FileAccessError, FileFormatError, InvalidTypeError, InvalidValueError
from hybridhash.files import read_checked, write_checked
from hybridhash.hashing import HASH_FAMILY
from hybridhash.vocabulary import FORMAT, VERSION, Vocabulary

INT64 = np.iinfo(np.int64)
KEYS = st.one_of(
    st.integers(INT64.min, INT64.max), st.integers(-3, 3), st.sampled_from([INT64.min, INT64.max])
)


@given(keys=st.lists(KEYS, unique=True), wanted=st.lists(KEYS))
def test_lookup_is_that_of_a_dictionary(keys: list[int], wanted: list[int]) -> None:
    slots = {key: slot for slot, key in enumerate(keys)}
    vocabulary = Vocabulary(keys)
    queries = wanted + keys
    found = vocabulary.lookup(queries)
    assert found.dtype == np.int64
    assert found.tolist() == [slots.get(key, -1) for key in queries]
    assert vocabulary.sorted_keys.tolist() == sorted(keys)
    assert len(vocabulary) == len(keys)


@settings(max_examples=30, deadline=None)
@given(
    pairs=st.dictionaries(KEYS, st.integers(0, INT64.max)),
    with_counts=st.booleans(),
    seed=st.integers(0, 2**64 - 1),
)
def test_a_saved_vocabulary_is_the_same_when_loaded(
    tmp_path_factory: pytest.TempPathFactory, pairs: dict[int, int], with_counts: bool, seed: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "round.vocabulary"
    keys = np.array(list(pairs), dtype=np.int64)
    counts = np.array(list(pairs.values()), dtype=np.int64) if with_counts else None
    Vocabulary(keys, counts, seed).save(path)
    loaded = Vocabulary.load(path)
    assert loaded == Vocabulary(keys, counts, seed)
    assert loaded.keys.tolist() == list(pairs)
    assert loaded.counts is None if counts is None else loaded.counts.tolist() == list(pairs.values())
    assert loaded.seed == seed


def test_equality_sees_every_part() -> None:
    one = Vocabulary([1, 2], [5, 4], seed=3)
    assert one == Vocabulary([1, 2], [5, 4], seed=3)
    assert one != Vocabulary([2, 1], [5, 4], seed=3)
    assert one != Vocabulary([1, 2], [5, 3], seed=3)
    assert one != Vocabulary([1, 2], seed=3)
    assert one != Vocabulary([1, 2], [5, 4])
    assert one != [1, 2]


def test_an_empty_vocabulary_knows_no_key() -> None:
    vocabulary = Vocabulary([])
    assert len(vocabulary) == 0
    assert vocabulary.lookup([0, INT64.min, INT64.max]).tolist() == [-1, -1, -1]
    assert vocabulary.lookup([]).dtype == np.int64


def test_no_caller_can_change_it() -> None:
    keys = np.array([3, 1])
    vocabulary = Vocabulary(keys)
    keys[0] = 9
    assert vocabulary.keys.tolist() == [3, 1]
    for array in (vocabulary.keys, vocabulary.sorted_keys):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 9


def test_repr_says_the_size() -> None:
    assert repr(Vocabulary([3, 1], seed=7)) == "Vocabulary(2 keys, seed=7)"


def test_repeated_keys_are_refused() -> None:
    with pytest.raises(InvalidValueError, match="expected distinct keys, got 7 more than once"):
        Vocabulary([7, 1, 7])


@pytest.mark.parametrize("keys", [np.zeros((1, 1), np.int64), np.int64(1)])
def test_keys_that_are_not_1d_are_refused(keys: np.ndarray) -> None:  # type: ignore[type-arg]
    with pytest.raises(InvalidValueError, match="keys: expected a 1-D array"):
        Vocabulary(keys)
    with pytest.raises(InvalidValueError, match="keys: expected a 1-D array"):
        Vocabulary([1]).lookup(keys)


@pytest.mark.parametrize("keys", [[1.0], ["a"], np.array([1], np.uint64)])
def test_keys_that_are_not_integers_are_refused(keys: list[object]) -> None:
    with pytest.raises(InvalidTypeError, match="keys: expected int64"):
        Vocabulary(keys)  # type: ignore[arg-type]
    with pytest.raises(InvalidTypeError, match="keys: expected int64"):
        Vocabulary([1]).lookup(keys)  # type: ignore[arg-type]


@pytest.mark.parametrize("counts", [[1], [1, 2, 3], [1, -1]])
def test_counts_must_be_one_per_key_and_not_negative(counts: list[int]) -> None:
    with pytest.raises(InvalidValueError, match="expected one count of 0 or more for each of 2 keys"):
        Vocabulary([7, 1], counts)


def test_counts_must_be_integers() -> None:
    with pytest.raises(InvalidTypeError, match="counts: expected int64"):
        Vocabulary([7, 1], [1.0, 2.0])


def test_the_file_says_what_it_is(tmp_path: Path) -> None:
    Vocabulary([7, 1], seed=5).save(tmp_path / "v")
    file = read_checked(tmp_path / "v", "hybridhash-vocabulary", max_version=1)
    assert file.version == 1
    assert file.metadata == {"hash_family": HASH_FAMILY, "seed": 5}
    assert list(file.tensors) == ["keys"]


def test_every_flipped_byte_and_every_truncation_is_detected(tmp_path: Path) -> None:
    path = tmp_path / "v"
    Vocabulary([7, 1], [4, 2]).save(path)
    raw = path.read_bytes()
    for position in range(len(raw)):
        flipped = bytearray(raw)
        flipped[position] ^= 0xFF
        path.write_bytes(flipped)
        with pytest.raises(FileFormatError):
            Vocabulary.load(path)
        path.write_bytes(raw[:position])
        with pytest.raises(FileFormatError):
            Vocabulary.load(path)


def test_a_newer_version_is_refused_by_name(tmp_path: Path) -> None:
    write_checked(tmp_path / "v", {"keys": np.arange(2)}, {}, FORMAT, VERSION + 1)
    with pytest.raises(FileFormatError, match=r"got version 2, written by a newer hybridhash; upgrade"):
        Vocabulary.load(tmp_path / "v")


def test_another_hash_family_is_refused(tmp_path: Path) -> None:
    metadata = {"hash_family": "murmur3/1", "seed": 0}
    write_checked(tmp_path / "v", {"keys": np.arange(2)}, metadata, FORMAT, VERSION)
    with pytest.raises(FileFormatError, match=r"expected keys of the hash family .*, got murmur3/1"):
        Vocabulary.load(tmp_path / "v")


def test_another_kind_of_file_is_refused(tmp_path: Path) -> None:
    write_checked(tmp_path / "v", {"keys": np.arange(2)}, {}, "hybridhash-bundle", 1)
    with pytest.raises(
        FileFormatError, match="expected a hybridhash-vocabulary file, got a hybridhash-bundle"
    ):
        Vocabulary.load(tmp_path / "v")


@pytest.mark.parametrize(
    ("tensors", "seed"),
    [
        ({}, {"seed": 0}),
        ({"keys": np.arange(2)}, {}),
        ({"keys": np.zeros(2, np.int64)}, {"seed": 0}),
        ({"keys": np.zeros(2)}, {"seed": 0}),
        ({"keys": np.arange(2), "counts": np.arange(3)}, {"seed": 0}),
    ],
)
def test_a_checked_file_without_a_vocabulary_is_refused(
    tmp_path: Path,
    tensors: dict[str, np.ndarray],
    seed: dict[str, int],  # type: ignore[type-arg]
) -> None:
    write_checked(tmp_path / "v", tensors, {"hash_family": HASH_FAMILY, **seed}, FORMAT, VERSION)
    with pytest.raises(FileFormatError, match="expected a vocabulary, got a file that holds none"):
        Vocabulary.load(tmp_path / "v")


def test_missing_files_and_folders_are_clear_errors(tmp_path: Path) -> None:
    with pytest.raises(FileAccessError, match="cannot be read"):
        Vocabulary.load(tmp_path / "absent")
    with pytest.raises(FileAccessError, match="cannot be written"):
        Vocabulary([1]).save(tmp_path / "absent" / "v")
