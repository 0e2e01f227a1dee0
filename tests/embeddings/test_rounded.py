"""Training reads rows as they would be shipped, and moves the float rows as if nothing had been rounded."""

import copy
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from hybridhash.embeddings import (
    KeyEmbeddingBag,
    RoundedEmbeddingBag,
    RowEncoder,
    build_collection,
    pack_collections,
)
from hybridhash.embeddings.bag import Engine
from hybridhash.embeddings.rounded import REFRESH_EVERY
from hybridhash.errors import InvalidTypeError
from hybridhash.hashing import Fingerprints
from hybridhash.kernels.reference import Mode
from hybridhash.optim import SGD, Adagrad, Adam, FusedOptimizer, RowWiseAdagrad
from hybridhash.packing import pack_rows, unpack_rows
from hybridhash.spec import GroupSpec, TableSpec, Tier
from hybridhash.vocabulary import Vocabulary

KEYS = np.arange(100, 180)
# Rounded, fewer bits, shared by codes, not shipped, floats.
TIERS = (Tier(20, 8), Tier(30, 1, 0, Fingerprints(16)), Tier(10, 2, 4), Tier(10, 0), Tier(10, 32))
SPEC = TableSpec(80, 7, 6, 2, "concat", tiers=TIERS, tail_bits=3)
ENGINES = pytest.mark.parametrize("engine", ["reference", "cpu"])


def bag_of(spec: TableSpec = SPEC, kind: type[KeyEmbeddingBag] = RoundedEmbeddingBag, **options: Any) -> Any:
    options = {"init_std": 1.0, "generator": torch.Generator().manual_seed(0)} | options
    return kind(spec, RowEncoder(spec, Vocabulary(KEYS)), **options)


def batches(number: int) -> list[tuple[Tensor, Tensor]]:
    """Keys int64[5, 4] of the head and of the tail, and the gradient of their bags."""
    generator = torch.Generator().manual_seed(1)
    return [
        (torch.randint(90, 190, (5, 4), generator=generator), torch.randn(5, 6, generator=generator))
        for _ in range(number)
    ]


def rounded(rows: Tensor, formats: list[tuple[int, int]]) -> Tensor:
    """Return rows as numpy packs and reads them; of 0 and 32 bits as they are."""
    parts = torch.split(rows.detach(), [num_rows for num_rows, _ in formats])
    return torch.cat(
        [
            part if bits in (0, 32) else torch.from_numpy(unpack_rows(pack_rows(part.numpy(), bits)))
            for part, (_, bits) in zip(parts, formats, strict=True)
        ]
    )


def head_formats(spec: TableSpec) -> list[tuple[int, int]]:
    return [(tier.num_positions, 32 if tier.num_codes else tier.bits) for tier in spec.head_tiers]


def read_as_shipped(bag: KeyEmbeddingBag, **options: Any) -> KeyEmbeddingBag:
    """Return a plain bag whose rows are the rounded ones."""
    plain: KeyEmbeddingBag = bag_of(bag.spec, KeyEmbeddingBag, engine=bag.engine, mode=bag.mode, **options)
    with torch.no_grad():
        plain.head.copy_(rounded(bag.head, head_formats(bag.spec)))
        plain.tail.copy_(rounded(bag.tail, [(bag.spec.num_buckets, bag.spec.tail_bits)]))
    return plain


@ENGINES
@pytest.mark.parametrize("mode", ["sum", "mean", "max"])
def test_bags_and_gradients_are_those_of_the_rounded_rows(engine: Engine, mode: Mode) -> None:
    bag = bag_of(engine=engine, mode=mode)
    plain = read_as_shipped(bag)
    for keys, grad in batches(3):
        pooled, expected = bag(keys), plain(keys)
        assert torch.equal(pooled, expected)
        pooled.backward(grad)
        expected.backward(grad)
        assert torch.equal(bag.head.grad, plain.head.grad)
        assert torch.equal(bag.tail.grad, plain.tail.grad)
        assert torch.equal(bag.dense_equivalent(keys.flatten()), plain.dense_equivalent(keys.flatten()))


@ENGINES
def test_per_sample_weights_get_the_gradient_of_the_rounded_rows(engine: Engine) -> None:
    grads = []
    bag = bag_of(engine=engine, mode="sum", optimizer=SGD(0.1))
    for each in (read_as_shipped(bag), bag):
        keys, grad = batches(1)[0]
        weights = torch.linspace(-1, 2, 20).view(5, 4).requires_grad_()
        each(keys, per_sample_weights=weights).backward(grad)
        grads.append(weights.grad)
    assert torch.equal(*grads)


@ENGINES
def test_sparse_gradients_are_those_of_the_rounded_rows(engine: Engine) -> None:
    bag = bag_of(engine=engine, sparse=True)
    plain = read_as_shipped(bag, sparse=True)
    keys, grad = batches(1)[0]
    bag(keys).backward(grad)
    plain(keys).backward(grad)
    for mine, theirs in ((bag.head.grad, plain.head.grad), (bag.tail.grad, plain.tail.grad)):
        assert mine.is_sparse
        assert_close(mine.coalesce(), theirs.coalesce())  # type: ignore[union-attr]


@pytest.mark.filterwarnings("ignore:Sparse invariant checks are implicitly disabled")
@ENGINES
@pytest.mark.parametrize(
    ("optimizer", "peer"),
    [
        (SGD(0.1), lambda parameters: torch.optim.SGD(parameters, lr=0.1)),
        (Adagrad(0.1), lambda parameters: torch.optim.Adagrad(parameters, lr=0.1)),
        (Adam(0.01), lambda parameters: torch.optim.SparseAdam(parameters, lr=0.01)),
    ],
)
def test_a_fused_optimizer_moves_the_float_rows_as_torchs_does(
    engine: Engine, optimizer: FusedOptimizer, peer: Any
) -> None:
    fused, other = bag_of(engine=engine, optimizer=optimizer), bag_of(engine="reference", sparse=True)
    of_torch = peer(list(other.parameters()))
    for keys, grad in batches(12):
        fused(keys).backward(grad)
        of_torch.zero_grad()
        other(keys).backward(grad)
        for parameter in other.parameters():
            parameter.grad = parameter.grad.coalesce()
        of_torch.step()
    assert fused.head.grad is None
    assert fused.tail.grad is None
    assert_close(fused.head, other.head, rtol=1e-5, atol=1e-5)
    assert_close(fused.tail, other.tail, rtol=1e-5, atol=1e-5)


def test_row_wise_adagrad_moves_the_float_rows_as_its_definition_does() -> None:
    bags = [bag_of(engine=engine, optimizer=RowWiseAdagrad(0.1)) for engine in ("reference", "cpu")]
    before = bags[0].head.detach().clone()
    for keys, grad in batches(12):
        for bag in bags:
            bag(keys).backward(grad)
    assert_close(bags[0].head, bags[1].head, rtol=1e-5, atol=1e-5)
    assert_close(bags[0].tail, bags[1].tail, rtol=1e-5, atol=1e-5)
    assert (bags[0].head != before).any()


@ENGINES
def test_the_largest_step_rises_at_once_and_falls_at_the_next_look(engine: Engine) -> None:
    spec = TableSpec(80, 1, 16, tiers=(Tier(80, 4),))
    bag = bag_of(spec, engine=engine)
    row = bag.encoder.head_row(100)
    keys = torch.tensor([[101]])  # not the one that changes
    bag(keys)
    first = float(bag.rounded_head.tops[0])
    assert first == pytest.approx(float(bag.head.detach().abs().max()) / 7.5)
    with torch.no_grad():
        bag.head[row] *= 100
    bag(keys)
    assert float(bag.rounded_head.tops[0]) == first
    bag(torch.tensor([[100]]))
    assert float(bag.rounded_head.tops[0]) == pytest.approx(float(bag.head.detach().abs().max()) / 7.5)
    with torch.no_grad():
        bag.head[row] = 0
    for _ in range(REFRESH_EVERY - 3):
        bag(keys)
    assert float(bag.rounded_head.tops[0]) > first
    bag(keys)
    assert float(bag.rounded_head.tops[0]) == pytest.approx(float(bag.head.detach().abs().max()) / 7.5)


@ENGINES
def test_evaluation_reads_what_would_be_shipped_now(engine: Engine) -> None:
    """In training the largest step may be one of the past; evaluation leaves it alone."""
    group = GroupSpec(("a",), TableSpec(80, 7, 16, tiers=(Tier(80, 2),), tail_bits=4), "all")
    vocabularies = {"all": Vocabulary(KEYS)}
    generator = torch.Generator().manual_seed(0)
    collection = build_collection(
        ("a",),
        [group],
        vocabularies,
        bag=RoundedEmbeddingBag,
        optimizer=SGD(0.5),
        init_std=1.0,
        generator=generator,
    )
    bag: Any = collection.tables[0][1]
    keys, offsets = torch.arange(90, 190), torch.arange(101)
    for _ in range(3):
        bag(keys, offsets).square().sum().backward()  # towards zero: the largest step becomes too large
    in_training = bag.rounded_head.tops.clone()
    collection.eval()
    (packed,) = pack_collections([collection], vocabularies)
    with torch.inference_mode():
        assert torch.equal(bag(keys, offsets), packed.tables[0][1](keys, offsets))
    assert torch.equal(bag.rounded_head.tops, in_training)
    assert bag.rounded_head.tops_in_use < in_training


def test_rows_that_are_loaded_under_evaluation_are_looked_at() -> None:
    large, small = bag_of(), bag_of(init_std=0.1)
    small.eval()
    small.load_state_dict(large.state_dict())
    keys = batches(1)[0][0]
    assert torch.equal(small(keys), large.eval()(keys))


@ENGINES
def test_a_bag_goes_on_from_its_state(engine: Engine) -> None:
    straight = bag_of(engine=engine, optimizer=Adagrad(0.1))
    resumed = bag_of(engine=engine, optimizer=Adagrad(0.1), generator=torch.Generator().manual_seed(9))
    steps = batches(10)
    for place, (keys, grad) in enumerate(steps):
        if place == 5:
            resumed.load_state_dict(copy.deepcopy(straight.state_dict()))
        straight(keys).backward(grad)
        if place >= 5:
            resumed(keys).backward(grad)
    expected, found = straight.state_dict(), resumed.state_dict()
    assert "rounded_head.copy" not in expected
    assert {"rounded_head.tops", "rounded_head.num_reads", "rounded_tail.tops"} <= expected.keys()
    for name, tensor in expected.items():
        assert torch.equal(tensor, found[name]), name


@ENGINES
def test_a_table_of_floats_is_a_plain_bag(engine: Engine) -> None:
    spec = TableSpec(80, 7, 6, tiers=(Tier(50), Tier(30, 4, 8)))
    bags = [bag_of(spec, kind, engine=engine) for kind in (KeyEmbeddingBag, RoundedEmbeddingBag)]
    assert bags[0].state_dict().keys() == bags[1].state_dict().keys()
    keys, grad = batches(1)[0]
    for bag in bags:
        bag(keys).backward(grad)
    assert torch.equal(bags[0](keys), bags[1](keys))
    assert torch.equal(bags[0].head.grad, bags[1].head.grad)


def test_two_passes_before_one_backward_keep_their_gradients() -> None:
    bag = bag_of(mode="sum", engine="reference")
    (keys, grad), (others, other_grad) = batches(2)
    first, second = bag(keys), bag(others)
    (first * grad).sum().add((second * other_grad).sum()).backward()
    plain = read_as_shipped(bag)
    ((plain(keys) * grad).sum() + (plain(others) * other_grad).sum()).backward()
    assert_close(bag.head.grad, plain.head.grad)


def test_rows_of_float64_are_rounded_as_float32_rows() -> None:
    bag = bag_of(mode="sum").double()
    head = rounded(bag.head.float(), head_formats(SPEC)).double()
    keys = torch.from_numpy(KEYS)
    expected = torch.stack([head[bag.encoder.head_row(int(key))] for key in keys])
    # Rows that are read as floats keep their own type's digits.
    assert_close(bag(keys[:, None]).detach(), expected, rtol=1e-6, atol=1e-6)


def test_rows_too_coarse_to_keep_the_largest_step_are_refused() -> None:
    with pytest.raises(InvalidTypeError, match=r"rows: expected float32 or float64, .* got torch.bfloat16"):
        bag_of().to(torch.bfloat16)(torch.tensor([[100]]))
