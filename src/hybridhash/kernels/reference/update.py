"""Steps of an optimizer on the rows of a batch."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from hybridhash.kernels.reference.bags import Combine, Mode, embedding_bag
from hybridhash.kernels.reference.encode import Rows


class Step(NamedTuple):
    """One step of an optimizer on the rows of a batch.

    Attributes:
        head: float[positions, D], moved by the step; a bag may read others, which are made from these.
        tail: float[M, bucket_dim], moved by the step.
        head_state: The optimizer's arrays for the head, changed by the step.
        tail_state: The same for the tail.
        rule: ``sgd``, ``adagrad``, ``rowwise_adagrad``, ``adam`` or ``ftrl``.
        next_numbers: Counts the step and returns learning rate, weight decay, eps, beta1, beta2, step size,
            l1, l2, beta.
    """

    head: Tensor
    tail: Tensor
    head_state: Sequence[Tensor]
    tail_state: Sequence[Tensor]
    rule: str
    next_numbers: Callable[[], Sequence[float]]


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
