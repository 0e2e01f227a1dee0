from pathlib import Path

import numpy as np
import pytest

from hybridhash.data import Bags, Feature, KeyedRows, Schema, make_batch
from hybridhash.data.keyed_rows import allocate
from hybridhash.errors import DataError

SCHEMA = Schema(
    (
        Feature("a", "categorical", "int"),
        Feature("b", "categorical", "int"),
        Feature("tags", "list", "int"),
        Feature("a*b", "cross", "key", ("a", "b")),
    )
)
SINGLES = np.array([[row, 10 + row, 20 + row] for row in range(5)])
TAGS = [[100], [], [101, 102], [103], [104, 105, 106]]
OFFSETS = np.cumsum([0] + [len(tags) for tags in TAGS])
ROWS = KeyedRows(
    SCHEMA,
    SINGLES,
    (Bags(np.array([tag for tags in TAGS for tag in tags]), OFFSETS),),
    np.array([0, 1, 0, 1, 1], dtype=np.float32),
    np.array([0, 0, 1, 2, 2], dtype=np.uint8),
    np.arange(5, dtype=np.float32),
)


def test_rows_taken_are_the_batch_made_of_them() -> None:
    indices = np.array([4, 1, 2, 4])
    chosen = [TAGS[index] for index in indices.tolist()]
    tags = Bags(
        np.array([tag for tags in chosen for tag in tags]), np.cumsum([0] + [len(tags) for tags in chosen])
    )
    singles = [Bags(SINGLES[indices, column]) for column in range(3)]
    expected = make_batch([*singles[:2], tags, singles[2]])
    batch = ROWS.take(indices)
    assert batch.keys.tolist() == expected.keys.tolist()
    assert batch.offsets.tolist() == expected.offsets.tolist()
    assert batch.labels is not None
    assert batch.weights is not None
    assert batch.labels.tolist() == [1, 1, 0, 1]
    assert batch.weights.tolist() == [4, 1, 2, 4]


def test_without_lists_all_bags_have_one_key() -> None:
    schema = Schema((SCHEMA.features[0], SCHEMA.features[1], SCHEMA.features[3]))
    rows = KeyedRows(schema, SINGLES, (), ROWS.labels, ROWS.part)
    batch = rows.take(np.array([3, 0]))
    assert batch.keys.tolist() == [3, 0, 13, 10, 23, 20]
    assert batch.offsets.tolist() == list(range(7))
    assert batch.weights is None
    batch.keys[:] = 0  # its own memory
    assert SINGLES[3, 0] == 3


def test_indices_of_parts() -> None:
    assert ROWS.indices(0, 1).tolist() == [0, 1, 2]
    assert ROWS.indices(2).tolist() == [3, 4]


@pytest.mark.parametrize("chunk_rows", [1, 2, 100])
def test_keys_by_feature_and_part(chunk_rows: int) -> None:
    def joined(name: str, *parts: int) -> list[int]:
        chunks = list(ROWS.keys_of(name, *parts, chunk_rows=chunk_rows))
        together = list(ROWS.key_chunks(*parts, chunk_rows=chunk_rows))
        keys = [key for chunk in chunks for key in chunk.tolist()]
        assert keys == [key for chunk in together for key in chunk[name].tolist()]
        return keys

    assert joined("a") == [0, 1]
    assert joined("b", 2) == [13, 14]
    assert joined("tags", 0, 1) == [100, 101, 102]
    assert joined("a*b", 0, 1, 2) == [20, 21, 22, 23, 24]
    with pytest.raises(DataError, match="expected a column 'c'"):
        next(ROWS.keys_of("c"))


def test_an_array_lies_in_its_file(tmp_path: Path) -> None:
    array = allocate(tmp_path / "a.npy", np.int64, (3, 2))
    array[:] = 7
    assert np.load(tmp_path / "a.npy").tolist() == [[7, 7]] * 3
    assert allocate(tmp_path / "b.npy", np.int64, (3, 0)).shape == (3, 0)


def test_the_bytes_of_a_row_count_its_lists() -> None:
    assert ROWS.bytes_per_row == 8 * ((15 + 7) // 5 + 1)
