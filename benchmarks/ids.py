"""The traffic: Zipf-distributed ids in bags."""

from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

import hybridhash as hh
from hybridhash.hashing import hash_buckets

_EXACT_RANKS: Final = 100_000


@dataclass(frozen=True)
class Setting:
    """Sizes of a comparison; the defaults are those of the figures that have targets.

    Attributes:
        num_ids: T, distinct ids.
        exponent: Of the Zipf law; 0 is uniform.
        num_bags: Bags in a batch.
        bag_length: Ids in a bag.
        dim: D.
        num_head: K, head keys.
        num_buckets: M, rows of the tail of hybrid and double.
        num_full_rows: Rows of the uncompressed table.
        num_batches: Different batches that steps cycle through.
    """

    num_ids: int = 4_000_000
    exponent: float = 1.05
    num_bags: int = 4096
    bag_length: int = 20
    dim: int = 32
    num_head: int = 120_000
    num_buckets: int = 1 << 19
    num_full_rows: int = 1 << 22
    num_batches: int = 32

    @property
    def num_keys(self) -> int:
        """Keys in a batch."""
        return self.num_bags * self.bag_length

    def as_dict(self) -> dict[str, Any]:
        """Return the sizes by name, for JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Batch:
    """One batch, as ours and as the uncompressed tables take it.

    Attributes:
        keys: int64[N].
        offsets: int64[B + 1].
        rows: int64[N], rows of the uncompressed table: the keys hashed, so that ids are scattered over it.
        grad: float[B, D], the gradient of the pooled vectors.
    """

    keys: Tensor
    offsets: Tensor
    rows: Tensor
    grad: Tensor


def zipf_ranks(rng: np.random.Generator, size: int, num_ids: int, exponent: float) -> npt.NDArray[np.int64]:
    """Draw ranks 0, 1, ... with probability proportional to ``(rank + 1) ** -exponent``.

    The first 100,000 ranks have their exact probability; those behind, their integral in place of the sum,
    so that nothing of length ``num_ids`` is held.

    Args:
        rng: Source of the draws.
        size: How many.
        num_ids: T, at least 1; ranks are below it.
        exponent: 0 or more, not 1.

    Returns:
        int64[size].
    """
    num_exact = min(num_ids, _EXACT_RANKS)
    cumulative = np.cumsum(np.arange(1, num_exact + 1, dtype=np.float64) ** -exponent)
    power = 1 - exponent
    start, end = (num_exact + 0.5) ** power, (num_ids + 0.5) ** power
    drawn = rng.random(size) * (cumulative[-1] + (end - start) / power)
    ranks = np.searchsorted(cumulative, drawn, side="right").astype(np.int64)
    behind = drawn >= cumulative[-1]
    if num_ids > num_exact:
        places = (start + power * (drawn[behind] - cumulative[-1])) ** (1 / power)
        ranks[behind] = np.clip(np.floor(places - 0.5).astype(np.int64), num_exact, num_ids - 1)
    found: npt.NDArray[np.int64] = np.minimum(ranks, num_ids - 1)
    return found


def keys_of_ranks(ranks: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return the keys of ids that are named by their rank."""
    return hh.hash_keys(ranks, feature="id")


def vocabulary_of(num_head: int) -> hh.Vocabulary:
    """Return the vocabulary of the most frequent ids."""
    return hh.Vocabulary(keys_of_ranks(np.arange(num_head)))


def draw_batches(setting: Setting, seed: int = 0) -> list[Batch]:
    """Draw the batches of a setting; bags all have the same length."""
    rng = np.random.default_rng(seed)
    generator = torch.Generator().manual_seed(seed)
    offsets = torch.arange(setting.num_bags + 1) * setting.bag_length
    batches = []
    for _ in range(setting.num_batches):
        keys = keys_of_ranks(zipf_ranks(rng, setting.num_keys, setting.num_ids, setting.exponent))
        rows = hash_buckets(keys, setting.num_full_rows)[:, 0]
        grad = torch.randn(setting.num_bags, setting.dim, generator=generator) * 1e-3
        batches.append(Batch(torch.from_numpy(keys), offsets, torch.from_numpy(rows), grad))
    return batches
