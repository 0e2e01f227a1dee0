"""The compiled step of an optimizer on the rows of a batch."""

from collections.abc import Mapping, Sequence
from typing import Final

import torch
from torch import Tensor

from hybridhash import _native
from hybridhash.errors import InvalidValueError
from hybridhash.kernels import reference
from hybridhash.kernels.cpu.gradients import sparse_gradients
from hybridhash.kernels.cpu.lookup import Lookup, rows_of
from hybridhash.kernels.cpu.tensors import (
    COMBINES,
    MODES,
    contiguous,
    is_plain,
    memory,
    num_threads,
    optional_floats,
)
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
        rule: A name in `RULES`.
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


def update(
    head: Tensor,
    tail: Tensor,
    rows: Tensor | Lookup,
    offsets: Tensor,
    grad: Tensor,
    *,
    combine: str,
    mode: str,
    per_sample_weights: Tensor | None,
    step: Step,
) -> None:
    """Move the rows of a batch by one step of an optimizer, in place; see ``kernels.reference.update``.

    Args:
        head: float[positions, D], changed.
        tail: float[M, bucket_dim], changed.
        rows: int32[N, H], from `encode`; or a lookup.
        offsets: int64[B + 1].
        grad: float[B, D], the gradient of the pooled vectors.
        combine: ``sum``, ``mean`` or ``concat``.
        mode: ``sum`` or ``mean``.
        per_sample_weights: float[N], for ``sum`` only.
        step: The optimizer's step.

    Raises:
        InvalidValueError: Rows or state are not contiguous.
    """
    inputs = rows_of(rows), offsets, per_sample_weights
    combine_index, mode_index = COMBINES.index(combine), MODES.index(mode)
    if not (step.moves_head and step.moves_tail):
        parts = sparse_gradients(head, tail, *inputs, None, grad, combine_index, mode_index)
        for table, state, (indices, values), moves in (
            (head, step.head_state, parts[0], step.moves_head),
            (tail, step.tail_state, parts[1], step.moves_tail),
        ):
            if moves:
                reference.update_rows(table.data, state, indices, values, step.rule, step.numbers)
        return
    arguments = (
        head,
        tail,
        list(step.head_state),
        list(step.tail_state),
        *inputs,
        grad,
        combine_index,
        mode_index,
        step.rule,
    )
    if is_plain(grad):
        _update_rows_now(*arguments, step.numbers)
    else:
        update_rows(*arguments, [step.numbers[name] for name in RULES[step.rule]])
