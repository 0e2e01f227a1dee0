"""Bloom embeddings: every id is several rows of one table, summed."""

from typing import Final

import torch.nn.functional as F
from torch import Tensor, nn

from benchmarks.quality.need import Need, hash_rows, root_share

NUM_HASHES: Final = 2


class BloomEmbedding(nn.Module):
    """The input layer of a network over Bloom-filtered ids: an id sets k of m bits, which read k rows.

    Rows carry the wide weight, which is summed as the vectors are.

    Args:
        need: What to serve, and at how many bytes.

    Source: Serra and Karatzoglou, "Getting deep recommenders fit: Bloom embeddings for sparse binary input/output
    networks", RecSys 2017, section 3; two to four hashes are what they advise. An id whose hashes meet in one row
    reads it twice here, where a bit is set once there.
    """

    def __init__(self, need: Need) -> None:
        """Make the table."""
        super().__init__()
        self._seed = need.seed
        std = root_share(need.init_std, NUM_HASHES)
        self.table = need.rows((need.num_rows(), need.columns), need.generator(), std)

    def forward(self, keys: Tensor) -> Tensor:
        """Return the vectors float[N, columns] of keys int64[N]."""
        return F.embedding_bag(
            hash_rows(keys, len(self.table), NUM_HASHES, self._seed), self.table, mode="sum"
        )
