"""Counting keys that lie in arrays, such as memory-mapped columns larger than memory."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

import numpy as np

from hybridhash.errors import InvalidValueError
from hybridhash.vocabulary.checks import Int64s, as_int64
from hybridhash.vocabulary.counts import Counts
from hybridhash.vocabulary.grouping import run_starts

_CHUNK_KEYS: Final = 1 << 22  # keys sorted at once: 32 MiB


def count_keys(columns: Mapping[str, Int64s | Iterable[Int64s]], num_rows: int, seed: int = 0) -> Counts:
    """Count keys that are already made, feature by feature, a chunk at a time.

    Each chunk is sorted and counted; the chunks' counts are added up whenever they outgrow the distinct
    keys found so far. So memory is bounded by the distinct keys of one feature and one chunk, and the work
    by a constant number of passes.

    Args:
        columns: The keys of each feature, int64[num_ids] as one array (memory-mapped or not) or as an
            iterable of such chunks. A list feature has more or fewer ids than rows.
        num_rows: How many rows the columns stand for.
        seed: The seed the keys were hashed with.

    Returns:
        The counts, equal to those of `count` on the same rows.

    Raises:
        InvalidTypeError: A chunk does not hold integers that int64 can hold.
        InvalidValueError: There is no feature, a chunk is not 1-D, or ``num_rows`` is negative.

    Example:
        >>> count_keys({"ad": np.array([7, 5, 5])}, num_rows=3).counts.tolist()
        [2, 1]
    """
    if not columns:
        raise InvalidValueError("columns: expected one or more features, got none")
    counted: dict[str, tuple[Int64s, Int64s]] = {}
    for name, column in columns.items():
        counter = _Counter(name, _CHUNK_KEYS)
        for chunk in _chunks(column):
            counter.add(chunk)
        counted[name] = counter.total()
    return _join(counted, num_rows, seed)


def count_key_chunks(
    chunks: Iterable[Mapping[str, Int64s]], features: Sequence[str], num_rows: int, seed: int = 0
) -> Counts:
    """Count keys that are already made, all features in one pass.

    Memory is bounded by the distinct keys of all features, which the counts hold anyway, and one chunk.

    Args:
        chunks: Each holds the keys of some rows, int64[num_ids] for every feature.
        features: The features' names.
        num_rows: How many rows the chunks stand for.
        seed: The seed the keys were hashed with.

    Returns:
        The counts, equal to those of `count_keys` on the same keys.

    Raises:
        InvalidTypeError: A chunk does not hold integers that int64 can hold.
        InvalidValueError: There is no feature, a chunk lacks one or is not 1-D, or ``num_rows`` is negative.

    Example:
        >>> chunks = [{"ad": np.array([7, 5])}, {"ad": np.array([5])}]
        >>> count_key_chunks(chunks, ["ad"], num_rows=3).counts.tolist()
        [2, 1]
    """
    if not features:
        raise InvalidValueError("features: expected one or more, got none")
    counters = {name: _Counter(name, _CHUNK_KEYS // len(features)) for name in features}
    for chunk in chunks:
        missing = [name for name in features if name not in chunk]
        if missing:
            raise InvalidValueError(
                f"chunks: expected the keys of every feature, got none of {', '.join(missing)}"
            )
        for name, counter in counters.items():
            counter.add(chunk[name])
    return _join({name: counter.total() for name, counter in counters.items()}, num_rows, seed)


def _join(counted: Mapping[str, tuple[Int64s, Int64s]], num_rows: int, seed: int) -> Counts:
    parts = list(counted.values())
    feature = np.repeat(np.arange(len(parts)), [keys.size for keys, _ in parts])
    return Counts(
        np.concatenate([keys for keys, _ in parts]),
        np.concatenate([counts for _, counts in parts]),
        feature.astype(np.int32),
        tuple(counted),
        num_rows,
        seed,
    )


def _chunks(column: Int64s | Iterable[Int64s]) -> Iterator[Int64s]:
    if not isinstance(column, np.ndarray):
        yield from column
        return
    if column.ndim != 1:
        yield column  # to be refused with its shape
        return
    for start in range(0, column.size, _CHUNK_KEYS):
        yield column[start : start + _CHUNK_KEYS]


class _Counter:
    """Adds up the keys of one feature, chunk by chunk.

    Args:
        name: The feature, for errors.
        num_waiting: Distinct keys of chunks that may wait before they are summed up, where that is more
            than the distinct keys found so far.
    """

    def __init__(self, name: str, num_waiting: int) -> None:
        self._name, self._most_waiting = name, num_waiting
        self._parts = [(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64))]
        self._num_waiting = 0

    def add(self, chunk: Int64s) -> None:
        keys, counts = np.unique(as_int64(chunk, f"feature {self._name!r}"), return_counts=True)
        self._parts.append((keys, counts))
        self._num_waiting += keys.size
        if self._num_waiting > max(self._parts[0][0].size, self._most_waiting):
            self.total()

    def total(self) -> tuple[Int64s, Int64s]:
        """Return the distinct keys so far, ascending, and their counts."""
        self._parts, self._num_waiting = [_sum_up(self._parts)], 0
        return self._parts[0]


def _sum_up(parts: list[tuple[Int64s, Int64s]]) -> tuple[Int64s, Int64s]:
    keys = np.concatenate([keys for keys, _ in parts])
    counts = np.concatenate([counts for _, counts in parts])
    order = np.argsort(keys, kind="stable")
    keys = keys[order]
    starts = run_starts(keys)
    return keys[starts], np.add.reduceat(counts[order], starts)
