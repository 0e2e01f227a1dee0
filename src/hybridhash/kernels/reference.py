"""The definition of every operator, in plain torch: short, every option, on any device.

Faster engines are compared with these functions in outputs and gradients.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final, Literal, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

Combine = Literal["sum", "mean", "concat"]
Mode = Literal["sum", "mean", "max"]

_LOW_HALF: Final = 0xFFFFFFFF
_BUCKET_KEYS: Final = 8  # of the dictionary, one cache line
# torch has no arithmetic on uint64: the multipliers of SplitMix64 as the signed words with the same bits.
_MULTIPLIER_1: Final = 0xBF58476D1CE4E5B9 - (1 << 64)
_MULTIPLIER_2: Final = 0x94D049BB133111EB - (1 << 64)


class Rows(NamedTuple):
    """Where the vectors of N keys stand; a key is in the head or in the tail.

    Attributes:
        counted: bool[N], whether the key is not the padding key.
        in_head: bool[N], whether the key has a row of its own; the padding key may.
        in_tail: bool[N], whether it reads shared rows; the padding key does not.
        head: int64[number in head], head rows of those keys, in order.
        tail: int64[number in tail, H], tail rows of those keys, in order, counted from 0.
    """

    counted: Tensor
    in_head: Tensor
    in_tail: Tensor
    head: Tensor
    tail: Tensor


class Step(NamedTuple):
    """One step of an optimizer on the rows of a batch.

    Attributes:
        head_state: The optimizer's arrays for the head, changed by the step.
        tail_state: The same for the tail.
        rule: ``sgd``, ``adagrad``, ``rowwise_adagrad``, ``adam`` or ``ftrl``.
        next_numbers: Counts the step and returns learning rate, weight decay, eps, beta1, beta2, step size,
            l1, l2, beta.
    """

    head_state: Sequence[Tensor]
    tail_state: Sequence[Tensor]
    rule: str
    next_numbers: Callable[[], Sequence[float]]


def _shift_right(x: Tensor, bits: int) -> Tensor:
    """Shift 64-bit words right with zeros coming in, which int64 alone does not."""
    return (x >> bits) & ((1 << (64 - bits)) - 1)


def mix64(x: Tensor) -> Tensor:
    """SplitMix64's finaliser of int64 words, equal to ``hashing.mix.mix64`` bit for bit.

    Args:
        x: int64, any shape.

    Returns:
        int64, the same shape.
    """
    x = (x ^ _shift_right(x, 30)) * _MULTIPLIER_1
    x = (x ^ _shift_right(x, 27)) * _MULTIPLIER_2
    return x ^ _shift_right(x, 31)


def hash_buckets(keys: Tensor, num_buckets: int, salts: Tensor) -> Tensor:
    """Give every key one bucket per salt, equal to ``hashing.hash_buckets`` bit for bit.

    Args:
        keys: int64[N].
        num_buckets: M, in [1, 2**31].
        salts: int64[H], the bits of ``hashing.bucket_salts``.

    Returns:
        int64[N, H], each in [0, M).
    """
    return _reduce(mix64(keys[:, None] + salts), num_buckets)


def _reduce(h: Tensor, num_buckets: int) -> Tensor:
    """Return the high word of ``h * num_buckets``, for at most 2**31 buckets."""
    # high * num_buckets stays below 2**63 and the carry below 2**31, so 63 bits hold the sum.
    carry = ((h & _LOW_HALF) * num_buckets) >> 32
    return (_shift_right(h, 32) * num_buckets + carry) >> 32


def encode(
    keys: Tensor, dictionary: Tensor, num_buckets: int, salts: Tensor, padding_key: int | None = None
) -> Rows:
    """Find the rows of keys.

    Args:
        keys: int64[N].
        dictionary: int64, from ``hashing.place_keys``; the position of a key is its head row.
        num_buckets: M, rows of the tail.
        salts: int64[H], one per hash function.
        padding_key: A key that stands for nothing.

    Returns:
        The rows; ``head`` in [0, positions), ``tail`` in [0, M).
    """
    counted = torch.ones_like(keys, dtype=torch.bool) if padding_key is None else keys != padding_key
    position = find_positions(keys, dictionary)
    in_head = position >= 0
    head = position[in_head]
    in_tail = counted & ~in_head
    return Rows(counted, in_head, in_tail, head, hash_buckets(keys[in_tail], num_buckets, salts))


def find_positions(keys: Tensor, dictionary: Tensor) -> Tensor:
    """Look keys up, equal to ``hashing.find_positions``.

    Args:
        keys: int64[N].
        dictionary: int64, from ``hashing.place_keys``.

    Returns:
        int64[N], the position of each key, or -1.
    """
    if not dictionary.numel():
        return torch.full_like(keys, -1)
    buckets = dictionary[:-1].view(-1, _BUCKET_KEYS)
    h = mix64(keys + dictionary[-1])
    halves = torch.stack([h, (h << 32) | _shift_right(h, 32)], dim=1)
    chosen = _reduce(halves, buckets.shape[0])
    matches = buckets[chosen] == keys[:, None, None]  # [N, the two buckets, 8]
    slots = torch.arange(_BUCKET_KEYS, device=keys.device)
    positions = chosen[:, :, None] * _BUCKET_KEYS + slots
    return torch.where(matches, positions, -1).flatten(1).amax(1)


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
        rows: From `encode`.
        combine: As in `combine_rows`.

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
        rows: From `encode`, of N keys.
        offsets: int64[B + 1], bag b is the keys ``offsets[b]:offsets[b + 1]``.
        combine: As in `combine_rows`.
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


class _PoolAndUpdate(torch.autograd.Function):
    """Forward as `embedding_bag`; backward moves the rows instead of returning their gradients."""

    @staticmethod
    def forward(
        ctx: Any,
        head: Tensor,
        tail: Tensor,
        weights: Tensor | None,
        pool: Callable[[Tensor, Tensor, Tensor | None], Tensor],
        step: Step,
    ) -> Tensor:
        ctx.inputs, ctx.pool, ctx.step = (head, tail, weights), pool, step
        return pool(head, tail, weights)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        head, tail, weights = ctx.inputs
        with torch.enable_grad():
            inputs = [tensor.detach().requires_grad_() for tensor in ctx.inputs if tensor is not None]
            pooled = ctx.pool(inputs[0], inputs[1], inputs[2] if weights is not None else None)
        found = torch.autograd.grad(pooled, inputs, grads[0])
        step = ctx.step
        numbers = step.next_numbers()
        for rows, gradient, state in ((head, found[0], step.head_state), (tail, found[1], step.tail_state)):
            summed = gradient.coalesce()
            update_rows(rows.data, state, summed.indices()[0], summed.values(), step.rule, numbers)
        return None, None, found[2] if weights is not None else None, None, None


def pool_and_update(
    head: Tensor,
    tail: Tensor,
    rows: Rows,
    offsets: Tensor,
    *,
    combine: Combine,
    mode: Mode,
    per_sample_weights: Tensor | None,
    step: Step,
    padding_row: int | None = None,
) -> Tensor:
    """Pool as `embedding_bag`; the backward pass moves the rows by one step of an optimizer.

    The gradients of a row are summed before it and its state move.

    Args:
        head: float[positions, D], changed in backward.
        tail: float[M, bucket_dim], changed in backward.
        rows: From `encode`, of N keys.
        offsets: int64[B + 1].
        combine: As in `combine_rows`.
        mode: ``sum`` or ``mean``.
        per_sample_weights: float[N], for ``sum`` only; they get a gradient.
        step: The optimizer's step.
        padding_row: The head row of the padding key, if it has one.

    Returns:
        float[B, D].
    """

    def pool(head: Tensor, tail: Tensor, weights: Tensor | None) -> Tensor:
        return embedding_bag(
            head,
            tail,
            rows,
            offsets,
            combine=combine,
            mode=mode,
            per_sample_weights=weights,
            sparse=True,
            padding_row=padding_row,
        )

    pooled: Tensor = _PoolAndUpdate.apply(head, tail, per_sample_weights, pool, step)  # type: ignore[no-untyped-call]
    return pooled


def update_rows(
    rows: Tensor, state: Sequence[Tensor], indices: Tensor, grad: Tensor, rule: str, numbers: Sequence[float]
) -> None:
    """Move some rows by one step of an optimizer, in place.

    Args:
        rows: float[R, width], changed.
        state: The optimizer's arrays: float32[R, width], or float32[R] for row-wise Adagrad; changed.
        indices: int64[U], different rows.
        grad: float[U, width], their gradients.
        rule: ``sgd``, ``adagrad``, ``rowwise_adagrad``, ``adam`` or ``ftrl``.
        numbers: learning rate, weight decay, eps, beta1, beta2, step size, l1, l2, beta.
    """
    lr, weight_decay, eps, beta1, beta2, step_size, l1, l2, beta = numbers
    values = rows[indices].to(torch.float32 if rows.dtype != torch.float64 else rows.dtype)
    grad = grad.to(values.dtype) + weight_decay * values
    if rule == "sgd":
        values = values - lr * grad
    elif rule == "adagrad":
        squares = state[0][indices] + grad * grad
        state[0][indices] = squares.to(state[0].dtype)
        values = values - lr * grad / (squares.sqrt() + eps)
    elif rule == "rowwise_adagrad":
        squares = state[0][indices] + (grad * grad).mean(1)
        state[0][indices] = squares.to(state[0].dtype)
        values = values - (lr / (squares.sqrt() + eps))[:, None] * grad
    elif rule == "adam":
        first = state[0][indices] + (1 - beta1) * (grad - state[0][indices])
        second = state[1][indices] + (1 - beta2) * (grad * grad - state[1][indices])
        state[0][indices], state[1][indices] = first.to(state[0].dtype), second.to(state[1].dtype)
        values = values - step_size * first / (second.sqrt() + eps)
    else:
        z, n = state[0][indices], state[1][indices]
        squares = n + grad * grad
        z = z + grad - (squares.sqrt() - n.sqrt()) / lr * values
        state[0][indices], state[1][indices] = z.to(state[0].dtype), squares.to(state[1].dtype)
        shrunk = (z.abs() - l1).clamp_min(0) * z.sign()
        values = -shrunk / ((beta + squares.sqrt()) / lr + l2)
    rows[indices] = values.to(rows.dtype)
