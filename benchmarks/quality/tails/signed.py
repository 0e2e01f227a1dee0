"""Hashed rows with hashed signs: what other keys leave in a row is added as often as it is taken away."""

from typing import Final

from torch import Tensor

from benchmarks.quality.need import Need, hash_rows
from benchmarks.quality.tails.joined import JoinedTail
from benchmarks.quality.tails.pooled import PooledTail

_SIGNS: Final = 1 << 30


class SignedSumTail(PooledTail):
    """The sum of k rows, each times +1 or -1 by a hash of the key; the wide weight has the sign of its row.

    Args:
        need: What to serve, and at how many bytes.
        num_hashes: k.

    Source: Charikar, Chen and Farach-Colton, "Finding frequent items in data streams", ICALP 2002 (the count sketch);
    Weinberger et al., "Feature hashing for large scale multitask learning", ICML 2009.
    """

    def __init__(self, need: Need, num_hashes: int) -> None:
        """Make the table."""
        super().__init__(need, num_hashes, 1.0)

    def forward(self, keys: Tensor) -> Tensor:
        """Return the vectors float[N, columns] of keys int64[N]."""
        rows = hash_rows(keys, len(self.table), self._num_hashes, self._seed)
        return (self.table[rows] * hash_signs(keys, self._num_hashes, self._seed)).sum(dim=1)


class SignedJoinedTail(JoinedTail):
    """Chunks side by side, each times +1 or -1 by a hash of the key, with its wide weight.

    Args:
        need: What to serve, and at how many bytes.
        num_chunks: k.

    Source: as `SignedSumTail`; ROBE has such signs (Desai et al. 2022, section 3).
    """

    def forward(self, keys: Tensor) -> Tensor:
        """Return the vectors float[N, columns] of keys int64[N]."""
        return self._joined(self._rows(keys) * hash_signs(keys, self._num_chunks, self._seed))


def hash_signs(keys: Tensor, num_hashes: int, seed: int) -> Tensor:
    """Return a sign per key and hash, float[N, H, 1] of -1 and 1."""
    return (hash_rows(keys, 2, num_hashes, seed + _SIGNS).float() * 2 - 1).unsqueeze(2)
