"""Hash embeddings: rows of a shared pool, weighted by what is learned of each id."""

from typing import Final

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmarks.quality.need import FLOAT_BYTES, Need, hash_rows, root_share

NUM_HASHES: Final = 2
IMPORTANCE_SHARE: Final = 0.25
_IMPORTANCES: Final = 1 << 30


class HashEmbedding(nn.Module):
    """The sum of k hashed rows of a pool, each times an importance weight.

    The k importance weights of an id stand in a hashed row of a table of their own, which takes a quarter of the bytes:
    about three such rows for a row of the pool. Rows carry the wide weight, which is weighted too.

    Args:
        need: What to serve, and at how many bytes.

    Source: Svenstrup, Hansen and Winther, "Hash embeddings for efficient word representations", NeurIPS 2017, section
    3, with k = 2 and without the importance weights beside the vector. Those start at 1 here and near 0 there, which
    would hold back the wide weights, which start at 0 themselves.
    """

    def __init__(self, need: Need) -> None:
        """Make the pool and the importance weights."""
        super().__init__()
        self._seed = need.seed
        importance_bytes = int(IMPORTANCE_SHARE * need.budget_bytes)
        row_bytes = FLOAT_BYTES * NUM_HASHES
        self.importance = nn.Parameter(torch.ones(max(importance_bytes // row_bytes, 1), NUM_HASHES))
        pool_bytes = need.budget_bytes - row_bytes * len(self.importance)
        std = root_share(need.init_std, NUM_HASHES)
        self.pool = need.rows((need.num_rows(pool_bytes), need.columns), need.generator(), std)

    def forward(self, keys: Tensor) -> Tensor:
        """Return the vectors float[N, columns] of keys int64[N]."""
        rows = hash_rows(keys, len(self.pool), NUM_HASHES, self._seed)
        places = hash_rows(keys, len(self.importance), 1, self._seed + _IMPORTANCES)[:, 0]
        weights = F.embedding(places, self.importance)
        return F.embedding_bag(rows, self.pool, mode="sum", per_sample_weights=weights)
