"""Rows to pooled vectors."""

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from hybridhash.kernels.reference.encode import Rows

Combine = Literal["sum", "mean", "concat"]
Mode = Literal["sum", "mean", "max"]


def combine_rows(rows: Tensor, combine: Combine) -> Tensor:
    """Make one vector of the tail rows of each key.

    Args:
        rows: float[..., H, bucket_dim].
        combine: ``sum``, ``mean``, or ``concat`` (chunk h of the vector is row h).

    Returns:
        float[..., D], with D = bucket_dim, or H * bucket_dim for ``concat``.
    """
    if combine == "concat":
        return rows.flatten(-2)
    return rows.sum(-2) if combine == "sum" else rows.mean(-2)


def key_vectors(head: Tensor, tail: Tensor, rows: Rows, combine: Combine) -> Tensor:
    """Return the vector of each key.

    Args:
        head: float[positions, D].
        tail: float[M, bucket_dim].
        rows: The rows from `encode`.
        combine: The way to combine rows, as in `combine_rows`.

    Returns:
        float[N, D]; zeros for a padding key.
    """
    vectors = head.new_zeros(rows.in_head.numel(), head.shape[1])
    vectors[rows.in_head] = head[rows.head]
    vectors[rows.in_tail] = combine_rows(tail[rows.tail], combine)
    return vectors.masked_fill(~rows.counted[:, None], 0)


def embedding_bag(
    head: Tensor,
    tail: Tensor,
    rows: Rows,
    offsets: Tensor,
    *,
    combine: Combine,
    mode: Mode,
    per_sample_weights: Tensor | None = None,
    sparse: bool = False,
    padding_row: int | None = None,
) -> Tensor:
    """Pool the vectors of each bag of keys.

    The head keys, padding and all, go through ``nn.EmbeddingBag``'s own function untouched, so that a batch
    of head keys only has exactly its outputs and gradients.

    Args:
        head: float[positions, D].
        tail: float[M, bucket_dim].
        rows: The rows from `encode`, of N keys.
        offsets: int64[B + 1], bag b is the keys ``offsets[b]:offsets[b + 1]``.
        combine: The way to combine rows, as in `combine_rows`.
        mode: ``sum``, ``mean`` or ``max`` over the keys of a bag; padding keys do not count.
        per_sample_weights: float[N], for ``sum`` only.
        sparse: Whether gradients of ``head`` and ``tail`` are sparse tensors (not for ``max``).
        padding_row: The head row of the padding key, if it has one.

    Returns:
        float[B, D]; zeros for an empty bag.
    """
    head_offsets = F.pad(rows.in_head.cumsum(0), (1, 0))[offsets]
    tail_offsets = F.pad(rows.in_tail.cumsum(0), (1, 0))[offsets]
    weights = per_sample_weights
    from_head = F.embedding_bag(
        rows.head,
        head,
        head_offsets,
        mode=mode,
        sparse=sparse,
        per_sample_weights=None if weights is None else weights[rows.in_head],
        include_last_offset=True,
        padding_idx=padding_row,
    )
    from_tail = _pool_tail(
        tail,
        rows.tail,
        tail_offsets,
        combine,
        mode,
        None if weights is None else weights[rows.in_tail],
        sparse,
    )
    if mode == "sum":
        return from_head + from_tail
    num_keys = F.pad(rows.counted.cumsum(0), (1, 0))[offsets].diff()[:, None]
    num_tail = tail_offsets.diff()[:, None]
    num_head = num_keys - num_tail
    if mode == "mean":
        # In the table's own type: integers would be divided in float32 whatever the table is.
        num_head, num_tail = num_head.to(head.dtype), num_tail.to(head.dtype)
        divisor = (num_head + num_tail).clamp_min(1)
        return from_head * (num_head / divisor) + from_tail * (num_tail / divisor)
    both = torch.maximum(from_head, from_tail)
    return torch.where(num_tail == 0, from_head, torch.where(num_head == 0, from_tail, both))


def _pool_tail(
    tail: Tensor,
    buckets: Tensor,
    offsets: Tensor,
    combine: Combine,
    mode: Mode,
    weights: Tensor | None,
    sparse: bool,
) -> Tensor:
    if mode == "max":  # not linear: a key's vector comes before the maximum over keys
        vectors = combine_rows(tail[buckets], combine)
        indices = torch.arange(vectors.shape[0], device=tail.device)
        return F.embedding_bag(indices, vectors, offsets, mode="max", include_last_offset=True)
    # Pooling and combining are both linear: pool each hash over its bags first, then combine.
    num_hashes, num_bags = buckets.shape[1], offsets.shape[0] - 1
    shifts = torch.arange(num_hashes, device=tail.device)[:, None] * buckets.shape[0]
    starts = (offsets[:-1] + shifts).flatten()
    pooled = F.embedding_bag(
        buckets.T.flatten(),
        tail,
        torch.cat([starts, offsets[-1:] * num_hashes]),
        mode=mode,
        sparse=sparse,
        per_sample_weights=None if weights is None else weights.repeat(num_hashes),
        include_last_offset=True,
    )
    return combine_rows(pooled.view(num_hashes, num_bags, tail.shape[1]).transpose(0, 1), combine)
