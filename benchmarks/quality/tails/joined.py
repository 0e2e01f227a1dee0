"""Short hashed rows of one table, side by side."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmarks.quality.need import Need, hash_rows


class JoinedTail(nn.Module):
    """Hash h of k fills chunk h of the vector with a row of dim / k floats, all from one table.

    The tail of the package's `hybrid`, which has k = 8. Each row carries a wide weight, and a key's is the mean of
    those of its rows.

    Args:
        need: What to serve, and at how many bytes; k divides its dim.
        num_chunks: k.
    """

    def __init__(self, need: Need, num_chunks: int) -> None:
        """Make the table."""
        super().__init__()
        self._seed = need.seed
        self._num_chunks = num_chunks
        self._chunk = need.dim // num_chunks
        columns = self._chunk + need.wide
        self.table = need.rows((need.num_rows(columns=columns), columns), need.generator())

    def forward(self, keys: Tensor) -> Tensor:
        """Return the vectors float[N, columns] of keys int64[N]."""
        return self._joined(self._rows(keys))

    def _rows(self, keys: Tensor) -> Tensor:
        """Return the rows of each key, float[N, k, columns of a row]."""
        return F.embedding(hash_rows(keys, len(self.table), self._num_chunks, self._seed), self.table)

    def _joined(self, rows: Tensor) -> Tensor:
        vectors, weights = rows[..., : self._chunk].flatten(1), rows[..., self._chunk :].mean(dim=1)
        return torch.cat([vectors, weights], dim=1)
