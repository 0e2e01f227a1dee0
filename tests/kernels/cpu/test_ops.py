"""The compiled bags agree with the definition, and with themselves under any number of threads."""

import os
import signal
import time
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.autograd import forward_ad
from torch.testing import assert_close

from hybridhash.errors import InvalidTypeError
from hybridhash.kernels import cpu, reference
from hybridhash.kernels.cpu import ops
from hybridhash.kernels.reference import Combine, Mode

from .conftest import (
    HALVES,
    NUM_KEYS,
    RULES,
    SAMPLE,
    Batch,
    alone,
    batches,
    both_engines,
    large,
    made,
    modes,
    updated,
)


def assert_near(found: Tensor, expected: Tensor) -> None:
    """At most 49 x 8 summands of size 3 in float32, whose rounding is below 392 * 6e-8 of their partial sums."""
    assert_close(found, expected, rtol=1e-5, atol=1e-3)


@settings(max_examples=150, deadline=None)
@given(batches(), modes, st.booleans())
def test_outputs_and_gradients_are_those_of_the_definition(batch: Batch, mode: Mode, weighted: bool) -> None:
    weights = torch.linspace(-2, 3, batch.keys.numel()) if weighted and mode == "sum" else None
    (output, gradients), (expected, expected_gradients) = both_engines(batch, mode, weights)
    assert_near(output, expected)
    for mine, theirs in zip(gradients, expected_gradients, strict=True):
        assert_near(mine, theirs)


@pytest.mark.parametrize("dtype", HALVES)
@settings(max_examples=50, deadline=None)
@given(batch=batches(), mode=modes)
def test_half_floats_are_read_exactly_and_summed_in_float32(
    dtype: torch.dtype, batch: Batch, mode: Mode
) -> None:
    """The definition on the rounded rows in float32, rounded at the end by torch.

    Rounded rows of head and tail may tie for a maximum; the definition then halves the gradient, and the engine
    gives it to the first, as torch does among keys of one table.
    """
    half = batch._replace(head=batch.head.to(dtype), tail=batch.tail.to(dtype))
    single = half._replace(head=half.head.float(), tail=half.tail.float())
    head, tail = half.head.requires_grad_(), half.tail.requires_grad_()
    out = cpu.embedding_bag(head, tail, half.rows, half.offsets, combine=half.combine, mode=mode)
    out.float().sum().backward()
    wide_head, wide_tail = single.head.requires_grad_(), single.tail.requires_grad_()
    expected = reference.embedding_bag(
        wide_head,
        wide_tail,
        single.reference_rows,
        single.offsets,
        combine=single.combine,
        mode=mode,
        padding_row=single.padding_row,
    )
    expected.sum().backward()
    assert out.dtype == dtype
    # One unit in the last place where float32 sums straddle a half.
    unit = torch.finfo(dtype).eps
    assert_close(out.float(), expected, rtol=unit, atol=unit)
    for mine, theirs in ((head, wide_head), (tail, wide_tail)) if mode != "max" else ():
        assert mine.grad is not None
        assert theirs.grad is not None
        assert mine.grad.dtype == dtype
        assert_close(mine.grad.float(), theirs.grad, rtol=unit, atol=unit)


@pytest.mark.parametrize(
    ("num_hashes", "combine", "dim", "dtype"),
    [
        (2, "sum", 16, torch.float32),
        (8, "concat", 16, torch.float32),
        (3, "mean", 17, torch.float32),
        (4, "concat", 32, torch.bfloat16),
    ],
)
@pytest.mark.parametrize("mode", ["sum", "mean", "max"])
def test_results_do_not_depend_on_the_number_of_threads(
    num_hashes: int, combine: Combine, dim: int, dtype: torch.dtype, mode: Mode
) -> None:
    batch = large(num_hashes, combine, dim)
    batch = batch._replace(head=batch.head.to(dtype), tail=batch.tail.to(dtype))
    weights = torch.linspace(-2, 3, NUM_KEYS).to(dtype) if mode == "sum" else None

    def results() -> list[Tensor]:
        head, tail = batch.head.clone().requires_grad_(), batch.tail.clone().requires_grad_()
        own = None if weights is None else weights.clone().requires_grad_()
        rows = batch.rows
        out = cpu.embedding_bag(
            head, tail, rows, batch.offsets, combine=combine, mode=mode, per_sample_weights=own
        )
        out.square().sum().backward()
        found = [rows, out.detach(), head.grad, tail.grad, *([] if own is None else [own.grad])]
        if mode != "max":
            for rule in RULES:
                found += updated(batch, mode, None, rule, "cpu")
            found += updated(batch, mode, weights, "sgd", "cpu", False)  # which sorts nothing
        return found  # type: ignore[return-value]

    torch.set_num_threads(1)
    expected = results()
    for num_threads in (2, 3, 7):
        torch.set_num_threads(num_threads)
        assert all(map(torch.equal, results(), expected)), num_threads


@pytest.mark.parametrize(("num_hashes", "dim"), [(1, 16), (2, 16), (2, 32), (3, 16), (2, 12)])
def test_weights_that_are_no_numbers_stay_with_their_keys(num_hashes: int, dim: int) -> None:
    """That of a padding key weighs nothing; an infinite one makes no NaN of a head key's missing second row."""
    batch = made(
        np.array([1]), torch.tensor([1, 2, 5, 1]), torch.tensor([0, 3, 4]), dim, num_hashes, "sum", padding=2
    )
    weights = torch.tensor([1.0, torch.nan, 1.0, torch.inf])
    options: dict[str, Any] = {"combine": "sum", "mode": "sum", "per_sample_weights": weights}
    found = cpu.embedding_bag(batch.head, batch.tail, batch.rows, batch.offsets, **options)
    expected = reference.embedding_bag(
        batch.head, batch.tail, batch.reference_rows, batch.offsets, padding_row=batch.padding_row, **options
    )
    assert_close(found, expected)


@pytest.mark.filterwarnings(
    "ignore:.torch.jit.script. is deprecated:DeprecationWarning"
)  # torch's own use of it
def test_transforms_without_gradients() -> None:
    """Forward mode, which the kernels do not know, must not come to a result that leaves it out."""
    head, tail, rows = (
        torch.ones(3, 16),
        torch.ones(4, 16),
        torch.tensor([[0, 0], [~1, ~3]], dtype=torch.int32),
    )
    offsets = torch.tensor([0, 2])

    def pooled(head: Tensor) -> Tensor:
        return cpu.embedding_bag(head, tail, rows, offsets, combine="sum", mode="sum")

    with torch.no_grad():
        assert pooled(head).tolist() == [[3.0] * 16]
        with forward_ad.dual_level(), pytest.raises(NotImplementedError, match="jvp"):
            pooled(forward_ad.make_dual(head, torch.ones(3, 16)))
        tables = torch.stack([head, 2 * head])
        assert torch.equal(torch.vmap(pooled)(tables), torch.stack([pooled(table) for table in tables]))


@pytest.mark.parametrize(("num_hashes", "combine", "dim"), [(2, "sum", 16), (8, "concat", 32)])
def test_a_large_batch_is_that_of_the_definition(num_hashes: int, combine: Combine, dim: int) -> None:
    """Gradients of a key that comes thousands of times, relative to the sum of their sizes."""
    batch = large(num_hashes, combine, dim)
    (output, gradients), (expected, expected_gradients) = both_engines(batch, "mean", None)
    assert_near(output, expected)
    for mine, theirs in zip(gradients, expected_gradients, strict=True):
        assert_close(mine, theirs, rtol=1e-4, atol=1e-4)


def test_the_same_call_twice_gives_the_same() -> None:
    """Scratch memory is kept between calls; a small call in between leaves its own there."""
    batch, small = (
        large(2, "sum", 16),
        made(np.arange(3), torch.arange(5), torch.tensor([0, 5]), 16, 2, "sum"),
    )
    first = updated(batch, "mean", None, "adam", "cpu")
    updated(small, "sum", None, "ftrl", "cpu")
    assert all(map(torch.equal, updated(batch, "mean", None, "adam", "cpu"), first))


def test_inputs_that_are_not_contiguous() -> None:
    batch = made(np.arange(40), torch.arange(60), torch.tensor([0, 20, 20, 60]), 16, 2, "sum")
    expected = cpu.embedding_bag(batch.head, batch.tail, batch.rows, batch.offsets, combine="sum", mode="sum")
    keys, offsets = batch.keys.repeat_interleave(2)[::2], batch.offsets.repeat_interleave(3)[::3]
    rows = cpu.encode(keys, alone(batch.dictionary), batch.tail.shape[0], batch.salts).T.contiguous().T
    head, tail = (t.T.contiguous().T.requires_grad_() for t in (batch.head, batch.tail))
    assert not any(tensor.is_contiguous() for tensor in (keys, offsets, rows, head, tail))
    out = cpu.embedding_bag(head, tail, rows, offsets, combine="sum", mode="sum")
    assert torch.equal(out, expected)
    out.sum(0).expand(3, -1).T.sum().backward()  # an expanded gradient has strides of 0
    assert head.grad.shape == head.shape  # type: ignore[union-attr]


def test_torchs_default_dtype_does_not_matter() -> None:
    batch = made(np.arange(40), torch.arange(60), torch.tensor([0, 60]), 16, 2, "sum")
    weights = torch.ones(60, requires_grad=True)
    torch.set_default_dtype(torch.float64)
    try:
        out = cpu.embedding_bag(
            batch.head,
            batch.tail,
            batch.rows,
            batch.offsets,
            combine="sum",
            mode="sum",
            per_sample_weights=weights,
        )
        out.sum().backward()
    finally:
        torch.set_default_dtype(torch.float32)
    assert out.dtype == torch.float32
    assert weights.grad is not None
    assert weights.grad.dtype == torch.float32


def test_rows_of_another_dtype_are_refused() -> None:
    batch = made(np.arange(4), torch.arange(6), torch.tensor([0, 6]), 16, 2, "sum")
    with pytest.raises(InvalidTypeError, match=r"rows: expected float32, .* got torch.float64"):
        cpu.embedding_bag(
            batch.head.double(), batch.tail.double(), batch.rows, batch.offsets, combine="sum", mode="sum"
        )


@pytest.mark.parametrize("row", [[0, 0], [23, 23], [~0, ~8], [~8, ~0], [2**31 - 1, 0]])
def test_the_last_rows_that_there_are(row: list[int]) -> None:
    batch = made(np.arange(4), torch.arange(1), torch.tensor([0, 1]), 16, 2, "sum")
    rows = torch.tensor([row], dtype=torch.int32)
    cpu.embedding_bag(batch.head, batch.tail, rows, batch.offsets, combine="sum", mode="sum")


@pytest.mark.parametrize(
    "change",
    [
        {"rows": torch.tensor([[24, 24]], dtype=torch.int32)},
        {"rows": torch.tensor([[~9, ~0]], dtype=torch.int32)},
        {"rows": torch.tensor([[~0, ~9]], dtype=torch.int32)},
        {"rows": torch.tensor([[~0, 0]], dtype=torch.int32)},
        {"rows": torch.tensor([[0, 0]])},
        {"rows": torch.tensor([0, 0], dtype=torch.int32)},
        {"offsets": torch.tensor([0, 2])},
        {"offsets": torch.tensor([1, 1])},
        {"offsets": torch.tensor([0, 2, 1])},
        {"offsets": torch.tensor([0, -1, 1])},
        {"offsets": torch.tensor([], dtype=torch.int64)},
        {"offsets": torch.tensor([0, 1], dtype=torch.int32)},
        {"offsets": torch.tensor([[0, 1]])},
        {"tail": torch.zeros(9, 15)},
        {"tail": torch.zeros(0, 16)},
        {"tail": torch.zeros(9, 16, dtype=torch.bfloat16)},
        {"weights": torch.ones(2)},
        {"weights": torch.ones(1, 1)},
    ],
)
def test_wrong_calls_raise(change: dict[str, Tensor]) -> None:
    batch = made(np.arange(4), torch.arange(1), torch.tensor([0, 1]), 16, 2, "sum")
    call = {"head": batch.head, "tail": batch.tail, "rows": batch.rows, "offsets": batch.offsets} | change
    with pytest.raises((ValueError, TypeError)):
        cpu.embedding_bag(
            call["head"],
            call["tail"],
            call["rows"],
            call["offsets"],
            combine="sum",
            mode="sum",
            per_sample_weights=call.get("weights"),
        )


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_forked_child_has_threads_of_its_own() -> None:
    """The parent's pool has threads that do not exist in the child."""
    batch = large(2, "sum", 16)
    torch.set_num_threads(3)
    expected = cpu.embedding_bag(
        batch.head, batch.tail, batch.rows, batch.offsets, combine="sum", mode="mean"
    )
    numpy_expected = expected.numpy().tobytes()
    rows, offsets = batch.rows.numpy(), batch.offsets.numpy()
    head, tail = batch.head.numpy(), batch.tail.numpy()
    child = os.fork()
    if child == 0:  # numpy and the kernels only: torch's own threads did not survive either
        code = 1
        try:
            out = np.empty((offsets.size - 1, 16), dtype=np.float32)
            ops._native.forward(head, tail, rows, offsets, None, 0, 1, out, None, 3)
            code = 0 if out.tobytes() == numpy_expected else 2
        finally:
            os._exit(code)
    deadline = time.monotonic() + 20
    status = None
    while status is None and time.monotonic() < deadline:
        done, found = os.waitpid(child, os.WNOHANG)
        status = found if done else time.sleep(0.01)
    if status is None:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    assert status == 0


@pytest.mark.parametrize("mode", [0, 1, 2])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_opcheck_pool(mode: int, weighted: bool, dtype: torch.dtype) -> None:
    if weighted and mode:
        return
    weights = torch.linspace(-1, 1, 5).requires_grad_() if weighted else None
    head, tail = (rows.to(dtype, copy=True).requires_grad_() for rows in (SAMPLE.head, SAMPLE.tail))
    torch.library.opcheck(ops.pool_op, (head, tail, SAMPLE.rows, SAMPLE.offsets, weights, 2, mode, False))


@pytest.mark.parametrize("gradients", [True, False])
def test_under_a_dispatch_mode_the_operators_are_called(gradients: bool) -> None:
    """Fake tensors have no memory to read; other modes see the operator's name."""
    head, tail = torch.ones(50, 8), torch.ones(9, 8)
    rows, offsets = torch.zeros(20, 2, dtype=torch.int32), torch.arange(0, 21, 4)

    def pooled() -> Tensor:
        with torch.set_grad_enabled(gradients):
            return cpu.embedding_bag(head, tail, rows, offsets, combine="sum", mode="sum")

    with FakeTensorMode(allow_non_fake_inputs=True):
        assert pooled().shape == (5, 8)
    assert pooled().tolist() == [[4.0] * 8] * 5
