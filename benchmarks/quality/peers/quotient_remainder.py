"""The quotient-remainder trick: every id is the product of two rows."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmarks.quality.need import Need, hash_rows


class QuotientRemainderEmbedding(nn.Module):
    """The row of an id's remainder times, float by float, the row of its quotient.

    An id's number i in [0, m * m) reads row i mod m of one table and row i div m of the other. Both have m rows, which
    gives the most pairs for the bytes. Ids have no numbers here, and a table of them would cost an eighth of the
    uncompressed bytes, so i is a hash. The wide weight is one more column: a product that starts as 0 times 1.

    Args:
        need: What to serve, and at how many bytes.

    Source: Shi et al., "Compositional embeddings using complementary partitions for memory-efficient recommendation
    systems", KDD 2020, algorithm 2, with the element-wise product. There the smaller table is as small as tells all
    ids apart, which did worse here.
    """

    def __init__(self, need: Need) -> None:
        """Make the two tables."""
        super().__init__()
        self._seed = need.seed
        generator = need.generator()
        std = math.sqrt(need.init_std)  # the product of two has the deviation asked for
        shape = (need.num_rows(need.budget_bytes // 2), need.columns)
        self.remainders = need.rows(shape, generator, std)
        self.quotients = need.rows(shape, generator, std)
        if need.wide:
            with torch.no_grad():
                self.quotients[:, -1] = 1.0

    def forward(self, keys: Tensor) -> Tensor:
        """Return the vectors float[N, columns] of keys int64[N]."""
        num_rows = len(self.remainders)
        ids = hash_rows(keys, num_rows * num_rows, 1, self._seed)[:, 0]
        return F.embedding(ids % num_rows, self.remainders) * F.embedding(ids // num_rows, self.quotients)
