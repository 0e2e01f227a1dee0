"""ROBE: all vectors are pieces of one flat array."""

from typing import Final

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmarks.quality.need import FLOAT_BYTES, Need, hash_rows

CHUNK: Final = 8
_SIGNS: Final = 1 << 30


class RobeEmbedding(nn.Module):
    """Each chunk of an id's vector starts at a hashed place of the array, runs around its end, and has a hashed sign.

    The wide weight is a chunk of one float in the same array, so it starts near zero, not at zero.

    Args:
        need: What to serve, and at how many bytes; its dim is a multiple of `CHUNK`.

    Source: Desai, Chou and Shrivastava, "Random Offset Block Embedding (ROBE) for compressed embedding tables in deep
    learning recommendation systems", MLSys 2022, section 3 (ROBE-Z, Z = `CHUNK`). There Z is chosen for the speed of
    memory; quality hardly depends on it.
    """

    def __init__(self, need: Need) -> None:
        """Make the array."""
        super().__init__()
        self._seed = need.seed
        self._num_chunks = need.dim // CHUNK
        self._wide = need.wide
        values = torch.empty(max(need.budget_bytes // FLOAT_BYTES, 1), 1)
        self.array = nn.Parameter(values.normal_(0.0, need.init_std, generator=need.generator()))

    def forward(self, keys: Tensor) -> Tensor:
        """Return the vectors float[N, columns] of keys int64[N]."""
        num_chunks = self._num_chunks + self._wide
        starts = hash_rows(keys, len(self.array), num_chunks, self._seed)
        signs = hash_rows(keys, 2, num_chunks, self._seed + _SIGNS).float() * 2 - 1
        deep = starts[:, : self._num_chunks, None] + torch.arange(CHUNK)
        places = torch.cat([deep.flatten(1), starts[:, self._num_chunks :]], dim=1) % len(self.array)
        signs = torch.cat(
            [signs[:, : self._num_chunks].repeat_interleave(CHUNK, dim=1), signs[:, self._num_chunks :]],
            dim=1,
        )
        return F.embedding(places, self.array).squeeze(2) * signs
