"""The compiled bag whose backward pass moves the rows by one step of an optimizer."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from hybridhash import _native
from hybridhash.errors import InvalidValueError
from hybridhash.kernels.cpu.lookup import Lookup, rows_of
from hybridhash.kernels.cpu.ops import COMBINES, MODES, find_and_pool, pool_op, weight_gradient
from hybridhash.kernels.cpu.tensors import contiguous, is_plain, memory, num_threads, optional_floats
from hybridhash.kernels.reference import Step

RULES: Final = _native.RULES
"""The names of the rules, each with those of its numbers."""

MAX_FUSED_DIM: Final = _native.MAX_FUSED_DIM
"""Floats of the widest row that a step moves."""


def _update_rows_now(
    head: Tensor,
    tail: Tensor,
    head_state: Sequence[Tensor],
    tail_state: Sequence[Tensor],
    rows: Tensor,
    offsets: Tensor,
    weights: Tensor | None,
    grad: Tensor,
    combine: int,
    mode_index: int,
    rule: str,
    numbers: Mapping[str, float],
) -> None:
    """Move the rows of a batch by one step of an optimizer, in place.

    The gradients of a row are summed before it and its state move, as with torch's coalesced gradients.

    Args:
        head: float[positions, D], changed.
        tail: float[M, bucket_dim], changed.
        head_state: The optimizer's arrays for the head, flat float32, changed.
        tail_state: The same for the tail.
        rows: int32[N, H], from `encode`.
        offsets: int64[B + 1].
        weights: float[N], or None.
        grad: float[B, D], the gradient of the pooled vectors.
        combine: Index in `COMBINES`.
        mode_index: Index in `MODES`, not ``max``; torch.compile has its own use for an argument named mode.
        rule: In `RULES`.
        numbers: The numbers of the step, as `RULES` names them.

    Raises:
        InvalidValueError: Rows or state are not contiguous, so that a copy would be changed in their place.
    """
    for name, changed in (
        ("head", head),
        ("tail", tail),
        *(("state", state) for state in (*head_state, *tail_state)),
    ):
        if not changed.is_contiguous():
            raise InvalidValueError(
                f"{name}: expected contiguous memory, which a step changes in place, got strides "
                f"{changed.stride()}; load a contiguous() copy"
            )
    _native.update(
        memory(head.detach()),
        memory(tail.detach()),
        memory(rows.contiguous()),
        memory(offsets.contiguous()),
        optional_floats(weights),
        combine,
        mode_index,
        memory(contiguous(grad.float())),
        None,
        [memory(state.detach().view(-1)) for state in head_state],
        [memory(state.detach().view(-1)) for state in tail_state],
        rule,
        dict(numbers),
        num_threads(),
    )


@torch.library.custom_op("hybridhash::update_rows", mutates_args=("head", "tail", "head_state", "tail_state"))
def update_rows(
    head: Tensor,
    tail: Tensor,
    head_state: Sequence[Tensor],
    tail_state: Sequence[Tensor],
    rows: Tensor,
    offsets: Tensor,
    weights: Tensor | None,
    grad: Tensor,
    combine: int,
    mode_index: int,
    rule: str,
    numbers: Sequence[float],
) -> None:
    """Move rows as `_update_rows_now`; an operator takes no names, so numbers stand in the order of `RULES`."""
    named = dict(zip(RULES[rule], numbers, strict=True))
    _update_rows_now(
        head, tail, head_state, tail_state, rows, offsets, weights, grad, combine, mode_index, rule, named
    )


class _PoolAndUpdate(torch.autograd.Function):
    """Forward as `embedding_bag`; backward moves the rows instead of returning their gradients."""

    @staticmethod
    def forward(
        ctx: Any,
        head: Tensor,
        tail: Tensor,
        rows: Tensor | Lookup,
        offsets: Tensor,
        weights: Tensor | None,
        combine: int,
        mode: int,
        update: Callable[[Tensor, Tensor, Tensor, Tensor | None, Tensor], None],
    ) -> Tensor:
        pooled: Tensor
        if is_plain(offsets):
            pooled, _ = find_and_pool(head, tail, rows, offsets, weights, combine, mode, kept=True)
        else:
            pooled, _ = pool_op(head, tail, rows_of(rows), offsets, weights, combine, mode, False)
        # Not saved_tensors: head and tail may move in backward, which is what is wanted and no mistake.
        ctx.head, ctx.tail = head, tail
        ctx.save_for_backward(rows_of(rows), offsets, weights)
        ctx.combine, ctx.update = combine, update
        return pooled

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        rows, offsets, weights = ctx.saved_tensors
        grad = grads[0].float()
        of_weights = None
        if weights is not None and ctx.needs_input_grad[4]:
            of_weights = weight_gradient(ctx.head, ctx.tail, rows, offsets, grad, ctx.combine)
            of_weights = of_weights.to(weights.dtype)
        with torch.no_grad():
            ctx.update(rows, offsets, grad, weights)
        return None, None, None, None, of_weights, None, None, None


def pool_and_update(
    head: Tensor,
    tail: Tensor,
    rows: Tensor | Lookup,
    offsets: Tensor,
    *,
    combine: str,
    mode: str,
    per_sample_weights: Tensor | None,
    step: Step,
) -> Tensor:
    """Pool as `embedding_bag`; the backward pass moves the rows by one step of an optimizer.

    Args:
        head: float[positions, D], what is read; what backward changes is named in ``step``.
        tail: float[M, bucket_dim], the same.
        rows: int32[N, H], from `encode`; or a lookup, which is answered on the way.
        offsets: int64[B + 1].
        combine: ``sum``, ``mean`` or ``concat``.
        mode: ``sum`` or ``mean``.
        per_sample_weights: float[N], for ``sum`` only; they get a gradient.
        step: The optimizer's step.

    Returns:
        float[B, D] of the rows' dtype.
    """
    combine_index, mode_index = COMBINES.index(combine), MODES.index(mode)

    def update(rows: Tensor, offsets: Tensor, grad: Tensor, weights: Tensor | None) -> None:
        numbers = step.next_numbers()
        inputs = (
            step.head,
            step.tail,
            list(step.head_state),
            list(step.tail_state),
            rows,
            offsets,
            weights,
            grad,
            combine_index,
            mode_index,
            step.rule,
        )
        if is_plain(grad):
            _update_rows_now(*inputs, numbers)
        else:
            update_rows(*inputs, [numbers[name] for name in RULES[step.rule]])

    pooled: Tensor = _PoolAndUpdate.apply(  # type: ignore[no-untyped-call]
        head, tail, rows, offsets, per_sample_weights, combine_index, mode_index, update
    )
    return pooled if head.dtype == torch.float32 else pooled.to(head.dtype)
