import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridhash.data import Bags, Batch, make_batch
from hybridhash.errors import InvalidValueError


@given(st.integers(0, 4), st.lists(st.booleans(), min_size=1, max_size=4), st.randoms())
def test_every_bag_is_where_the_layout_says(num_rows: int, is_list: list[bool], random: object) -> None:
    rng = np.random.default_rng(random.getrandbits(32))  # type: ignore[attr-defined]
    bags = [[list(range(rng.integers(4) if several else 1)) for _ in range(num_rows)] for several in is_list]
    key = iter(range(1000))
    named = [[[next(key) for _ in bag] for bag in feature] for feature in bags]
    features = []
    for several, rows in zip(is_list, named, strict=True):
        keys = np.array([k for row in rows for k in row], dtype=np.int64)
        ends = np.cumsum([0] + [len(row) for row in rows]).astype(np.int64)
        features.append(Bags(keys, ends if several else None))
    batch = make_batch(features)
    for f, rows in enumerate(named):
        for b, row in enumerate(rows):
            at = f * num_rows + b
            assert batch.keys[batch.offsets[at] : batch.offsets[at + 1]].tolist() == row
    assert batch.offsets.size == len(is_list) * num_rows + 1
    assert batch.offsets[-1] == batch.keys.size
    assert batch.num_features == (len(is_list) if num_rows else 0)


def test_offsets_may_start_anywhere() -> None:
    bags = Bags(np.array([5, 6]), np.array([10, 11, 12]))
    assert make_batch([bags]).offsets.tolist() == [0, 1, 2]
    assert bags.lengths.tolist() == [1, 1]


def test_different_numbers_of_rows_are_refused() -> None:
    one, two = Bags(np.array([1])), Bags(np.array([1, 2]))
    for wrong in ([], [one, two]):
        with pytest.raises(InvalidValueError, match="one number of rows"):
            make_batch(wrong)
    with pytest.raises(InvalidValueError, match="one number of rows"):
        make_batch([two], labels=np.zeros(1, dtype=np.float32))
    batch = make_batch([two], np.zeros(2, dtype=np.float32), np.ones(2, dtype=np.float32))
    assert isinstance(batch, Batch)
    assert batch.num_rows == 2
