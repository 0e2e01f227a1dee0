"""Vectors shrunk towards zero, the more the less often their key was seen."""

from dataclasses import replace
from typing import Final

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks.quality.need import Int64s, Need, hash_rows
from benchmarks.quality.tails.counted import Counted
from benchmarks.quality.tails.joined import JoinedTail

SKETCH_SHARE: Final = 0.25  # of the tail's bytes
PRIOR_COUNT: Final = 1.0
NUM_CHUNKS: Final = 8
_CELLS: Final = 1 << 31
_LARGEST: Final = 15


class CountSketch(nn.Module):
    """Counts of keys in cells of four bits: a cell has the power of two below the sum of all counts hashed to it.

    Args:
        num_cells: Cells, rounded up to an even number.
        seed: Of the hash.
    """

    cells: Tensor

    def __init__(self, num_cells: int, seed: int) -> None:
        """Make empty cells."""
        super().__init__()
        self._seed = seed
        self.register_buffer("cells", torch.zeros(-(-num_cells // 2), dtype=torch.uint8))

    def add(self, keys: Int64s, counts: Int64s) -> None:
        """Count int64[N] distinct keys, all at once; what was counted before is forgotten."""
        places = self._places(torch.from_numpy(keys)).numpy()
        totals = np.bincount(places, weights=counts, minlength=2 * len(self.cells))
        logs = np.minimum(np.frexp(totals)[1], _LARGEST).astype(
            np.uint8
        )  # 0 for none, 1 for 1, 2 for 2 and 3
        self.cells.copy_(torch.from_numpy(logs[0::2] | logs[1::2] << 4))

    def forward(self, keys: Tensor) -> Tensor:
        """Return the counts float[N] of keys int64[N]: a power of two, or 0."""
        places = self._places(keys)
        logs = (self.cells[places // 2] >> (places % 2 * 4).to(torch.uint8)) & _LARGEST
        return torch.where(logs > 0, torch.exp2(logs.float() - 1), 0.0)

    def _places(self, keys: Tensor) -> Tensor:
        return hash_rows(keys, 2 * len(self.cells), 1, self._seed + _CELLS)[:, 0]


class ShrunkTail(nn.Module):
    """Joined chunks times n / (n + `PRIOR_COUNT`), where n is the key's count in a sketch: zero for keys never seen.

    The wide weight shrinks as the vector does. The sketch takes a quarter of the tail's bytes, so at small budgets a
    key never seen often falls on the cell of another.

    Args:
        need: What to serve, and at how many bytes.
        rare: The keys of the tail.

    Source: James and Stein 1961 in the form of Efron and Morris 1975: the best guess from n observations, between
    them and a prior mean of zero, as if that had been observed `PRIOR_COUNT` times.
    """

    def __init__(self, need: Need, rare: Counted) -> None:
        """Count the keys and make the table."""
        super().__init__()
        sketch_bytes = int(SKETCH_SHARE * need.budget_bytes)
        self.sketch = CountSketch(2 * sketch_bytes, need.seed)
        self.sketch.add(rare.keys, rare.counts)
        self.joined = JoinedTail(replace(need, budget_bytes=need.budget_bytes - sketch_bytes), NUM_CHUNKS)

    def forward(self, keys: Tensor) -> Tensor:
        """Return the vectors float[N, columns] of keys int64[N]."""
        counts = self.sketch(keys)
        vectors: Tensor = (counts / (counts + PRIOR_COUNT)).unsqueeze(1) * self.joined(keys)
        return vectors
