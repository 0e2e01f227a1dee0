"""The quotient-remainder trick: every id is the product of two rows."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmarks.quality.need import Need, hash_rows


class QuotientRemainderEmbedding(nn.Module):
    """The row of an id's remainder times, float by float, the row of its quotient.

    An id's number i in [0, m * c) reads row i mod m of a table of m rows and row i div m of one of c rows, c being
    the fewest quotients that tell all ids apart. Ids have no numbers here, and a table of them would cost an eighth of
    the uncompressed bytes, so i is a hash. The wide weight is one more column: a product that starts as 0 times 1.

    Args:
        need: What to serve, and at how many bytes.

    Source: Shi et al., "Compositional embeddings using complementary partitions for memory-efficient recommendation
    systems", KDD 2020, algorithm 2, with the element-wise product.
    """

    def __init__(self, need: Need) -> None:
        """Divide the rows over the two tables and make them."""
        super().__init__()
        self._seed = need.seed
        all_rows = max(need.num_rows(), 2)
        num_quotients = 1
        while num_quotients < all_rows // 2 and num_quotients * (all_rows - num_quotients) < need.num_keys:
            num_quotients += 1
        generator = need.generator()
        std = math.sqrt(need.init_std)  # the product of two has the deviation asked for
        self.remainders = need.rows((all_rows - num_quotients, need.columns), generator, std)
        self.quotients = need.rows((num_quotients, need.columns), generator, std)
        if need.wide:
            with torch.no_grad():
                self.quotients[:, -1] = 1.0

    def forward(self, keys: Tensor) -> Tensor:
        """Return the vectors float[N, columns] of keys int64[N]."""
        num_remainders = len(self.remainders)
        ids = hash_rows(keys, num_remainders * len(self.quotients), 1, self._seed)[:, 0]
        remainders = F.embedding(ids % num_remainders, self.remainders)
        return remainders * F.embedding(ids // num_remainders, self.quotients)
