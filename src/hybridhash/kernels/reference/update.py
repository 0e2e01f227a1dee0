"""Steps of an optimizer on the rows of a batch."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from hybridhash.kernels.reference.bags import Combine, Mode, key_vectors
from hybridhash.kernels.reference.encode import Rows
from hybridhash.kernels.reference.rules import RULES


class Step(NamedTuple):
    """One step of an optimizer on the rows of a batch.

    Attributes:
        head_state: The optimizer's arrays for the head, changed by the step.
        tail_state: The same for the tail.
        rule: A name in `RULES`.
        numbers: The numbers of the step, as the rule names them.
        moves_head: Whether rows of the head move; those that are frozen do not, nor does their state.
        moves_tail: The same for the tail.
    """

    head_state: Sequence[Tensor]
    tail_state: Sequence[Tensor]
    rule: str
    numbers: Mapping[str, float]
    moves_head: bool = True
    moves_tail: bool = True


def update(
    head: Tensor,
    tail: Tensor,
    rows: Rows,
    offsets: Tensor,
    grad: Tensor,
    *,
    combine: Combine,
    mode: Mode,
    per_sample_weights: Tensor | None,
    step: Step,
) -> None:
    """Move the rows of a batch by one step of an optimizer, in place.

    The gradients of a row are summed, in float32 at least, before it and its state move.

    Args:
        head: float[positions, D], changed.
        tail: float[M, bucket_dim], changed.
        rows: The rows from `encode`, of N keys.
        offsets: int64[B + 1].
        grad: float[B, D], the gradient of the pooled vectors.
        combine: The way to combine rows, as in `combine_rows`.
        mode: ``sum`` or ``mean``.
        per_sample_weights: float[N], for ``sum`` only.
        step: The optimizer's step.
    """
    wide = torch.promote_types(head.dtype, torch.float32)
    of_keys = grad.to(wide)[_bag_of_keys(offsets)]
    if mode == "mean":
        counted = torch.nn.functional.pad(rows.counted.cumsum(0), (1, 0))[offsets].diff()
        of_keys = of_keys / counted[_bag_of_keys(offsets), None].clamp_min(1)
    if per_sample_weights is not None:
        of_keys = of_keys * per_sample_weights.to(wide)[:, None]
    if step.moves_head:
        counted_head = rows.counted[rows.in_head]
        _move(head, step.head_state, rows.head[counted_head], of_keys[rows.in_head][counted_head], step)
    if step.moves_tail:
        num_hashes, width = rows.tail.shape[1], tail.shape[1]
        of_tail = of_keys[rows.in_tail]
        if combine == "concat":
            of_rows = of_tail.view(-1, num_hashes, width)
        else:
            shared = of_tail if combine == "sum" else of_tail / num_hashes
            of_rows = shared[:, None].expand(-1, num_hashes, width)
        _move(tail, step.tail_state, rows.tail.flatten(), of_rows.reshape(-1, width), step)


def weight_gradient(
    head: Tensor, tail: Tensor, rows: Rows, offsets: Tensor, grad: Tensor, *, combine: Combine
) -> Tensor:
    """Return the gradient of the per-sample weights.

    Args:
        head: float[positions, D].
        tail: float[M, bucket_dim].
        rows: The rows from `encode`, of N keys.
        offsets: int64[B + 1].
        grad: float[B, D], the gradient of the pooled vectors.
        combine: The way to combine rows, as in `combine_rows`.

    Returns:
        float[N]; 0 for a padding key.
    """
    return (key_vectors(head.detach(), tail.detach(), rows, combine) * grad[_bag_of_keys(offsets)]).sum(1)


def _bag_of_keys(offsets: Tensor) -> Tensor:
    lengths = offsets.diff()
    return torch.arange(lengths.numel(), device=offsets.device).repeat_interleave(lengths)


def _move(rows: Tensor, state: Sequence[Tensor], indices: Tensor, grad: Tensor, step: Step) -> None:
    summed = torch.sparse_coo_tensor(indices[None], grad, rows.shape, check_invariants=False).coalesce()
    update_rows(rows.data, state, summed.indices()[0], summed.values(), step.rule, step.numbers)


def update_rows(
    rows: Tensor,
    state: Sequence[Tensor],
    indices: Tensor,
    grad: Tensor,
    rule: str,
    numbers: Mapping[str, float],
) -> None:
    """Move some rows by one step of an optimizer, in place.

    Args:
        rows: float[R, width], changed.
        state: The optimizer's arrays: float32[R, width], or float32[R] where one float is kept for a row; changed.
        indices: int64[U], different rows.
        grad: float[U, width], their gradients.
        rule: A name in `RULES`.
        numbers: The numbers of the step, as the rule names them.
    """
    values = rows[indices].to(torch.float32 if rows.dtype != torch.float64 else rows.dtype)
    moved, kept = RULES[rule](values, grad.to(values.dtype), [array[indices] for array in state], **numbers)
    rows[indices] = moved.to(rows.dtype)
    for array, now in zip(state, kept, strict=True):
        array[indices] = now.to(array.dtype)
