"""The compiled dictionary is that of the definition in Python integers; every key is found, no other is."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridhash.errors import InvalidValueError
from hybridhash.hashing import dictionary_words, find_positions, keys_that_fit, num_positions, place_keys
from hybridhash.hashing.exact import LINE_KEYS, dictionary_salts
from hybridhash.hashing.mix import mix64

int64s = st.integers(-(2**63), 2**63 - 1) | st.sampled_from([0, 1, -1, 2**63 - 1, -(2**63)])
WORD = 2**64 - 1


def lines_of(key: int, num_lines: int, salt: int) -> tuple[int, int]:
    h = mix64(key + salt)
    swapped = ((h << 32) | (h >> 32)) & WORD
    return (h * num_lines) >> 64, (swapped * num_lines) >> 64


def placed_by_hand(keys: list[int], num_lines: int, salt: int) -> list[int] | None:
    """Cuckoo hashing into lines, key by key; None where no place is found in 2000 moves.

    A key that makes room waits in line; the first of sixteen goes on.
    """
    lines: list[list[int]] = [[] for _ in range(num_lines)]
    waiting: list[tuple[int, int, int]] = []
    random = 0x9E3779B9

    def put(key: int, at: int, moves: int) -> None:
        nonlocal random
        if len(lines[at]) < LINE_KEYS:
            lines[at].append(key)
            return
        random = (random ^ (random << 13)) & 0xFFFFFFFF
        random ^= random >> 17
        random = (random ^ (random << 5)) & 0xFFFFFFFF
        slot = 4 + random % 4
        key, lines[at][slot] = lines[at][slot], key
        first, second = lines_of(key, num_lines, salt)
        waiting.append((key, second if first == at else first, moves + 1))

    for number, key in enumerate(keys):
        first, second = lines_of(key, num_lines, salt)
        load = len(lines[first])
        put(key, first if load < 4 or load <= len(lines[second]) else second, 0)
        while len(waiting) == 16 or (waiting and number == len(keys) - 1):
            key, at, moves = waiting.pop(0)
            if moves > 2000:
                return None
            put(key, at, moves)
    placed: list[int] = []
    for number, line in enumerate(lines):
        filler = 0
        while number in lines_of(filler, num_lines, salt):
            filler += 1
        placed += line + [filler] * (LINE_KEYS - len(line))
    return placed


def dictionary_by_hand(keys: list[int]) -> list[int]:
    """Under the first salt that has a place for all keys."""
    if not keys:
        return []
    for salt in dictionary_salts(64):
        placed = placed_by_hand(keys, num_positions(len(keys)) // LINE_KEYS, salt)
        if placed is not None:
            return [*placed, salt - 2**64 if salt >> 63 else salt]
    raise AssertionError("no salt serves")


@given(st.lists(int64s, unique=True, max_size=60))
def test_the_compiled_dictionary_is_that_of_the_definition(keys: list[int]) -> None:
    dictionary = place_keys(np.array(keys, dtype=np.int64))
    assert dictionary.dtype == np.int64
    assert dictionary.tolist() == dictionary_by_hand(keys)


@pytest.mark.parametrize("size", [1, 7, 8, 9, 76, 1000, 7599, 7600, 30_000])
def test_the_same_at_a_load_that_moves_keys(size: int) -> None:
    keys = np.random.default_rng(size).integers(-(2**63), 2**63, size)
    keys[:3] = [0, -(2**63), 2**63 - 1][: keys[:3].size]
    assert place_keys(keys).tolist() == dictionary_by_hand(keys.tolist())


def test_important_keys_stand_in_their_first_lines() -> None:
    """At the full load: all but a few of the first tenth, and nearly all that is asked for under Zipf's law."""
    keys = np.random.default_rng(5).integers(-(2**63), 2**63, 100_000)
    dictionary = place_keys(keys)
    num_lines, salt = dictionary.size // LINE_KEYS, int(dictionary[-1]) & WORD
    firsts = np.array([lines_of(key, num_lines, salt)[0] for key in keys.tolist()])
    there = find_positions(keys, dictionary) // LINE_KEYS == firsts
    assert there[:10_000].mean() > 0.99
    traffic = np.arange(1, keys.size + 1) ** -1.05
    assert (traffic * there).sum() / traffic.sum() > 0.96
    assert 0.6 < there.mean() < 0.9


@pytest.mark.parametrize("size", [1, 5000, 1_000_000])
def test_a_line_is_one_cache_line(size: int) -> None:
    assert place_keys(np.arange(size)).ctypes.data % 64 == 0


@pytest.mark.parametrize("first", [3, 20_000])
@pytest.mark.parametrize("distance", [1, 5, 9_000])
def test_a_key_that_comes_again_is_found_out(first: int, distance: int) -> None:
    """Also where the other one waits for its place, or is in a line that has moved keys since."""
    for seed in range(20):
        keys = np.random.default_rng(seed).integers(-(2**63), 2**63, 30_000)
        keys[first + distance] = keys[first]
        with pytest.raises(InvalidValueError, match="got one more than once"):
            place_keys(keys)


def test_keys_in_a_row_are_as_good_as_any() -> None:
    keys = np.arange(-5000, 5000)
    assert place_keys(keys).tolist() == dictionary_by_hand(keys.tolist())


@given(st.lists(int64s, unique=True, max_size=60), st.lists(int64s, max_size=60))
def test_every_key_is_found_where_it_stands_and_no_other_is(keys: list[int], others: list[int]) -> None:
    """Also not the numbers that fill free positions: they stand in lines where they are not looked for."""
    dictionary = place_keys(np.array(keys, dtype=np.int64))
    asked = [*keys, *others, 0, 1, 2, 3, 2**63 - 1, -(2**63)]
    found = find_positions(np.array(asked, dtype=np.int64), dictionary)
    assert found.dtype == np.int64
    for key, position in zip(asked, found.tolist(), strict=True):
        assert (position >= 0) == (key in keys)
        if position >= 0:
            num_lines = dictionary.size // LINE_KEYS
            assert dictionary[position] == key
            assert position // LINE_KEYS in lines_of(key, num_lines, int(dictionary[-1]) & WORD)


def test_a_large_vocabulary() -> None:
    """200,000 keys at the load of 0.95; 200,000 that are not there."""
    generator = np.random.default_rng(0)
    both = np.unique(generator.integers(-(2**63), 2**63, 400_001))
    keys, others = generator.permutation(both)[:400_000].reshape(2, -1)
    dictionary = place_keys(keys)
    positions = find_positions(keys, dictionary)
    np.testing.assert_array_equal(dictionary[positions], keys)
    assert positions.min() >= 0
    assert np.unique(positions).size == keys.size
    assert positions.max() < num_positions(keys.size)
    assert 0.9499 < keys.size / num_positions(keys.size) <= 0.95
    assert (find_positions(others, dictionary) == -1).all()


@pytest.mark.parametrize(
    ("num_keys", "positions"),
    [(0, 0), (1, 24), (7, 24), (8, 32), (15, 32), (16, 40), (38, 56), (39, 64), (1_000_000, 1_052_648)],
)
def test_positions_by_hand(num_keys: int, positions: int) -> None:
    """8 * (ceil(num_keys / 7.6) + 2), and a word for the salt."""
    assert num_positions(num_keys) == positions
    assert dictionary_words(num_keys) == (positions + 1 if positions else 0)


@given(st.integers(0, 2**31))
def test_positions_are_those_of_exact_integers(num_keys: int) -> None:
    """7.6 is 38 / 5."""
    assert num_positions(num_keys) == (8 * (-(-5 * num_keys // 38) + 2) if num_keys else 0)


@given(st.integers(0, 2**31))
def test_the_most_keys_that_fit(positions: int) -> None:
    most = keys_that_fit(positions)
    assert num_positions(most) <= positions
    assert num_positions(most + 1) > positions


def test_salts_are_one_fixed_stream() -> None:
    assert dictionary_salts(3) == dictionary_salts(64)[:3]
    assert len(set(dictionary_salts(64))) == 64


def test_no_keys_have_no_dictionary() -> None:
    empty = place_keys(np.empty(0, dtype=np.int64))
    assert empty.size == 0
    assert find_positions(np.array([0, 5]), empty).tolist() == [-1, -1]


def test_keys_that_are_not_contiguous() -> None:
    keys = np.arange(40)[::2]
    assert place_keys(keys).tolist() == place_keys(keys.copy()).tolist()
    assert find_positions(keys[::2], place_keys(keys)).min() >= 0


def test_repeated_keys_are_refused() -> None:
    with pytest.raises(InvalidValueError, match="keys: expected distinct keys, got one more than once"):
        place_keys(np.array([3, 5, 3]))


def test_keys_that_find_no_place_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hybridhash.hashing.exact.dictionary_salts", lambda count: [])
    with pytest.raises(InvalidValueError, match="found no place for 2 of them"):
        place_keys(np.array([3, 5]))
