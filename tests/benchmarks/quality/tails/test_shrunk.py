"""The sketch against exact sums, the vectors against the formula."""

from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest
import torch
from benchmarks.quality.need import Need, tensor_bytes
from benchmarks.quality.tails.counted import Counted
from benchmarks.quality.tails.shrunk import _CELLS, PRIOR_COUNT, CountSketch, ShrunkTail

from hybridhash.hashing import hash_buckets


@pytest.mark.parametrize(
    ("count", "found"),
    [(1, 1), (2, 2), (3, 2), (4, 4), (7, 4), (1000, 512), (1 << 14, 1 << 14), (1 << 20, 1 << 14)],
)
def test_a_count_is_its_power_of_two(count: int, found: int) -> None:
    sketch = CountSketch(1000, seed=0)
    sketch.add(np.array([5]), np.array([count]))
    assert sketch(torch.tensor([5])).tolist() == [found]


def test_keys_of_a_cell_have_their_sum(rare: Counted) -> None:
    sketch = CountSketch(60, seed=4)
    sketch.add(rare.keys, rare.counts)
    places = hash_buckets(np.arange(1000), 60, 1, 4 + _CELLS)[:, 0].tolist()
    totals: Counter[int] = Counter()
    for key, count in zip(rare.keys.tolist(), rare.counts.tolist(), strict=True):
        totals[places[key]] += count
    expected = [0 if not totals[place] else 1 << (totals[place].bit_length() - 1) for place in places]
    assert sketch(torch.arange(1000)).tolist() == expected
    assert 0 in CountSketch(60, seed=4)(torch.arange(3)).tolist()


@pytest.mark.parametrize(("num_cells", "num_bytes"), [(1, 1), (2, 1), (3, 2), (60, 30)])
def test_two_cells_take_a_byte(num_cells: int, num_bytes: int) -> None:
    assert tensor_bytes(CountSketch(num_cells, seed=0)) == num_bytes


def test_vectors_shrink_by_count(make_need: Callable[..., Need], rare: Counted) -> None:
    module = ShrunkTail(make_need(budget_bytes=20_000), rare)
    torch.nn.init.normal_(module.joined.table, generator=torch.Generator().manual_seed(0))
    keys = torch.tensor([1, 2, 300, -17, 123_456])
    counts = module.sketch(keys)
    assert counts[0] >= 128  # of 200
    assert 0 in counts.tolist(), "a key that was never seen has an empty cell"
    expected = [
        (count / (count + PRIOR_COUNT) * vector).tolist()
        for count, vector in zip(counts.tolist(), module.joined(keys), strict=True)
    ]
    assert module(keys).tolist() == [pytest.approx(vector, rel=1e-5) for vector in expected]
    assert 20_000 - 8 < tensor_bytes(module) <= 20_000  # of rows of two floats
