from collections.abc import Callable

import numpy as np
import pytest

from hybridhash.data import Feature, KeyedRows, Schema, iterate_batches
from hybridhash.data.sampler import shuffled
from hybridhash.errors import InvalidValueError


@pytest.fixture
def numbered() -> Callable[[int], KeyedRows]:
    """Rows whose keys are their numbers."""

    def make(count: int) -> KeyedRows:
        keys = np.arange(count, dtype=np.int64)[:, None]
        schema = Schema((Feature("a", "categorical", "int"),))
        part = np.zeros(count, dtype=np.uint8)
        return KeyedRows(schema, keys, (), np.zeros(count, dtype=np.float32), part)

    return make


def test_batches_without_a_seed_keep_the_order(numbered: Callable[[int], KeyedRows]) -> None:
    batches = list(iterate_batches(numbered(10), np.arange(1, 10), 4))
    assert [batch.keys.tolist() for batch in batches] == [[1, 2, 3, 4], [5, 6, 7, 8], [9]]
    batches = list(iterate_batches(numbered(10), np.arange(1, 10), 4, drop_last=True))
    assert [batch.num_rows for batch in batches] == [4, 4]


@pytest.mark.parametrize("window_bytes", [1, 1 << 17, 1 << 30])
def test_a_shuffle_is_a_permutation_in_full_batches(
    numbered: Callable[[int], KeyedRows], window_bytes: int
) -> None:
    rows = numbered(30_000)
    indices = np.arange(0, 30_000, 2)

    def order(seed: int) -> list[int]:
        batches = list(iterate_batches(rows, indices, 512, seed, window_bytes=window_bytes))
        assert [batch.num_rows for batch in batches] == [512] * 29 + [152]
        return [key for batch in batches for key in batch.keys.tolist()]

    first = order(1)
    assert sorted(first) == indices.tolist()
    assert first != indices.tolist()
    assert order(1) == first
    assert order(2) != first


def test_a_window_reads_only_its_blocks() -> None:
    pieces = list(shuffled(np.arange(100), seed=3, window_rows=20, block_rows=10))
    assert sorted(np.concatenate(pieces).tolist()) == list(range(100))
    assert [piece.size for piece in pieces] == [20] * 5
    for piece in pieces:
        assert len({index // 10 for index in piece.tolist()}) == 2  # two blocks, mixed
        assert piece.tolist() != sorted(piece.tolist())
    assert sorted(np.concatenate(list(shuffled(np.arange(25), 0, 20, 10))).tolist()) == list(range(25))


def test_a_batch_has_rows(numbered: Callable[[int], KeyedRows]) -> None:
    with pytest.raises(InvalidValueError, match="batch_size"):
        next(iterate_batches(numbered(3), np.arange(3), 0))
    assert list(iterate_batches(numbered(3), np.arange(0), 2, 1)) == []
