"""The sketch against exact counts and what Space-Saving guarantees; the rows against a loop."""

from collections import Counter
from collections.abc import Callable

import numpy as np
import torch
from benchmarks.quality.need import Need
from benchmarks.quality.peers.cafe import SLOTS, HotColdEmbedding, HotSketch
from hypothesis import given
from hypothesis import strategies as st

from hybridhash.hashing import hash_buckets


def test_a_sketch_with_room_for_all_counts_exactly() -> None:
    keys = np.random.default_rng(1).zipf(1.5, 3000)
    sketch = HotSketch(5000, seed=0)
    sketch.add(keys[:1000])
    sketch.add(keys[1000:])
    exact = sorted(Counter(keys.tolist()).items(), key=lambda item: (-item[1], item[0]))
    assert sketch.hottest(20).tolist() == [key for key, _ in exact[:20]]


@given(st.lists(st.integers(0, 9), min_size=1, max_size=60))
def test_a_full_bucket_keeps_what_is_frequent(keys: list[int]) -> None:
    """Metwally et al. 2005: scores add up to the stream, are no less than the counts, and no frequent key is lost."""
    sketch = HotSketch(1, seed=0)
    sketch.add(np.array(keys, dtype=np.int64))
    [bucket] = sketch._buckets
    exact = Counter(keys)
    assert sum(bucket.values()) == len(keys)
    assert all(score >= exact[key] for key, score in bucket.items())
    assert {key for key, count in exact.items() if count > len(keys) / SLOTS} <= set(bucket)


def test_hot_keys_have_rows_of_their_own_and_others_share(
    make_need: Callable[..., Need], some_keys: torch.Tensor
) -> None:
    need = make_need()
    module = HotColdEmbedding(need)
    torch.nn.init.normal_(module.table, generator=torch.Generator().manual_seed(0))
    hot = module.hot_keys.tolist()
    assert {1, 2, 3} <= set(hot)
    assert hot == sorted(hot)
    num_cold = len(module.table) - len(hot)
    cold = hash_buckets(some_keys.numpy(), num_cold, 1, need.seed)[:, 0].tolist()
    expected = [
        module.table[hot.index(key) if key in hot else len(hot) + place].tolist()
        for key, place in zip(some_keys.tolist(), cold, strict=True)
    ]
    assert module(some_keys).tolist() == expected


def test_the_keys_of_hot_rows_are_counted(make_need: Callable[..., Need]) -> None:
    module = HotColdEmbedding(make_need())
    num_bytes = 8 * len(module.hot_keys) + 4 * 9 * len(module.table)
    assert 4000 - 36 < num_bytes <= 4000
