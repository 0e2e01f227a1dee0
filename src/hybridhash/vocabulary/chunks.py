"""Counting keys that lie in arrays, such as memory-mapped columns larger than memory."""

from collections.abc import Iterable, Iterator, Mapping
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
        columns: For each feature its keys, int64[num_ids] as one array (memory-mapped or not) or as an
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
    parts = [_count_column(_chunks(column), name) for name, column in columns.items()]
    feature = np.repeat(np.arange(len(parts)), [keys.size for keys, _ in parts])
    return Counts(
        np.concatenate([keys for keys, _ in parts]),
        np.concatenate([counts for _, counts in parts]),
        feature.astype(np.int32),
        tuple(columns),
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


def _count_column(chunks: Iterable[Int64s], name: str) -> tuple[Int64s, Int64s]:
    keys = counts = np.empty(0, dtype=np.int64)
    waiting: list[tuple[Int64s, Int64s]] = []
    num_waiting = 0
    for chunk in chunks:
        waiting.append(np.unique(as_int64(chunk, f"feature {name!r}"), return_counts=True))
        num_waiting += waiting[-1][0].size
        if num_waiting > max(keys.size, _CHUNK_KEYS):
            keys, counts = _sum_up([(keys, counts), *waiting])
            waiting, num_waiting = [], 0
    return _sum_up([(keys, counts), *waiting])


def _sum_up(parts: list[tuple[Int64s, Int64s]]) -> tuple[Int64s, Int64s]:
    keys = np.concatenate([keys for keys, _ in parts])
    counts = np.concatenate([counts for _, counts in parts])
    order = np.argsort(keys, kind="stable")
    keys = keys[order]
    starts = run_starts(keys)
    return keys[starts], np.add.reduceat(counts[order], starts)
