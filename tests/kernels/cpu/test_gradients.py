"""Compiled gradients: sparse as dense, traced, and never differentiated again."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from hybridhash.kernels import cpu
from hybridhash.kernels.cpu import gradients, ops
from hybridhash.kernels.reference import Mode

from .conftest import SAMPLE, Batch, batches, both_engines, large


@settings(deadline=None)
@given(batches(), st.sampled_from(["sum", "mean"]))
def test_sparse_gradients_are_coalesced_and_the_dense_ones(batch: Batch, mode: Mode) -> None:
    weights = torch.linspace(-2, 3, batch.keys.numel()) if mode == "sum" else None
    (_, sparse), _ = both_engines(batch, mode, weights, sparse=True)
    (_, dense), _ = both_engines(batch, mode, weights)
    for mine, theirs in zip(sparse[:2], dense[:2], strict=True):
        assert mine.is_sparse
        assert (mine._indices()[0].diff() > 0).all()  # coalesced, though torch forgets that it is
        assert torch.equal(mine.to_dense(), theirs)


def test_gradients_of_gradients_are_refused() -> None:
    """They would be zero without a word."""
    batch = large(2, "sum", 16)
    tail = batch.tail.clone().requires_grad_()
    out = cpu.embedding_bag(batch.head, tail, batch.rows, batch.offsets, combine="sum", mode="sum")
    (grad,) = torch.autograd.grad(out.square().sum(), tail, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        grad.square().sum().backward()


@pytest.mark.parametrize("mode", [0, 1, 2])
def test_opcheck_gradients(mode: int) -> None:
    head, tail, rows, offsets = SAMPLE.head, SAMPLE.tail, SAMPLE.rows, SAMPLE.offsets
    _, argmax = ops.pool_op(head, tail, rows, offsets, None, 2, mode, False)
    torch.library.opcheck(
        gradients.pool_gradients_op, (head, tail, rows, offsets, None, argmax, torch.ones(3, 8), 2, mode)
    )
    torch.library.opcheck(gradients.weight_gradient_op, (head, tail, rows, offsets, torch.ones(3, 8), 2))
