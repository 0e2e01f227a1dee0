"""The compiled gradients of bags, dense, sparse and of weights, as ``torch.library`` operators where others look on."""

import torch
from torch import Tensor

from hybridhash import _native
from hybridhash.kernels.cpu.tensors import (
    MODES,
    contiguous,
    is_plain,
    map_by_loop,
    num_threads,
    optional_floats,
)


def sparse_gradients(
    head: Tensor,
    tail: Tensor,
    rows: Tensor,
    offsets: Tensor,
    weights: Tensor | None,
    argmax: Tensor | None,
    grad: Tensor,
    combine: int,
    mode: int,
) -> list[tuple[Tensor, Tensor]]:
    """Return the rows that have a gradient and their gradients, of head and tail: int64[U] and float32[U, width].

    Args:
        head: float[positions, D].
        tail: float[M, bucket_dim].
        rows: int32[N, H], from `encode`.
        offsets: int64[B + 1].
        weights: float[N], or None.
        argmax: int32[B, D], which keys the vectors are of; read with mode ``max`` only.
        grad: float32[B, D], the gradient of the pooled vectors.
        combine: Index in `COMBINES`.
        mode: Index in `MODES`.
    """
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


def pool_gradients_now(
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
    parts = sparse_gradients(head, tail, rows, offsets, weights, argmax, grad, combine, mode)
    dense = []
    for parameter, (indices, values) in zip((head, tail), parts, strict=True):
        gradient = torch.zeros_like(parameter, dtype=torch.float32)
        gradient[indices] = values
        dense.append(gradient.to(parameter.dtype))
    return dense[0], dense[1]


pool_gradients_op = torch.library.custom_op("hybridhash::pool_gradients", pool_gradients_now, mutates_args=())


@pool_gradients_op.register_fake
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


weight_gradient_op = torch.library.custom_op(
    "hybridhash::weight_gradient", _weight_gradient_now, mutates_args=()
)


@weight_gradient_op.register_fake
def _(head: Tensor, tail: Tensor, rows: Tensor, offsets: Tensor, grad: Tensor, combine: int) -> Tensor:
    return grad.new_empty(rows.shape[0], dtype=torch.float32)


def weight_gradient(
    head: Tensor, tail: Tensor, rows: Tensor, offsets: Tensor, grad: Tensor, combine: int
) -> Tensor:
    """Return float[N], the gradient of the per-sample weights.

    Args:
        head: float[positions, D].
        tail: float[M, bucket_dim].
        rows: int32[N, H], from `encode`.
        offsets: int64[B + 1].
        grad: float[B, D], the gradient of the pooled vectors.
        combine: Index in `COMBINES`.
    """
    find = _weight_gradient_now if is_plain(grad) else weight_gradient_op
    return find(head, tail, rows, offsets, grad, combine)


for _op in (pool_gradients_op, weight_gradient_op):
    map_by_loop(_op)
