"""The compiled bags as ``torch.library`` operators with fake implementations, and how they are differentiated.

Results are the same bit for bit with any number of threads; threads follow ``torch.get_num_threads()``.
"""

from typing import Any, Final

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from hybridhash import _native
from hybridhash.errors import InvalidTypeError, InvalidValueError
from hybridhash.kernels.cpu.gradients import (
    pool_gradients_now,
    pool_gradients_op,
    sparse_gradients,
    weight_gradient,
    weight_gradient_op,
)
from hybridhash.kernels.cpu.lookup import Lookup, in_one_piece, room_for_rows, rows_of
from hybridhash.kernels.cpu.tensors import (
    COMBINES,
    MODES,
    contiguous,
    is_plain,
    is_transformed,
    map_by_loop,
    memory,
    num_threads,
    optional_floats,
    records_gradients,
    unsigned,
)

ROW_DTYPES: Final = (torch.float32, torch.bfloat16, torch.float16)
MAX_HASHES: Final = _native.MAX_HASHES


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


pool_op = torch.library.custom_op("hybridhash::pool", _pool_now, mutates_args=())


@pool_op.register_fake
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


def _setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, Tensor]) -> None:
    head, tail, rows, offsets, weights, ctx.combine, ctx.mode, ctx.sparse = inputs
    ctx.save_for_backward(head, tail, rows, offsets, weights, output[1])
    ctx.mark_non_differentiable(output[1])


def _backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
    head, tail, rows, offsets, weights, argmax = ctx.saved_tensors
    grad = grads[0].float()
    of_weights = None
    if weights is not None and ctx.needs_input_grad[4]:
        of_weights = weight_gradient(head, tail, rows, offsets, grad, ctx.combine).to(weights.dtype)
    of_head = of_tail = None
    if ctx.needs_input_grad[0] or ctx.needs_input_grad[1]:
        if ctx.sparse:
            if not is_plain(grad):
                raise InvalidValueError(
                    "sparse: expected False under torch.compile, which has no sparse gradients; use dense "
                    "gradients or a fused optimizer (optimizer=hybridhash.optim.SGD(...))"
                )
            parts = sparse_gradients(head, tail, rows, offsets, weights, argmax, grad, ctx.combine, ctx.mode)
            of_head, of_tail = (
                _sparse(indices, values.to(parameter.dtype), parameter)
                for parameter, (indices, values) in zip((head, tail), parts, strict=True)
            )
        else:
            pool_gradients = pool_gradients_now if is_plain(grad) else pool_gradients_op
            of_head, of_tail = pool_gradients(
                head, tail, rows, offsets, weights, argmax, grad, ctx.combine, ctx.mode
            )
    return of_head, of_tail, None, None, of_weights, None, None, None


pool_op.register_autograd(_backward, setup_context=_setup_context)
map_by_loop(pool_op)


class _PoolTransformed(torch.autograd.Function):
    """The operator ``hybridhash::pool`` with a gradient that ``torch.func`` can take, as it cannot of an operator.

    The gradient is dense: sparse tensors know no transforms. It is found by operators, which see through the wrappers
    that a transform leaves around what it has saved.
    """

    generate_vmap_rule = True

    @staticmethod
    def forward(*inputs: Any) -> tuple[Tensor, Tensor]:
        output: tuple[Tensor, Tensor] = pool_op(*inputs)
        return output

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, Tensor]) -> None:
        _setup_context(ctx, inputs, output)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        head, tail, rows, offsets, weights, argmax = ctx.saved_tensors
        grad = grads[0].float()
        of_head, of_tail = pool_gradients_op(
            head, tail, rows, offsets, weights, argmax, grad, ctx.combine, ctx.mode
        )
        of_weights = None
        if weights is not None:
            of_weights = weight_gradient_op(head, tail, rows, offsets, grad, ctx.combine).to(weights.dtype)
        return of_head, of_tail, None, None, of_weights, None, None, None


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
        out, argmax = find_and_pool(head, tail, rows, offsets, weights, combine, mode, kept=True)
        output = out, torch.empty(0, dtype=torch.int32) if argmax is None else argmax
        inputs = (head, tail, rows_of(rows), offsets, weights, combine, mode, sparse)
        _setup_context(ctx, inputs, output)
        return output

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        return _backward(ctx, *grads)


def find_and_pool(
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
    """Pool at once; the rows of a lookup that has none yet are found on the way.

    Args:
        head: float[positions, D].
        tail: float[M, bucket_dim].
        rows: int32[N, H], from `encode`; or a lookup.
        offsets: int64[B + 1].
        weights: float[N], or None.
        combine: Index in `COMBINES`.
        mode: Index in `MODES`.
        kept: Whether the lookup keeps the rows.

    Returns:
        float32[B, D], and with mode ``max`` int32[B, D], which keys the vectors are of.

    Raises:
        InvalidValueError: A lookup in another number of buckets.
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
    if head.dtype not in ROW_DTYPES and not head.is_meta:
        raise InvalidTypeError(
            f"rows: expected float32, bfloat16 or float16 on the cpu engine, got {head.dtype}"
        )
    inputs = head, tail, rows, offsets, per_sample_weights, COMBINES.index(combine), MODES.index(mode)
    if not is_plain(offsets):
        pool: Any = _PoolTransformed.apply if is_transformed() else pool_op
        pooled, _ = pool(head, tail, rows_of(rows), *inputs[3:], sparse)
    elif records_gradients():
        pooled, _ = _Pool.apply(*inputs, sparse)  # type: ignore[no-untyped-call]
    else:
        pooled, _ = find_and_pool(*inputs, kept=isinstance(rows, Lookup) and rows.kept)
    result: Tensor = pooled if head.dtype == torch.float32 else pooled.to(head.dtype)
    return result


def _sparse(indices: Tensor, values: Tensor, parameter: Tensor) -> Tensor:
    return torch.sparse_coo_tensor(
        indices[None], values, parameter.shape, is_coalesced=True, check_invariants=False
    )
