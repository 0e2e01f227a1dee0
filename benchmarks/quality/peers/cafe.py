"""CAFE: a sketch finds the hot ids, which have rows of their own; the others share hashed rows."""

from collections.abc import Iterable
from typing import Final

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmarks.quality.need import FLOAT_BYTES, KEY_BYTES, Need, hash_rows
from hybridhash.hashing import hash_buckets

Int64s = npt.NDArray[np.int64]

HOT_SHARE: Final = 0.5  # of the bytes, as the authors' code has it where nothing else is asked
SLOTS: Final = 4
_SKETCH: Final = 1 << 30


class HotSketch:
    """Counts heavy keys in little memory: buckets of a few slots, each bucket a Space-Saving summary.

    A key that finds neither itself nor a free slot in its bucket takes the slot with the lowest score, and that score.

    Args:
        num_buckets: How many buckets of `SLOTS` slots.
        seed: Of the hash from key to bucket.

    Source: Zhang et al. 2024, section 4.1; Metwally et al., "Efficient computation of frequent and top-k elements in
    data streams", ICDT 2005. Scores are counts here, where CAFE adds norms of gradients while it trains.
    """

    def __init__(self, num_buckets: int, seed: int) -> None:
        """Make empty buckets."""
        self._seed = seed
        self._buckets: list[dict[int, int]] = [{} for _ in range(num_buckets)]

    def add(self, keys: Int64s) -> None:
        """Count keys int64[N] in their order."""
        places = hash_buckets(keys, len(self._buckets), 1, self._seed)[:, 0]
        for key, place in zip(keys.tolist(), places.tolist(), strict=True):
            bucket = self._buckets[place]
            if key in bucket:
                bucket[key] += 1
            elif len(bucket) < SLOTS:
                bucket[key] = 1
            else:
                coldest = min(bucket, key=bucket.__getitem__)
                bucket[key] = bucket.pop(coldest) + 1

    def hottest(self, count: int) -> Int64s:
        """Return the keys of the highest scores, highest first, ties by key: int64[count], or as many as there are."""
        found = [(-score, key) for bucket in self._buckets for key, score in bucket.items()]
        return np.array([key for _, key in sorted(found)[:count]], dtype=np.int64)


class HotColdEmbedding(nn.Module):
    """Hot ids have rows of their own, found by their keys; all others read one hashed row of the rest.

    The sketch has a bucket, so four slots, for every hot id, as long as it learns. What answers needs of it are the
    keys of the hot ids, eight bytes each. Rows carry the wide weight.

    Args:
        need: What to serve, and at how many bytes; its keys are gone over once.

    Source: Zhang et al., "CAFE: Towards compact, adaptive, and fast embedding for large-scale recommendation models",
    SIGMOD 2024, sections 3 and 4. Here the sketch learns from the training span before the model does, so no id moves
    between hot and cold, and the cold rows have one level.
    """

    hot_keys: Tensor

    def __init__(self, need: Need) -> None:
        """Find the hot ids and make the rows."""
        super().__init__()
        self._seed = need.seed
        hot_bytes = KEY_BYTES + FLOAT_BYTES * need.columns
        num_hot = max(int(HOT_SHARE * need.budget_bytes) // hot_bytes, 1)
        keys = np.sort(_hot_keys(need.keys(), num_hot, need.seed + _SKETCH))
        self.register_buffer("hot_keys", torch.from_numpy(keys))
        self._num_cold = need.num_rows(need.budget_bytes - keys.size * hot_bytes)
        self.table = need.rows((keys.size + self._num_cold, need.columns), need.generator())

    def forward(self, keys: Tensor) -> Tensor:
        """Return the vectors float[N, columns] of keys int64[N]."""
        places = torch.searchsorted(self.hot_keys, keys).clamp_max(len(self.hot_keys) - 1)
        cold = len(self.hot_keys) + hash_rows(keys, self._num_cold, 1, self._seed)[:, 0]
        return F.embedding(torch.where(self.hot_keys[places] == keys, places, cold), self.table)


def _hot_keys(chunks: Iterable[Int64s], num_hot: int, seed: int) -> Int64s:
    sketch = HotSketch(num_hot, seed)
    for chunk in chunks:
        sketch.add(chunk)
    return sketch.hottest(num_hot)
