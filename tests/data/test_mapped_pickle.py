import pickle
from pathlib import Path

import numpy as np

from hybridhash.data import Bags, Feature, KeyedRows, Schema, pickle_mapped
from hybridhash.data.keyed_rows import allocate


def test_a_mapped_array_goes_by_name_and_all_else_by_value(tmp_path: Path) -> None:
    singles = allocate(tmp_path / "singles.npy", np.int64, (50_000, 1))
    singles[:, 0] = np.arange(50_000)
    labels = np.arange(50_000, dtype=np.float32) % 2
    rows = KeyedRows(
        Schema((Feature("user", "categorical", "int"),)),
        singles,
        (Bags(np.arange(3), np.array([0, 1, 3])),),
        labels,
        np.zeros(50_000, np.uint8),
    )
    pickled = pickle_mapped(rows)
    assert len(pickled) < labels.nbytes + rows.part.nbytes + 10_000  # singles alone have 400,000 bytes
    back = pickle.loads(pickled)
    np.testing.assert_array_equal(back.singles, singles)
    np.testing.assert_array_equal(back.labels, labels)
    np.testing.assert_array_equal(back.lists[0].offsets, rows.lists[0].offsets)
    assert back.schema == rows.schema
    assert not back.singles.flags.writeable
    singles[7, 0] = -1
    assert back.singles[7, 0] == -1  # the same file


def test_a_part_of_a_mapped_array_goes_by_value(tmp_path: Path) -> None:
    array = allocate(tmp_path / "a.npy", np.int64, (10,))
    array[:] = np.arange(10)
    np.testing.assert_array_equal(pickle.loads(pickle_mapped(array[3:7])), np.arange(3, 7))
