"""Which rows each batch holds: in file order or shuffled, also when the rows are larger than memory."""

from collections.abc import Iterator
from typing import Final

import numpy as np
import numpy.typing as npt

from hybridhash.data.batch import Batch
from hybridhash.data.keyed_rows import KeyedRows
from hybridhash.errors import InvalidValueError

Int64s = npt.NDArray[np.int64]

WINDOW_BYTES: Final = 1 << 29  # of keys that a shuffle spreads its reads over
BLOCK_ROWS: Final = 4096


def iterate_batches(
    rows: KeyedRows,
    indices: Int64s,
    batch_size: int,
    shuffle_seed: int | None = None,
    drop_last: bool = False,
    window_bytes: int = WINDOW_BYTES,
) -> Iterator[Batch]:
    """Yield some rows in batches, each row once.

    Args:
        rows: The rows as keys.
        indices: int64[n], the rows; as `KeyedRows.indices` returns them, rising.
        batch_size: Rows per batch, at least 1.
        shuffle_seed: None for the order of ``indices``; otherwise the seed of the order. Use another seed
            in every epoch.
        drop_last: Leave out a last batch of fewer rows.
        window_bytes: Bytes of the keys that are shuffled together; see `shuffled`.

    Yields:
        Batches of ``batch_size`` rows.

    Raises:
        InvalidValueError: ``batch_size`` below 1.
    """
    for chosen in batch_indices(rows, indices, batch_size, shuffle_seed, drop_last, window_bytes):
        yield rows.take(chosen)


def batch_indices(
    rows: KeyedRows,
    indices: Int64s,
    batch_size: int,
    shuffle_seed: int | None = None,
    drop_last: bool = False,
    window_bytes: int = WINDOW_BYTES,
) -> Iterator[Int64s]:
    """Yield which rows each batch of `iterate_batches` holds, without reading the rows.

    Args:
        rows: The rows as keys.
        indices: int64[n], the rows; as `KeyedRows.indices` returns them, rising.
        batch_size: Rows per batch, at least 1.
        shuffle_seed: The seed of the order; None for the order of ``indices``.
        drop_last: Leave out a last batch of fewer rows.
        window_bytes: Bytes of the keys that are shuffled together.

    Yields:
        int64[batch_size].

    Raises:
        InvalidValueError: ``batch_size`` below 1.
    """
    if batch_size < 1:
        raise InvalidValueError(f"batch_size: expected 1 or more, got {batch_size}")
    window_rows = max(window_bytes // rows.bytes_per_row, BLOCK_ROWS)
    pieces = iter([indices]) if shuffle_seed is None else shuffled(indices, shuffle_seed, window_rows)
    rest = np.empty(0, dtype=np.int64)
    for piece in pieces:
        pending = np.concatenate([rest, piece]) if rest.size else piece
        end = pending.size - pending.size % batch_size
        for start in range(0, end, batch_size):
            yield pending[start : start + batch_size]
        rest = pending[end:]
    if rest.size and not drop_last:
        yield rest


def shuffled(indices: Int64s, seed: int, window_rows: int, block_rows: int = BLOCK_ROWS) -> Iterator[Int64s]:
    """Permute indices so that a reader needs only a window of the rows at a time.

    When all fit one window it is a full permutation. Otherwise blocks of consecutive indices are put in
    random order, and within each window of blocks the rows are permuted.

    Args:
        indices: int64[n].
        seed: The seed of the permutation.
        window_rows: How many rows may be read at random.
        block_rows: How many consecutive rows are kept together on the way into a window.

    Yields:
        int64 arrays that together hold every index once.
    """
    random = np.random.default_rng(seed)
    if indices.size <= window_rows:
        yield indices[random.permutation(indices.size)]
        return
    starts = random.permutation(np.arange(0, indices.size, block_rows))
    blocks_per_window = max(window_rows // block_rows, 1)
    for first in range(0, starts.size, blocks_per_window):
        window = np.concatenate(
            [indices[start : start + block_rows] for start in starts[first : first + blocks_per_window]]
        )
        yield window[random.permutation(window.size)]
