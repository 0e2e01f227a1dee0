"""The compiled engine agrees with the definition, and with itself under any number of threads."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.autograd import forward_ad
from torch.testing import assert_close

from hybridhash import _native
from hybridhash.errors import InvalidTypeError, InvalidValueError
from hybridhash.hashing import bucket_salts, num_positions, place_keys
from hybridhash.kernels import Engine, cpu, reference
from hybridhash.kernels.cpu import fused, gradients, ops
from hybridhash.kernels.cpu.engine import CpuEngine
from hybridhash.kernels.cpu.lookup import encode_op
from hybridhash.kernels.reference import Combine, Dictionary, Mode, Step
from hybridhash.kernels.reference.engine import ReferenceEngine

from .conftest import OPTIMIZERS

DIMS = [1, 2, 3, 8, 16, 17, 24, 32, 64, 100, 128, 200]
OPTIONS: dict[str, dict[str, float]] = {"ftrl": {"lr": 0.1, "l1": 0.01, "l2": 0.1}}
RULES = {
    rule: kind(**OPTIONS.get(rule, {"lr": 0.01, "weight_decay": 0.01})) for rule, kind in OPTIMIZERS.items()
}
HALVES = [torch.bfloat16, torch.float16]
int64s = st.integers(-(2**63), 2**63 - 1) | st.sampled_from([0, 1, -1, 2**63 - 1, -(2**63)])


@pytest.fixture(autouse=True)
def _as_many_threads_as_before() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def alone(places: Tensor) -> list[Dictionary]:
    """Give the only dictionary of a head, of exact keys."""
    return [Dictionary(places, 64, torch.empty(0, dtype=torch.uint8), 0, max(places.numel() - 1, 0))]


class Batch(NamedTuple):
    """A table and bags of keys, as both engines take them."""

    head: Tensor
    tail: Tensor
    keys: Tensor
    offsets: Tensor
    dictionary: Tensor
    salts: list[int]
    combine: Combine
    padding: int | None

    @property
    def rows(self) -> Tensor:
        return cpu.encode(self.keys, alone(self.dictionary), self.tail.shape[0], self.salts, self.padding)

    @property
    def reference_rows(self) -> reference.Rows:
        salts = torch.tensor(self.salts)
        return reference.encode(self.keys, alone(self.dictionary), self.tail.shape[0], salts, self.padding)

    @property
    def padding_row(self) -> int | None:
        if self.padding is None:
            return None
        row = int(reference.find_positions(torch.tensor([self.padding]), self.dictionary))
        return row if row >= 0 else None


def made(
    head_keys: np.ndarray,
    keys: Tensor,
    offsets: Tensor,
    dim: int,
    num_hashes: int,
    combine: Combine,
    *,
    num_buckets: int = 9,
    padding: int | None = None,
    seed: int = 0,
) -> Batch:
    generator = torch.Generator().manual_seed(seed)
    width = dim // num_hashes if combine == "concat" else dim
    return Batch(
        torch.randn(num_positions(head_keys.size), dim, generator=generator),
        torch.randn(num_buckets, width, generator=generator),
        keys,
        offsets,
        torch.from_numpy(place_keys(head_keys)),
        np.array(bucket_salts(num_hashes, seed), dtype=np.uint64).view(np.int64).tolist(),
        combine,
        padding,
    )


@st.composite
def batches(draw: st.DrawFn) -> Batch:
    """Few different keys, so that they repeat; head keys, tail keys, perhaps padding; empty bags."""
    pool = draw(st.lists(int64s, min_size=1, max_size=12, unique=True))
    head = pool[: draw(st.integers(0, len(pool)))]
    bags = draw(st.lists(st.lists(st.sampled_from(pool), max_size=7), max_size=7))
    combine = draw(st.sampled_from(["sum", "mean", "concat"]))
    num_hashes = draw(st.integers(1, 8))
    dim = draw(
        st.sampled_from([d for d in DIMS if combine != "concat" or d % num_hashes == 0] or [num_hashes])
    )
    return made(
        np.array(head, dtype=np.int64),
        torch.tensor([key for bag in bags for key in bag], dtype=torch.int64),
        torch.tensor(np.cumsum([0, *map(len, bags)]), dtype=torch.int64),
        dim,
        num_hashes,
        combine,
        num_buckets=draw(st.sampled_from([1, 2, 9, 1000])),
        padding=draw(st.none() | st.sampled_from(pool)),
        seed=draw(st.integers(0, 2**32)),
    )


modes: st.SearchStrategy[Mode] = st.sampled_from(["sum", "mean", "max"])


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


def both_engines(
    batch: Batch, mode: Mode, weights: Tensor | None, sparse: bool = False
) -> Iterator[tuple[Tensor, list[Tensor]]]:
    """Give the output and the gradients of head, tail and weights: the cpu engine's, the definition's in float64."""
    for engine, dtype in (("cpu", torch.float32), ("reference", torch.float64)):
        inputs = [tensor.to(dtype, copy=True).requires_grad_() for tensor in (batch.head, batch.tail)]
        own = None if weights is None else weights.to(dtype, copy=True).requires_grad_()
        options: dict[str, Any] = {"combine": batch.combine, "mode": mode, "per_sample_weights": own}
        if engine == "cpu":
            out = cpu.embedding_bag(*inputs, batch.rows, batch.offsets, sparse=sparse, **options)
        else:
            out = reference.embedding_bag(
                *inputs, batch.reference_rows, batch.offsets, padding_row=batch.padding_row, **options
            )
        factors = torch.arange(out.numel(), dtype=torch.float32).cos().view_as(out)
        (out * factors.to(dtype)).sum().backward()
        gradients = [tensor.grad for tensor in inputs]
        of_weights = [] if own is None else [own.grad]
        yield out.detach().float(), [gradient.float() for gradient in (*gradients, *of_weights)]  # type: ignore[union-attr, misc]


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


def states(batch: Batch, rule: str) -> list[list[Tensor]]:
    """Return positive state for head and tail, as after some steps."""
    return [
        [torch.full(rows.shape if shape == "float" else rows.shape[:1], 0.3) for shape in RULES[rule].states]
        for rows in (batch.head, batch.tail)
    ]


def updated(
    batch: Batch, mode: Mode, weights: Tensor | None, rule: str, engine: str, decays: bool = True
) -> list[Tensor]:
    """Return rows, state and the weights' gradient after one fused step."""
    head, tail = batch.head.clone(), batch.tail.clone()
    head_state, tail_state = states(batch, rule)
    numbers = RULES[rule].numbers(3) | ({} if decays or rule == "ftrl" else {"weight_decay": 0.0})
    door: Engine = CpuEngine() if engine == "cpu" else ReferenceEngine()
    rows = batch.rows if engine == "cpu" else batch.reference_rows
    num_floats = (batch.offsets.numel() - 1) * head.shape[1]
    of_table = head, tail, rows, batch.offsets, torch.arange(num_floats).view(-1, head.shape[1]).cos()
    of_weights = [] if weights is None else [door.weight_gradient(*of_table, combine=batch.combine)]
    door.update(
        *of_table,
        combine=batch.combine,
        mode=mode,
        per_sample_weights=weights,
        step=Step(head_state, tail_state, rule, numbers),
    )
    return [head, tail, *head_state, *tail_state, *of_weights]


@settings(max_examples=150, deadline=None)
@given(
    batches(), st.sampled_from(["sum", "mean"]), st.booleans(), st.sampled_from(sorted(RULES)), st.booleans()
)
def test_fused_steps_are_those_of_the_definition(
    batch: Batch, mode: Mode, weighted: bool, rule: str, decays: bool
) -> None:
    weights = torch.linspace(-2, 3, batch.keys.numel()) if weighted and mode == "sum" else None
    found = updated(batch, mode, weights, rule, "cpu", decays)
    for mine, theirs in zip(found, updated(batch, mode, weights, rule, "reference", decays), strict=True):
        assert_close(mine, theirs, rtol=1e-4, atol=1e-4)


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


def one_row_table(dtype: torch.dtype, values: Tensor) -> tuple[Tensor, ...]:
    """Return head (none), tail of one row, rows and offsets of one bag of one key."""
    tail = values[None].to(dtype)
    return (
        tail.new_empty(0, tail.shape[1]),
        tail,
        torch.tensor([[-1]], dtype=torch.int32),
        torch.tensor([0, 1]),
    )


@pytest.mark.parametrize("dtype", HALVES)
@pytest.mark.parametrize("width", [32, 1024])
def test_all_patterns_of_16_bits_are_read_and_written(dtype: torch.dtype, width: int) -> None:
    """Forward reads each exactly; a step of zero writes it back; a NaN stays one."""
    patterns = torch.arange(-(2**15), 2**15, dtype=torch.int32).to(torch.int16).view(-1, width)
    zero = [0.0, 0.0]
    for bits in patterns:
        head, tail, rows, offsets = one_row_table(dtype, bits.view(dtype))
        out = cpu.embedding_bag(head, tail, rows, offsets, combine="sum", mode="max")
        assert torch.equal(out.isnan(), tail.isnan())
        assert torch.equal(out.nan_to_num(7.0), tail.nan_to_num(7.0))
        before = tail.clone()
        fused.update_rows(head, tail, [], [], rows, offsets, None, torch.zeros(1, width), 0, 0, "sgd", zero)
        assert torch.equal(tail.isnan(), before.isnan())
        same = ~before.isnan()
        assert torch.equal(tail.view(torch.int16)[same], before.view(torch.int16)[same])


@pytest.mark.parametrize("dtype", HALVES)
def test_rows_are_rounded_to_the_nearest_and_ties_to_even(dtype: torch.dtype) -> None:
    """Torch's own rounding of as many floats, with every tie, overflow and the smallest numbers."""
    patterns = torch.arange(-(2**15), 2**15, dtype=torch.int32).to(torch.int16).view(dtype).float()
    finite = patterns[patterns.isfinite()].sort().values
    between = (finite[:-1].double() + finite[1:].double()) / 2
    ties = between.float()[between.float().double() == between]
    assert ties.numel() > 60_000
    near = torch.cat([ties, ties.nextafter(torch.tensor(9e38)), ties.nextafter(torch.tensor(-9e38))])
    largest = torch.finfo(dtype).max
    edges = torch.tensor([largest * (1 + f * torch.finfo(dtype).eps) for f in (0.2, 0.24, 0.25, 0.26, 0.5)])
    wanted = torch.cat([near, edges, -edges, torch.tensor([0.0, -0.0, 1e-45, -1e-45])])
    wanted = torch.cat([wanted, wanted[: -wanted.numel() % 512]]).view(-1, 512)
    for values in wanted:
        head, tail, rows, offsets = one_row_table(dtype, torch.zeros(512))
        # 0 - 1 * -value is the value, -0 apart
        fused.update_rows(head, tail, [], [], rows, offsets, None, -values[None], 0, 0, "sgd", [1.0, 0.0])
        assert torch.equal(tail[0], values.to(dtype))


NUM_KEYS = 60_000  # several tasks of keys and of bags, and many shards of rows


def large(num_hashes: int, combine: Combine, dim: int) -> Batch:
    generator = np.random.default_rng(0)
    head = np.unique(generator.integers(-(2**63), 2**63, 3000))
    tail = generator.integers(-(2**63), 2**63, 3000)
    popular = generator.zipf(1.3, NUM_KEYS) % 3000
    keys = np.where(generator.random(NUM_KEYS) < 0.6, head[popular % head.size], tail[popular])
    lengths = generator.multinomial(NUM_KEYS - 5000, [1 / 4000] * 4000)
    offsets = np.concatenate([[0], np.cumsum([5000, 0, *lengths])])  # one bag longer than most tasks
    return made(
        head,
        torch.from_numpy(keys),
        torch.from_numpy(offsets.astype(np.int64)),
        dim,
        num_hashes,
        combine,
        num_buckets=2000,
        padding=int(tail[3]),
    )


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


@pytest.mark.parametrize(
    "size", [7, 5_000, 1_000_000]
)  # numpy takes memory for small and large in different ways
def test_arrays_are_copied_to_the_beginning_of_a_cache_line(size: int) -> None:
    array = np.arange(size, dtype=np.int64)
    copied = cpu.from_numpy(array)
    assert copied.data_ptr() % 64 == 0
    array[0] = 1
    assert torch.equal(copied, torch.arange(size))


def test_gradients_of_gradients_are_refused() -> None:
    """They would be zero without a word."""
    batch = large(2, "sum", 16)
    tail = batch.tail.clone().requires_grad_()
    out = cpu.embedding_bag(batch.head, tail, batch.rows, batch.offsets, combine="sum", mode="sum")
    (grad,) = torch.autograd.grad(out.square().sum(), tail, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        grad.square().sum().backward()


def test_the_kernels_run_on_the_threads_of_torch() -> None:
    libraries = Path(torch.__file__).with_name("lib").glob("*torch_cpu.*")
    assert [_native.use_openmp_of(str(library)) for library in libraries] == [True]
    assert not _native.use_openmp_of("/no/such/library.so")


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


@pytest.mark.parametrize("place", ["head", "tail", "state"])
def test_a_step_refuses_what_is_not_contiguous(place: str) -> None:
    """It would change a copy."""
    batch = made(np.arange(40), torch.arange(60), torch.tensor([0, 60]), 16, 2, "sum")
    parts = {"head": batch.head, "tail": batch.tail, "state": torch.zeros(batch.head.shape)}
    parts[place] = parts[place].T.contiguous().T
    with pytest.raises(InvalidValueError, match=f"{place}: expected contiguous memory"):
        fused.update_rows(
            parts["head"],
            parts["tail"],
            [parts["state"]],
            [torch.zeros(batch.tail.shape)],
            batch.rows,
            batch.offsets,
            None,
            torch.zeros(1, 16),
            0,
            0,
            "adagrad",
            [0.1, 0.0, 1e-8],
        )


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


SAMPLE = made(np.arange(4), torch.tensor([0, 1, 90, 91, 0]), torch.tensor([0, 2, 2, 5]), 8, 2, "concat")


def test_opcheck_encode() -> None:
    flat = [list(column) for column in zip(*alone(SAMPLE.dictionary), strict=True)][:5]  # all but the kind
    torch.library.opcheck(encode_op, (SAMPLE.keys, *flat, 9, SAMPLE.salts, None))
    torch.library.opcheck(encode_op, (SAMPLE.keys, *flat, 9, SAMPLE.salts, 90))


@pytest.mark.parametrize("mode", [0, 1, 2])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_opcheck_pool(mode: int, weighted: bool, dtype: torch.dtype) -> None:
    if weighted and mode:
        return
    weights = torch.linspace(-1, 1, 5).requires_grad_() if weighted else None
    head, tail = (rows.to(dtype, copy=True).requires_grad_() for rows in (SAMPLE.head, SAMPLE.tail))
    torch.library.opcheck(ops.pool_op, (head, tail, SAMPLE.rows, SAMPLE.offsets, weights, 2, mode, False))


@pytest.mark.parametrize("mode", [0, 1, 2])
def test_opcheck_gradients(mode: int) -> None:
    head, tail, rows, offsets = SAMPLE.head, SAMPLE.tail, SAMPLE.rows, SAMPLE.offsets
    _, argmax = ops.pool_op(head, tail, rows, offsets, None, 2, mode, False)
    torch.library.opcheck(
        gradients.pool_gradients_op, (head, tail, rows, offsets, None, argmax, torch.ones(3, 8), 2, mode)
    )
    torch.library.opcheck(gradients.weight_gradient_op, (head, tail, rows, offsets, torch.ones(3, 8), 2))


@pytest.mark.parametrize("rule", RULES)
def test_opcheck_update_rows(rule: str) -> None:
    head_state, tail_state = states(SAMPLE, rule)
    torch.library.opcheck(
        fused.update_rows,
        (
            SAMPLE.head.clone(),
            SAMPLE.tail.clone(),
            head_state,
            tail_state,
            SAMPLE.rows,
            SAMPLE.offsets,
            None,
            torch.ones(3, 8),
            2,
            1,
            rule,
            list(RULES[rule].numbers(3).values()),
        ),
    )


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
