"""Counting arrays of keys in chunks, against collections.Counter."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridhash.errors import InvalidTypeError, InvalidValueError
from hybridhash.vocabulary import Counts, chunks, count_key_chunks, count_keys

INT64 = np.iinfo(np.int64)
CHUNKS = st.lists(st.lists(st.integers(-5, 5) | st.sampled_from([INT64.min, INT64.max])), max_size=6)


@given(first=CHUNKS, second=CHUNKS, num_chunk_keys=st.sampled_from([1, 2, 3, 5, 100]))
def test_chunks_of_any_size_count_as_one(
    first: list[list[int]], second: list[list[int]], num_chunk_keys: int
) -> None:
    flat = [[key for chunk in column for key in chunk] for column in (first, second)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(chunks, "_CHUNK_KEYS", num_chunk_keys)
        counted = count_keys(
            {
                "a": (np.array(chunk, dtype=np.int64) for chunk in first),
                "b": np.array(flat[1], dtype=np.int64),
            },
            num_rows=9,
        )
    got = zip(counted.feature.tolist(), counted.keys.tolist(), counted.counts.tolist(), strict=True)
    pairs = Counter((index, key) for index, keys in enumerate(flat) for key in keys)
    assert {(index, key): number for index, key, number in got} == pairs
    assert counted.feature_names == ("a", "b")
    assert counted.num_rows == 9


@given(columns=st.tuples(CHUNKS, CHUNKS), num_chunk_keys=st.sampled_from([1, 3, 100]))
def test_one_pass_over_all_features_counts_the_same(
    columns: tuple[list[list[int]], list[list[int]]], num_chunk_keys: int
) -> None:
    arrays = [[np.array(chunk, dtype=np.int64) for chunk in column] for column in columns]
    rows = [dict(zip("ab", pair, strict=True)) for pair in zip(*arrays, strict=False)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(chunks, "_CHUNK_KEYS", num_chunk_keys)
        counted = count_key_chunks(iter(rows), ("a", "b"), num_rows=9, seed=2)
    assert counted == count_keys({name: [row[name] for row in rows] for name in "ab"}, num_rows=9, seed=2)


def test_a_memory_mapped_column_is_counted(tmp_path: Path) -> None:
    np.save(tmp_path / "keys.npy", np.array([3, 3, INT64.min, INT64.max, 0, 3]))
    column = np.load(tmp_path / "keys.npy", mmap_mode="r")
    counted = count_keys({"a": column}, num_rows=6, seed=4)
    assert counted == Counts([3, INT64.min, 0, INT64.max], [3, 1, 1, 1], [0] * 4, ("a",), 6, seed=4)


def test_memory_follows_the_distinct_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    sum_up = chunks._sum_up

    def watched(parts: list[tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:  # type: ignore[type-arg]
        sizes.append(sum(keys.size for keys, _ in parts))
        return sum_up(parts)

    monkeypatch.setattr(chunks, "_CHUNK_KEYS", 10)
    monkeypatch.setattr(chunks, "_sum_up", watched)

    def stream() -> Iterator[np.ndarray]:  # type: ignore[type-arg]
        for _ in range(1_000):
            yield np.arange(10)

    counted = count_keys({"a": stream()}, num_rows=10_000)
    assert counted.counts.tolist() == [1_000] * 10
    assert max(sizes) <= 30  # the 10 distinct keys and at most two chunks


def test_what_cannot_be_counted_is_refused() -> None:
    with pytest.raises(InvalidValueError, match="columns: expected one or more features, got none"):
        count_keys({}, num_rows=0)
    with pytest.raises(InvalidValueError, match="features: expected one or more, got none"):
        count_key_chunks([], [], num_rows=0)
    with pytest.raises(InvalidValueError, match="the keys of every feature, got none of b, c"):
        count_key_chunks([{"a": np.array([1])}], ["a", "b", "c"], num_rows=1)
    with pytest.raises(InvalidTypeError, match="feature 'a': expected int64, got float64"):
        count_keys({"a": np.array([1.0])}, num_rows=1)
    for column in (np.zeros((1, 2), np.int64), [np.zeros((1, 2), np.int64)]):
        with pytest.raises(InvalidValueError, match=r"feature 'a': expected a 1-D array, got shape \(1, 2\)"):
            count_keys({"a": column}, num_rows=1)
    with pytest.raises(InvalidValueError, match="num_rows: expected 0 or more, got -1"):
        count_keys({"a": np.array([1])}, num_rows=-1)
