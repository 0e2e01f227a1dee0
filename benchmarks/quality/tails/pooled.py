"""Sums and means of hashed rows."""

import torch.nn.functional as F
from torch import Tensor, nn

from benchmarks.quality.need import Need, hash_rows, root_share


class PooledTail(nn.Module):
    """The sum of k rows of one table, times a constant: 1 for the sum, 1 / k for the mean, 1 / sqrt(k) between them.

    Rows start so that the vector has the deviation asked for, whatever the constant. Rows carry the wide weight, which
    is summed and scaled as the vectors are.

    Args:
        need: What to serve, and at how many bytes.
        num_hashes: k.
        scale: The constant.

    Source: Zhang et al., "Model size reduction using frequency based double hashing for recommender systems", RecSys
    2020, section 3.2: the sum of two.
    """

    def __init__(self, need: Need, num_hashes: int, scale: float) -> None:
        """Make the table."""
        super().__init__()
        self._seed = need.seed
        self._num_hashes = num_hashes
        self._scale = scale
        std = root_share(need.init_std, num_hashes) / scale
        self.table = need.rows((need.num_rows(), need.columns), need.generator(), std)

    def forward(self, keys: Tensor) -> Tensor:
        """Return the vectors float[N, columns] of keys int64[N]."""
        rows = hash_rows(keys, len(self.table), self._num_hashes, self._seed)
        return self._scale * F.embedding(rows, self.table).sum(dim=1)
