"""The rows that keys share are those that change the least, worked out by hand for three keys and two rows."""

import numpy as np
import pytest

from hybridhash.packing import Sensitivity
from hybridhash.spec import TableSpec, Tier
from hybridhash.tables import Blueprint, KeyIndex, ShippedTable, TrainedRows, pack_tables
from hybridhash.vocabulary import Vocabulary

KEYS = np.array([11, 12, 13])


def packed(
    deep: list[list[float]],
    wide: list[list[float]] | None = None,
    *,
    counts: list[int] | None = None,
    sensitivity: Sensitivity | None = None,
) -> list[ShippedTable]:
    """Pack the rows of the three keys, two of which share a row; the wide weights share their codes."""
    spec = TableSpec(3, 1, 2, tiers=(Tier(3, 32, 2),), tail_bits=32)
    blueprint = Blueprint(spec, Vocabulary(KEYS, None if counts is None else np.array(counts)))
    index = KeyIndex.in_training(blueprint)
    positions = index.head_rows(KEYS)
    tables = []
    for table, values in ((spec, deep), (spec.companion(), wide)):
        if values is not None:
            head = np.full((spec.num_positions, table.dim), 100, np.float32)  # nobody reads free positions
            head[positions] = values
            tables.append(TrainedRows(table, head, np.zeros((1, table.bucket_dim), np.float32)))
    return pack_tables(blueprint, index, tables, sensitivity)


def test_the_nearest_rows_are_shared_and_frequent_keys_count_more() -> None:
    rows = [[0.0, 0.0], [1.0, 0.0], [9.0, 9.0]]
    assert packed(rows)[0].vectors(KEYS).tolist() == [[0.5, 0.0], [0.5, 0.0], [9.0, 9.0]]
    counted = packed(rows, counts=[3, 1, 1])[0].vectors(KEYS)
    np.testing.assert_allclose(counted, [[0.25, 0.0], [0.25, 0.0], [9.0, 9.0]])


def test_a_wide_weight_counts_four_times_as_much_as_a_float_of_a_vector() -> None:
    vectors, weights = [[0.0, 0.0], [1.0, 0.0], [0.0, 0.0]], [[0.0], [0.0], [0.6]]
    deep, wide = packed(vectors, weights)
    # Without the factor the first would share with the third, 0.6 away, and not with the second, 1 away.
    np.testing.assert_allclose(deep.vectors(KEYS), [[0.5, 0.0], [0.5, 0.0], [0.0, 0.0]])
    np.testing.assert_allclose(wide.vectors(KEYS), [[0.0], [0.0], [0.6]], rtol=1e-6)
    # One table of width 1 has nothing beside it to be weighed against, and stays as it is.
    spec = TableSpec(3, 1, 1, tiers=(Tier(3, 32, 2),), tail_bits=32)
    blueprint = Blueprint(spec, Vocabulary(KEYS))
    index = KeyIndex.in_training(blueprint)
    head = np.zeros((spec.num_positions, 1), np.float32)
    head[index.head_rows(KEYS)] = [[1 / 3], [1 / 3], [7]]
    [single] = pack_tables(blueprint, index, [TrainedRows(spec, head, np.zeros((1, 1), np.float32))])
    assert single.vectors(KEYS).tolist() == [[np.float32(1 / 3)], [np.float32(1 / 3)], [7.0]]


@pytest.mark.parametrize("matters", [0, 1, 2])
def test_rows_are_shared_by_what_they_do_to_the_loss(matters: int) -> None:
    """Each metric sees one number of a key, a float of its vector or its wide weight; two keys agree there."""
    vectors, weights = [[0.0, 0.0], [0.0, 4.0], [4.0, 0.0]], [[4.0], [0.0], [0.0]]
    metric = np.full(3, 1e-6)
    metric[matters] = 1.0
    sensitivity = Sensitivity(np.zeros(3, dtype=np.int64), np.diag(metric)[None])
    deep, wide = packed(vectors, weights, sensitivity=sensitivity)
    found = np.concatenate([deep.vectors(KEYS), wide.vectors(KEYS)], axis=1)
    first, second = {0: (0, 1), 1: (0, 2), 2: (1, 2)}[matters]
    np.testing.assert_array_equal(found[first], found[second])
    trained = np.concatenate([vectors, weights], axis=1)
    np.testing.assert_allclose(found[first], (trained[first] + trained[second]) / 2, atol=1e-6)


def test_each_key_has_the_metric_of_its_own_feature() -> None:
    """The first two keys agree where their feature matters; the third agrees with the first only where it does not."""
    vectors = [[0.0, 3.0], [0.0, 0.0], [4.0, 3.0]]
    metrics = np.stack([np.diag([1.0, 1e-6]), np.diag([1.0, 1.0])])
    [table] = packed(vectors, sensitivity=Sensitivity(np.array([0, 0, 1]), metrics))
    found = table.vectors(KEYS)
    np.testing.assert_array_equal(found[0], found[1])
    np.testing.assert_allclose(found[2], [4.0, 3.0])
