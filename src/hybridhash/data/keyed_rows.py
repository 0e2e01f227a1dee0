"""All rows of a data set as keys, in memory-mapped arrays, from which batches are taken."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from hybridhash.data.batch import Bags, Batch
from hybridhash.data.schema import Schema
from hybridhash.data.split import TRAIN

Int64s = npt.NDArray[np.int64]

DEFAULT_CHUNK_ROWS: Final = 1 << 18


@dataclass(frozen=True)
class KeyedRows:
    """N rows as keys, in the order of time (or of the input).

    The arrays are memory-mapped files, so they may be larger than memory; they are not to be changed.

    Attributes:
        schema: The features.
        singles: int64[N, S], the keys of the features with one key a row: categorical and numeric ones,
            then crosses.
        lists: Per list feature, keys int64[num_ids] and offsets int64[N + 1].
        labels: float32[N], 0 or 1.
        part: uint8[N]: 0 train, 1 validation, 2 test.
        weights: float32[N], or None.
        times: float64[N], rising, or None.
        extra: Per column that was passed through, float64[N].
    """

    schema: Schema
    singles: Int64s
    lists: tuple[Bags, ...]
    labels: npt.NDArray[np.float32]
    part: npt.NDArray[np.uint8]
    weights: npt.NDArray[np.float32] | None = None
    times: npt.NDArray[np.float64] | None = None
    extra: Mapping[str, npt.NDArray[np.float64]] = field(default_factory=dict)

    @property
    def num_rows(self) -> int:
        """N."""
        return self.labels.size

    @property
    def bytes_per_row(self) -> int:
        """Bytes of a row's keys on average; what a shuffle has to hold."""
        num_ids = self.singles.size + sum(bags.keys.size for bags in self.lists)
        return 8 * (num_ids // max(self.num_rows, 1) + 1)

    def indices(self, *parts: int) -> Int64s:
        """Return the numbers of the rows of these parts, rising.

        Args:
            parts: `TRAIN`, `VALIDATION`, `TEST`.
        """
        return np.flatnonzero(np.isin(self.part, parts))

    def take(self, indices: Int64s) -> Batch:
        """Make a batch of some rows, in the order of ``indices``.

        Args:
            indices: int64[B], in [0, N).

        Returns:
            The batch, its arrays its own.
        """
        num_before = len(self.schema.of_kind("categorical", "numeric"))
        num_rows = indices.size
        columns = np.ascontiguousarray(np.take(self.singles, indices, axis=0).T)
        labels = self.labels[indices]
        weights = None if self.weights is None else self.weights[indices]
        if not self.lists:
            return Batch(columns.reshape(-1), np.arange(columns.size + 1), num_rows, labels, weights)
        bags = [_take_bags(item, indices) for item in self.lists]
        keys = [
            columns[:num_before].reshape(-1),
            *(item.keys for item in bags),
            columns[num_before:].reshape(-1),
        ]
        lengths = np.ones((len(self.schema.features), num_rows), dtype=np.int64)
        for index, item in enumerate(bags, num_before):
            lengths[index] = item.lengths
        offsets = np.zeros(lengths.size + 1, dtype=np.int64)
        np.cumsum(lengths.reshape(-1), out=offsets[1:])
        return Batch(np.concatenate(keys), offsets, num_rows, labels, weights)

    def key_chunks(self, *parts: int, chunk_rows: int = DEFAULT_CHUNK_ROWS) -> Iterator[dict[str, Int64s]]:
        """Go once over the keys of all features, in row order.

        Args:
            parts: Only the rows of these parts; the training rows when none is named.
            chunk_rows: Rows read at a time.

        Yields:
            Per feature the keys of a chunk's rows, int64[num_ids].
        """
        wanted = parts or (TRAIN,)
        for start in range(0, self.num_rows, chunk_rows):
            chosen = np.flatnonzero(np.isin(self.part[start : start + chunk_rows], wanted)) + start
            if chosen.size:
                yield {name: self._keys(name, chosen) for name in self.schema.names}

    def keys_of(self, feature: str, *parts: int, chunk_rows: int = DEFAULT_CHUNK_ROWS) -> Iterator[Int64s]:
        """Go over the keys of one feature, in row order.

        Args:
            feature: The feature's name.
            parts: Only the rows of these parts; the training rows when none is named.
            chunk_rows: Rows read at a time.

        Yields:
            int64[num_ids], chunk by chunk.

        Raises:
            DataError: No such feature.
        """
        self.schema.feature(feature)
        wanted = parts or (TRAIN,)
        for start in range(0, self.num_rows, chunk_rows):
            chosen = np.flatnonzero(np.isin(self.part[start : start + chunk_rows], wanted)) + start
            if chosen.size:
                yield self._keys(feature, chosen)

    def _keys(self, feature: str, rows: Int64s) -> Int64s:
        lists = [item.name for item in self.schema.of_kind("list")]
        if feature in lists:
            return _take_bags(self.lists[lists.index(feature)], rows).keys
        singles = [item.name for item in self.schema.of_kind("categorical", "numeric", "cross")]
        return np.take(self.singles[:, singles.index(feature)], rows)


def _take_bags(bags: Bags, rows: Int64s) -> Bags:
    assert bags.offsets is not None
    starts = bags.offsets[rows]
    lengths = bags.offsets[rows + 1] - starts
    offsets = np.zeros(rows.size + 1, dtype=np.int64)
    np.cumsum(lengths, out=offsets[1:])
    positions = np.repeat(starts - offsets[:-1], lengths) + np.arange(int(offsets[-1]))
    return Bags(bags.keys[positions], offsets)


def allocate(path: Path, dtype: Any, shape: tuple[int, ...]) -> npt.NDArray[Any]:
    """Make a memory-mapped ``.npy`` file; an array without elements stays in memory.

    Args:
        path: The file, which is overwritten.
        dtype: The type of the elements.
        shape: The shape of the array.
    """
    if 0 in shape:
        return np.empty(shape, dtype=dtype)
    array = np.lib.format.open_memmap(path, mode="w+", dtype=dtype, shape=shape)
    return np.asarray(array)  # a plain view: slicing a memmap costs several times more
