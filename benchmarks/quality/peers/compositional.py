"""Compositional embeddings: every id reads one row of each of k tables, by k independent hashes."""

from typing import ClassVar, Final

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmarks.quality.need import Need, hash_rows, root_share

NUM_CHUNKS: Final = 8


class SumEmbedding(nn.Module):
    """The rows of k tables, summed; rows carry the wide weight, summed too.

    Args:
        need: What to serve, and at how many bytes.

    Source: Shi et al., "Compositional embeddings using complementary partitions for memory-efficient recommendation
    systems", KDD 2020, section 4, with element-wise addition, over hashes in place of partitions, since ids are not
    numbered.
    """

    num_tables: ClassVar[int] = 3

    def __init__(self, need: Need) -> None:
        """Make the tables."""
        super().__init__()
        self._seed = need.seed
        num_rows = need.num_rows(need.budget_bytes // self.num_tables)
        std = root_share(need.init_std, self.num_tables)
        self.tables = need.rows((self.num_tables, num_rows, need.columns), need.generator(), std)

    def forward(self, keys: Tensor) -> Tensor:
        """Return the vectors float[N, columns] of keys int64[N]."""
        return F.embedding_bag(_rows_of(keys, self.tables, self._seed), self.tables.flatten(0, 1), mode="sum")


class ConcatEmbedding(nn.Module):
    """The rows of k tables of dim / k floats, side by side.

    Each short row carries a wide weight of its own, and those of a key are summed.

    Args:
        need: What to serve, and at how many bytes; its dim is a multiple of `NUM_CHUNKS`.

    Source: as `SumEmbedding`, with concatenation for the operation.
    """

    def __init__(self, need: Need) -> None:
        """Make the tables."""
        super().__init__()
        self._seed = need.seed
        self._chunk = need.dim // NUM_CHUNKS
        columns = self._chunk + need.wide
        num_rows = need.num_rows(need.budget_bytes // NUM_CHUNKS, columns)
        self.tables = need.rows((NUM_CHUNKS, num_rows, columns), need.generator())

    def forward(self, keys: Tensor) -> Tensor:
        """Return the vectors float[N, columns] of keys int64[N]."""
        rows = F.embedding(_rows_of(keys, self.tables, self._seed), self.tables.flatten(0, 1))
        vectors, weights = rows[..., : self._chunk].flatten(1), rows[..., self._chunk :].sum(dim=1)
        return torch.cat([vectors, weights], dim=1)


def _rows_of(keys: Tensor, tables: Tensor, seed: int) -> Tensor:
    """Return the row of every key in each table, int64[N, k], counted over all tables."""
    num_tables, num_rows, _ = tables.shape
    return hash_rows(keys, num_rows, num_tables, seed) + num_rows * torch.arange(num_tables)
