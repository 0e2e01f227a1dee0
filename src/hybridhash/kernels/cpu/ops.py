"""The compiled bags as ``torch.library`` operators with fake implementations and gradients.

Results are the same bit for bit with any number of threads; threads follow ``torch.get_num_threads()``.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from hybridhash import _native
from hybridhash.errors import InvalidTypeError, InvalidValueError
from hybridhash.kernels.cpu.lookup import Lookup, in_one_piece, room_for_rows, rows_of
from hybridhash.kernels.cpu.tensors import (
    contiguous,
    is_plain,
    memory,
    num_threads,
    optional_floats,
    records_gradients,
    unsigned,
)
from hybridhash.kernels.reference import Step

COMBINES: Final = ("sum", "mean", "concat")
MODES: Final = ("sum", "mean", "max")
RULES: Final = ("sgd", "adagrad", "rowwise_adagrad", "adam", "ftrl")
ROW_DTYPES: Final = (torch.float32, torch.bfloat16, torch.float16)
MAX_HASHES: Final = 16
MAX_FUSED_DIM: Final = 1024  # floats of a gradient that a step sums on the stack


def _pool_now(
    head: Tensor,
    tail: Tensor,
    rows: Tensor,
    offsets: Tensor,
    weights: Tensor | None,
    combine: int,
    mode: int,
    sparse: bool,
) -> tuple[Tensor, Tensor]:
    out, argmax = _empty_output(head, offsets, mode)
    _native.forward(
        memory(contiguous(head)),
        memory(contiguous(tail)),
        memory(rows.contiguous()),
        memory(offsets.contiguous()),
        optional_floats(weights),
        combine,
        mode,
        memory(out),
        None if argmax is None else memory(argmax),
        num_threads(),
    )
    return out, torch.empty(0, dtype=torch.int32) if argmax is None else argmax


def _empty_output(head: Tensor, offsets: Tensor, mode: int) -> tuple[Tensor, Tensor | None]:
    shape = (max(offsets.numel() - 1, 0), head.shape[1])
    argmax = torch.empty(shape, dtype=torch.int32) if MODES[mode] == "max" else None
    return torch.empty(shape, dtype=torch.float32), argmax


_pool = torch.library.custom_op("hybridhash::pool", _pool_now, mutates_args=())


@_pool.register_fake
def _(
    head: Tensor,
    tail: Tensor,
    rows: Tensor,
    offsets: Tensor,
    weights: Tensor | None,
    combine: int,
    mode: int,
    sparse: bool,
) -> tuple[Tensor, Tensor]:
    shape = (offsets.shape[0] - 1, head.shape[1])
    out = head.new_empty(shape, dtype=torch.float32)
    return out, head.new_empty(shape if MODES[mode] == "max" else 0, dtype=torch.int32)


def _pool_gradients_now(
    head: Tensor,
    tail: Tensor,
    rows: Tensor,
    offsets: Tensor,
    weights: Tensor | None,
    argmax: Tensor,
    grad: Tensor,
    combine: int,
    mode: int,
) -> tuple[Tensor, Tensor]:
    """Return the dense gradients of head and tail."""
    parts = _gradients(head, tail, rows, offsets, weights, argmax, grad, combine, mode)
    dense = []
    for parameter, (indices, values) in zip((head, tail), parts, strict=True):
        gradient = torch.zeros_like(parameter, dtype=torch.float32)
        gradient[indices] = values
        dense.append(gradient.to(parameter.dtype))
    return dense[0], dense[1]


_pool_gradients = torch.library.custom_op("hybridhash::pool_gradients", _pool_gradients_now, mutates_args=())


@_pool_gradients.register_fake
def _(
    head: Tensor,
    tail: Tensor,
    rows: Tensor,
    offsets: Tensor,
    weights: Tensor | None,
    argmax: Tensor,
    grad: Tensor,
    combine: int,
    mode: int,
) -> tuple[Tensor, Tensor]:
    return torch.empty_like(head), torch.empty_like(tail)


def _weight_gradient_now(
    head: Tensor, tail: Tensor, rows: Tensor, offsets: Tensor, grad: Tensor, combine: int
) -> Tensor:
    """Return the gradient of the per-sample weights."""
    out = torch.empty(rows.shape[0], dtype=torch.float32)
    _native.weight_gradient(
        contiguous(head),
        contiguous(tail),
        rows.contiguous(),
        offsets.contiguous(),
        combine,
        contiguous(grad),
        out,
        num_threads(),
    )
    return out


_weight_gradient = torch.library.custom_op(
    "hybridhash::weight_gradient", _weight_gradient_now, mutates_args=()
)


@_weight_gradient.register_fake
def _(head: Tensor, tail: Tensor, rows: Tensor, offsets: Tensor, grad: Tensor, combine: int) -> Tensor:
    return grad.new_empty(rows.shape[0], dtype=torch.float32)


def _setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, Tensor]) -> None:
    head, tail, rows, offsets, weights, ctx.combine, ctx.mode, ctx.sparse = inputs
    ctx.save_for_backward(head, tail, rows, offsets, weights, output[1])
    ctx.mark_non_differentiable(output[1])


def _backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
    head, tail, rows, offsets, weights, argmax = ctx.saved_tensors
    grad = grads[0].float()
    of_weights = None
    if weights is not None and ctx.needs_input_grad[4]:
        weight_gradient = _weight_gradient_now if is_plain(grad) else _weight_gradient
        of_weights = weight_gradient(head, tail, rows, offsets, grad, ctx.combine).to(weights.dtype)
    of_head = of_tail = None
    if ctx.needs_input_grad[0] or ctx.needs_input_grad[1]:
        if ctx.sparse:
            if not is_plain(grad):
                raise InvalidValueError(
                    "sparse: expected False under torch.compile, which has no sparse gradients; use dense "
                    "gradients or a fused optimizer (optimizer=hybridhash.optim.SGD(...))"
                )
            parts = _gradients(head, tail, rows, offsets, weights, argmax, grad, ctx.combine, ctx.mode)
            of_head, of_tail = (
                _sparse(indices, values.to(parameter.dtype), parameter)
                for parameter, (indices, values) in zip((head, tail), parts, strict=True)
            )
        else:
            pool_gradients = _pool_gradients_now if is_plain(grad) else _pool_gradients
            of_head, of_tail = pool_gradients(
                head, tail, rows, offsets, weights, argmax, grad, ctx.combine, ctx.mode
            )
    return of_head, of_tail, None, None, of_weights, None, None, None


_pool.register_autograd(_backward, setup_context=_setup_context)


class _Pool(torch.autograd.Function):
    """The operator ``hybridhash::pool`` without its dispatch, which costs more than a small batch."""

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
        sparse: bool,
    ) -> tuple[Tensor, Tensor]:
        out, argmax = _find_and_pool(head, tail, rows, offsets, weights, combine, mode, kept=True)
        output = out, torch.empty(0, dtype=torch.int32) if argmax is None else argmax
        inputs = (head, tail, rows_of(rows), offsets, weights, combine, mode, sparse)
        _setup_context(ctx, inputs, output)
        return output

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        return _backward(ctx, *grads)


def _find_and_pool(
    head: Tensor,
    tail: Tensor,
    rows: Tensor | Lookup,
    offsets: Tensor,
    weights: Tensor | None,
    combine: int,
    mode: int,
    *,
    kept: bool,
) -> tuple[Tensor, Tensor | None]:
    """Pool as `_pool_now`; the rows of a lookup that has none yet are found on the way, and kept or not.

    Returns:
        The vectors, and with mode ``max`` which keys they are of.
    """
    if isinstance(rows, Tensor) or rows.found is not None:
        return _pool_now(head, tail, rows_of(rows), offsets, weights, combine, mode, False)
    if rows.num_buckets != tail.shape[0]:
        raise InvalidValueError(
            f"rows: expected a lookup in {tail.shape[0]} buckets, got one in {rows.num_buckets}"
        )
    found = room_for_rows(rows) if kept else None
    out, argmax = _empty_output(head, offsets, mode)
    _native.encode_and_pool(
        memory(rows.keys.detach().contiguous()),
        in_one_piece(rows.dictionaries),
        unsigned(rows.salts),
        rows.padding_key,
        memory(contiguous(head)),
        memory(contiguous(tail)),
        memory(offsets.contiguous()),
        optional_floats(weights),
        combine,
        mode,
        None if found is None else memory(found),
        memory(out),
        None if argmax is None else memory(argmax),
        num_threads(),
    )
    rows.found = found
    return out, argmax


def embedding_bag(
    head: Tensor,
    tail: Tensor,
    rows: Tensor | Lookup,
    offsets: Tensor,
    *,
    combine: str,
    mode: str,
    per_sample_weights: Tensor | None = None,
    sparse: bool = False,
) -> Tensor:
    """Pool the vectors of each bag of keys; see ``kernels.reference.embedding_bag``.

    Args:
        head: float[positions, D]: float32, bfloat16 or float16.
        tail: float[M, bucket_dim], of the same dtype.
        rows: int32[N, H], from `encode`; or a lookup, which is answered on the way.
        offsets: int64[B + 1].
        combine: ``sum``, ``mean`` or ``concat``.
        mode: ``sum``, ``mean`` or ``max``.
        per_sample_weights: float[N], for ``sum`` only.
        sparse: Whether gradients of ``head`` and ``tail`` are (coalesced) sparse tensors.

    Returns:
        float[B, D] of the rows' dtype, summed in float32.

    Raises:
        InvalidTypeError: The rows have another dtype.
    """
    if head.dtype not in ROW_DTYPES:
        raise InvalidTypeError(
            f"rows: expected float32, bfloat16 or float16 on the cpu engine, got {head.dtype}"
        )
    inputs = head, tail, rows, offsets, per_sample_weights, COMBINES.index(combine), MODES.index(mode)
    if not is_plain(offsets):
        pooled, _ = _pool(head, tail, rows_of(rows), *inputs[3:], sparse)
    elif records_gradients():
        pooled, _ = _Pool.apply(*inputs, sparse)  # type: ignore[no-untyped-call]
    else:
        pooled, _ = _find_and_pool(*inputs, kept=isinstance(rows, Lookup) and rows.kept)
    result: Tensor = pooled if head.dtype == torch.float32 else pooled.to(head.dtype)
    return result


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
    rule: int,
    numbers: Sequence[float],
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
        rule: Index in `RULES`.
        numbers: learning rate, weight decay, eps, beta1, beta2, step size, l1, l2, beta.

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
        list(numbers),
        num_threads(),
    )


update_rows = torch.library.custom_op(
    "hybridhash::update_rows", _update_rows_now, mutates_args=("head", "tail", "head_state", "tail_state")
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
            pooled, _ = _find_and_pool(head, tail, rows, offsets, weights, combine, mode, kept=True)
        else:
            pooled, _ = _pool(head, tail, rows_of(rows), offsets, weights, combine, mode, False)
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
            weight_gradient = _weight_gradient_now if is_plain(grad) else _weight_gradient
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
        move = _update_rows_now if is_plain(grad) else update_rows
        move(
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
            RULES.index(step.rule),
            list(step.next_numbers()),
        )

    pooled: Tensor = _PoolAndUpdate.apply(  # type: ignore[no-untyped-call]
        head, tail, rows, offsets, per_sample_weights, combine_index, mode_index, update
    )
    return pooled if head.dtype == torch.float32 else pooled.to(head.dtype)


def _gradients(
    head: Tensor,
    tail: Tensor,
    rows: Tensor,
    offsets: Tensor,
    weights: Tensor | None,
    argmax: Tensor,
    grad: Tensor,
    combine: int,
    mode: int,
) -> list[tuple[Tensor, Tensor]]:
    parts = _native.gradients(
        contiguous(head),
        contiguous(tail),
        rows.contiguous(),
        offsets.contiguous(),
        optional_floats(weights),
        combine,
        mode,
        contiguous(grad),
        argmax if MODES[mode] == "max" else None,
        num_threads(),
    )
    return [(torch.from_numpy(indices), torch.from_numpy(values)) for indices, values in parts]


def _sparse(indices: Tensor, values: Tensor, parameter: Tensor) -> Tensor:
    return torch.sparse_coo_tensor(
        indices[None], values, parameter.shape, is_coalesced=True, check_invariants=False
    )
