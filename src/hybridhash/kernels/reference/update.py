"""Steps of an optimizer on the rows of a batch."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from hybridhash.kernels.reference.bags import Combine, Mode, embedding_bag
from hybridhash.kernels.reference.encode import Rows
from hybridhash.kernels.reference.rules import RULES


class Step(NamedTuple):
    """One step of an optimizer on the rows of a batch.

    Attributes:
        head: float[positions, D], moved by the step; a bag may read others, which are made from these.
        tail: float[M, bucket_dim], moved by the step.
        head_state: The optimizer's arrays for the head, changed by the step.
        tail_state: The same for the tail.
        rule: A name in `RULES`.
        next_numbers: Counts the step and returns its numbers, as the rule names them.
    """

    head: Tensor
    tail: Tensor
    head_state: Sequence[Tensor]
    tail_state: Sequence[Tensor]
    rule: str
    next_numbers: Callable[[], Mapping[str, float]]


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
        weights = ctx.inputs[2]
        with torch.enable_grad():
            inputs = [tensor.detach().requires_grad_() for tensor in ctx.inputs if tensor is not None]
            pooled = ctx.pool(inputs[0], inputs[1], inputs[2] if weights is not None else None)
        found = torch.autograd.grad(pooled, inputs, grads[0])
        step = ctx.step
        numbers = step.next_numbers()
        for rows, gradient, state in (
            (step.head, found[0], step.head_state),
            (step.tail, found[1], step.tail_state),
        ):
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
        head: float[positions, D], what is read; what backward changes is named in ``step``.
        tail: float[M, bucket_dim], the same.
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
        rule: In `RULES`.
        numbers: The numbers of the step, as the rule names them.
    """
    values = rows[indices].to(torch.float32 if rows.dtype != torch.float64 else rows.dtype)
    moved, kept = RULES[rule](values, grad.to(values.dtype), [array[indices] for array in state], **numbers)
    rows[indices] = moved.to(rows.dtype)
    for array, now in zip(state, kept, strict=True):
        array[indices] = now.to(array.dtype)
