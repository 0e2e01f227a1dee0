"""The bag whose backward pass moves its rows by one step of an optimizer, on any engine."""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch._subclasses import FakeTensor
from torch.autograd.function import once_differentiable

from hybridhash.errors import DivergedError
from hybridhash.kernels import Engine
from hybridhash.kernels.reference import Combine, Mode, Step
from hybridhash.optim.replicas import clear_gradients, gather_batch
from hybridhash.optim.state import OptimizerState


class Table(NamedTuple):
    """The rows that a bag reads and moves, and how.

    Attributes:
        head: float[positions, D].
        tail: float[M, bucket_dim].
        state: The state of the optimizer.
        engine: That computes.
        encode: Finds the rows of keys, int64[N], with that engine.
        combine: The way to combine rows, as in `hybridhash.kernels.reference.combine_rows`.
        mode: ``sum`` or ``mean``.
        padding_row: The head row of the padding key, if it has one.
    """

    head: Tensor
    tail: Tensor
    state: OptimizerState
    engine: Engine
    encode: Callable[[Tensor], Any]
    combine: Combine
    mode: Mode
    padding_row: int | None

    def pool(self, rows: Any, offsets: Tensor, weights: Tensor | None) -> Tensor:
        """Pool without gradients.

        Args:
            rows: What the engine found for N keys.
            offsets: int64[B + 1].
            weights: float[N], or None.

        Returns:
            float[B, D].
        """
        return self.engine.embedding_bag(
            self.head,
            self.tail,
            rows,
            offsets,
            combine=self.combine,
            mode=self.mode,
            per_sample_weights=weights,
            sparse=False,
            padding_row=self.padding_row,
        )

    def weight_gradient(self, rows: Any, offsets: Tensor, grad: Tensor) -> Tensor:
        """Return float[N], the gradient of the per-sample weights.

        Args:
            rows: What the engine found for N keys.
            offsets: int64[B + 1].
            grad: float[B, D], the gradient of the pooled vectors.
        """
        found = self.engine.weight_gradient(self.head, self.tail, rows, offsets, grad, combine=self.combine)
        return found.to(self.head.dtype)

    def step(
        self,
        keys: Tensor,
        rows: Any,
        offsets: Tensor,
        weights: Tensor | None,
        grad: Tensor,
        *,
        moves_head: bool,
        moves_tail: bool,
        group: Any = None,
    ) -> None:
        """Move the rows of a batch by one step of the optimizer, in place.

        Args:
            keys: int64[N].
            rows: What the engine found for them.
            offsets: int64[B + 1].
            weights: float[N], or None.
            grad: float[B, D], the gradient of the pooled vectors.
            moves_head: Whether rows of the head move.
            moves_tail: Whether rows of the tail move.
            group: The process group of those that train the table with batches of their own, or None.

        Raises:
            DivergedError: A gradient is not finite; nothing has moved.
        """
        if group is not None:
            keys, offsets, weights, grad = gather_batch(group, keys, offsets, weights, grad)
            rows = self.encode(keys)
            clear_gradients(self.head, self.tail)
        if grad.is_meta or isinstance(grad, FakeTensor):  # there are shapes only
            return
        if not _is_finite(grad):
            raise DivergedError(
                "optimizer: expected finite gradients, got NaN or infinity; no row has moved. Look for the batch or "
                "the layer that makes them, or lower the learning rate"
            )
        state = self.state
        step = Step(
            state.of("head"),
            state.of("tail"),
            state.optimizer.rule,
            state.next_numbers(),
            moves_head,
            moves_tail,
        )
        self.engine.update(
            self.head,
            self.tail,
            rows,
            offsets,
            grad,
            combine=self.combine,
            mode=self.mode,
            per_sample_weights=weights,
            step=step,
        )


def pool_and_step(
    table: Table, keys: Tensor, rows: Any, offsets: Tensor, weights: Tensor | None, group: Any = None
) -> Tensor:
    """Pool the vectors of each bag; the backward pass moves the rows in place by one step of an optimizer.

    The gradients of a row are summed before it and its state move. A head or a tail that requires no gradient stays
    as it is. With a group every rank makes the step of the bags of all.

    Args:
        table: The rows.
        keys: int64[N].
        rows: What the table's engine found for them.
        offsets: int64[B + 1].
        weights: float[N], for mode ``sum`` only, or None; they get a gradient.
        group: The process group of those that train the table with batches of their own, or None.

    Returns:
        float[B, D] of the rows' dtype.
    """
    pooled: Tensor = _PoolAndStep.apply(  # type: ignore[no-untyped-call]
        table.head, table.tail, weights, offsets, keys, rows, table, group
    )
    return pooled


class _PoolAndStep(torch.autograd.Function):
    """Backward moves the rows instead of returning their gradients."""

    @staticmethod
    def forward(
        ctx: Any,
        head: Tensor,
        tail: Tensor,
        weights: Tensor | None,
        offsets: Tensor,
        keys: Tensor,
        rows: Any,
        table: Table,
        group: Any,
    ) -> Tensor:
        # Head and tail are not saved: that they have moved when backward comes is what is wanted and no mistake.
        ctx.save_for_backward(weights, offsets, keys)
        ctx.rows, ctx.table, ctx.group = rows, table, group
        return table.pool(rows, offsets, weights)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        weights, offsets, keys = ctx.saved_tensors
        moves_head, moves_tail, learns_weights = ctx.needs_input_grad[:3]
        of_weights = ctx.table.weight_gradient(ctx.rows, offsets, grads[0]) if learns_weights else None
        if moves_head or moves_tail:
            ctx.table.step(
                keys,
                ctx.rows,
                offsets,
                weights,
                grads[0],
                moves_head=moves_head,
                moves_tail=moves_tail,
                group=ctx.group,
            )
        return None, None, of_weights, None, None, None, None, None


def _is_finite(grad: Tensor) -> bool:
    """Whether all gradients are finite; a sum says so at a third of the price, unless it overflows itself."""
    return math.isfinite(grad.sum().item()) or bool(grad.isfinite().all())
