"""Compiled look-ups find the rows of the definition, beforehand or while a bag pools them."""

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.testing import assert_close

from hybridhash.errors import InvalidValueError
from hybridhash.hashing import place_keys
from hybridhash.kernels import cpu
from hybridhash.kernels.cpu.lookup import encode_op
from hybridhash.kernels.reference import Combine, Mode

from .conftest import SAMPLE, Batch, alone, batches, large, made, modes, updated


@settings(deadline=None)
@given(batches())
def test_encode_names_the_rows_of_the_definition(batch: Batch) -> None:
    found, expected = batch.rows, batch.reference_rows
    num_hashes = len(batch.salts)
    assert found.dtype == torch.int32
    in_head = expected.in_head & expected.counted
    kept = expected.counted[expected.in_head]
    assert torch.equal(found[in_head].long(), expected.head[kept, None].expand(-1, num_hashes))
    assert torch.equal((~found[expected.in_tail]).long(), expected.tail)
    assert (found[~expected.counted, 0] == 2**31 - 1).all()


def test_a_lookup_in_other_buckets_is_refused() -> None:
    batch = large(2, "sum", 16)
    lookup = cpu.Lookup(batch.keys, alone(batch.dictionary), 7, batch.salts)
    with pytest.raises(InvalidValueError, match="expected a lookup in 2000 buckets, got one in 7"):
        cpu.embedding_bag(batch.head, batch.tail, lookup, batch.offsets, combine="sum", mode="sum")


def test_a_lookup_that_was_read_without_gradients_can_be_learned_from() -> None:
    batch = large(2, "sum", 16)
    for answered in (False, True):
        lookup = cpu.Lookup(batch.keys, alone(batch.dictionary), batch.tail.shape[0], batch.salts)
        with torch.inference_mode():
            if answered:
                lookup.rows()
            cpu.embedding_bag(batch.head, batch.tail, lookup, batch.offsets, combine="sum", mode="sum")
        tail = batch.tail.clone().requires_grad_()
        cpu.embedding_bag(batch.head, tail, lookup, batch.offsets, combine="sum", mode="sum").sum().backward()
        assert tail.grad is not None


@settings(deadline=None)
@given(batches(), modes, st.booleans())
def test_rows_found_on_the_way_change_nothing(batch: Batch, mode: Mode, weighted: bool) -> None:
    weights = torch.linspace(-1, 2, batch.keys.numel()) if weighted and mode == "sum" else None

    def pooled(rows: Tensor | cpu.Lookup) -> list[Tensor]:
        head, tail = batch.head.clone().requires_grad_(), batch.tail.clone().requires_grad_()
        out = cpu.embedding_bag(
            head, tail, rows, batch.offsets, combine=batch.combine, mode=mode, per_sample_weights=weights
        )
        out.square().sum().backward()
        return [out.detach(), head.grad, tail.grad]  # type: ignore[list-item]

    lookup = cpu.Lookup(batch.keys, alone(batch.dictionary), batch.tail.shape[0], batch.salts, batch.padding)
    assert all(map(torch.equal, pooled(lookup), pooled(batch.rows)))
    assert lookup.found is not None
    assert torch.equal(lookup.found, batch.rows)


@pytest.mark.parametrize("mode", ["sum", "mean"])
@pytest.mark.parametrize(
    ("num_hashes", "combine", "dim"),
    [
        (1, "sum", 32), (2, "sum", 32), (2, "mean", 128), (3, "sum", 17), (4, "sum", 64), (5, "mean", 1),
        (2, "concat", 16), (4, "concat", 64), (8, "concat", 32), (8, "concat", 16), (3, "concat", 24),
    ],
)  # fmt: skip
def test_found_on_the_way_in_a_large_batch(num_hashes: int, combine: Combine, dim: int, mode: Mode) -> None:
    """Blocks of keys, and rows asked for ahead; then a step of SGD, whose owners share the rows of all threads."""
    batch = large(num_hashes, combine, dim)
    lookup = cpu.Lookup(batch.keys, alone(batch.dictionary), batch.tail.shape[0], batch.salts, batch.padding)
    torch.set_num_threads(3)
    assert torch.equal(
        cpu.embedding_bag(batch.head, batch.tail, lookup, batch.offsets, combine=combine, mode=mode),
        cpu.embedding_bag(batch.head, batch.tail, batch.rows, batch.offsets, combine=combine, mode=mode),
    )
    mine, theirs = (updated(batch, mode, None, "sgd", engine, False) for engine in ("cpu", "reference"))
    for found, expected in zip(mine, theirs, strict=True):
        assert_close(found, expected, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("mode", ["sum", "mean", "max"])
@pytest.mark.parametrize(
    ("num_hashes", "combine", "dim"),
    [(2, "sum", 32), (2, "mean", 16), (2, "sum", 17), (8, "concat", 32), (1, "sum", 64)],
)
def test_rows_that_nobody_keeps_give_the_same(
    num_hashes: int, combine: Combine, dim: int, mode: Mode
) -> None:
    """Without gradients; with them a lookup keeps its rows whatever it was asked."""
    batch = large(num_hashes, combine, dim)
    lookup = cpu.Lookup(
        batch.keys, alone(batch.dictionary), batch.tail.shape[0], batch.salts, batch.padding, kept=False
    )
    options: dict[str, Any] = {"combine": combine, "mode": mode}
    expected = cpu.embedding_bag(batch.head, batch.tail, batch.rows, batch.offsets, **options)
    with torch.no_grad():
        for _ in range(2):  # the room that is used again holds what was written last
            found = cpu.embedding_bag(batch.head, batch.tail, lookup, batch.offsets, **options)
            assert torch.equal(found, expected)
    assert lookup.found is None
    tail = batch.tail.clone().requires_grad_()
    cpu.embedding_bag(batch.head, tail, lookup, batch.offsets, **options).sum().backward()
    assert tail.grad is not None
    assert torch.equal(lookup.rows(), batch.rows)


@pytest.mark.parametrize(
    "keys", [torch.arange(3.0), torch.arange(3, dtype=torch.int32), torch.zeros(2, 2).long()]
)
def test_keys_of_another_type_or_shape_are_refused(keys: Tensor) -> None:
    batch = made(np.arange(4), torch.arange(1), torch.tensor([0, 1]), 16, 2, "sum")
    with pytest.raises((ValueError, TypeError)):
        cpu.encode(keys, alone(batch.dictionary), 9, batch.salts)


def test_a_vocabulary_of_200_000_keys() -> None:
    generator = np.random.default_rng(0)
    both = generator.permutation(np.unique(generator.integers(-(2**63), 2**63, 400_001)))[:400_000]
    head, others = both.reshape(2, -1)
    dictionary = torch.from_numpy(place_keys(head))
    rows = cpu.encode(torch.from_numpy(head), alone(dictionary), 9, [5])
    np.testing.assert_array_equal(dictionary[rows[:, 0].long()].numpy(), head)
    assert (cpu.encode(torch.from_numpy(others), alone(dictionary), 9, [5]) < 0).all()


def test_opcheck_encode() -> None:
    flat = [list(column) for column in zip(*alone(SAMPLE.dictionary), strict=True)][:5]  # all but the kind
    torch.library.opcheck(encode_op, (SAMPLE.keys, *flat, 9, SAMPLE.salts, None))
    torch.library.opcheck(encode_op, (SAMPLE.keys, *flat, 9, SAMPLE.salts, 90))
