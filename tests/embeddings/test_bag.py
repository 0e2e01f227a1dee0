"""With every key in the head a bag is `nn.EmbeddingBag`, to the last bit; how rows begin; what is refused."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from hybridhash.embeddings import (
    DoubleHashEmbeddingBag,
    EmbeddingBag,
    FrequencyEmbeddingBag,
    FullEmbeddingBag,
    HybridEmbeddingBag,
    RowEncoder,
)
from hybridhash.embeddings.bag import Engine
from hybridhash.errors import InvalidTypeError, InvalidValueError
from hybridhash.hashing import Fingerprints, find_positions, place_keys
from hybridhash.kernels import cpu
from hybridhash.kernels.reference import Mode
from hybridhash.optim import SGD, FusedOptimizer
from hybridhash.spec import TableSpec, Tier
from hybridhash.tables import Blueprint, KeyIndex
from hybridhash.vocabulary import Vocabulary

KEYS = np.array([900, -(2**63), 17, 0, -5, 2**63 - 1, 64, 3])  # by importance
HEAD_KEYS = torch.from_numpy(KEYS)
HEAD_ROWS = torch.from_numpy(find_positions(KEYS, place_keys(KEYS)))  # the row of each of them
DIM = 5
Make = Callable[..., EmbeddingBag]
BAGS: dict[str, Make] = {
    "full": lambda **options: FullEmbeddingBag(Vocabulary(KEYS), DIM, **options),
    "frequency": lambda **options: FrequencyEmbeddingBag(Vocabulary(KEYS), 11, DIM, **options),
    "hybrid": lambda **options: HybridEmbeddingBag(Vocabulary(KEYS), 11, DIM, **options),
    "hybrid-concat": lambda **options: HybridEmbeddingBag(Vocabulary(KEYS), 11, DIM, "concat", 5, **options),
}


def with_peer(make: Make, padding: int | None = None, **options: Any) -> tuple[EmbeddingBag, nn.EmbeddingBag]:
    """Return a bag of the engine that sums as torch does, and torch's; ``padding`` is a place in `KEYS`."""
    bag = make(
        engine="reference",
        padding_key=None if padding is None else int(HEAD_KEYS[padding]),
        generator=torch.Generator().manual_seed(0),
        **options,
    )
    padding_row = None if padding is None else int(HEAD_ROWS[padding])
    peer = nn.EmbeddingBag(bag.head.shape[0], DIM, padding_idx=padding_row, **options)
    with torch.no_grad():
        peer.weight.copy_(bag.head)
    return bag, peer


def assert_equal(
    bag: EmbeddingBag,
    peer: nn.EmbeddingBag,
    places: Tensor,
    offsets: Tensor | None = None,
    weights: Tensor | None = None,
) -> None:
    """Compare outputs and all gradients of keys at places in `KEYS`, bit for bit."""
    mine, theirs = (None if weights is None else weights.clone().requires_grad_() for _ in range(2))
    output, expected = bag(HEAD_KEYS[places], offsets, mine), peer(HEAD_ROWS[places], offsets, theirs)
    assert torch.equal(output, expected)
    factors = torch.linspace(-1.7, 2.3, max(output.numel(), 1))[: output.numel()].view_as(output)
    (output * factors).sum().backward()  # type: ignore[no-untyped-call]
    (expected * factors).sum().backward()  # type: ignore[no-untyped-call]
    assert bag.head.grad is not None
    assert peer.weight.grad is not None
    assert bag.head.grad.is_sparse == peer.weight.grad.is_sparse
    if bag.head.grad.is_sparse:
        assert torch.equal(bag.head.grad.coalesce().indices(), peer.weight.grad.coalesce().indices())
        assert torch.equal(bag.head.grad.coalesce().values(), peer.weight.grad.coalesce().values())
    assert torch.equal(bag.head.grad.to_dense(), peer.weight.grad.to_dense())
    assert not bag.tail.grad.to_dense().any()  # type: ignore[union-attr]
    if mine is not None and theirs is not None:
        assert torch.equal(mine.grad, theirs.grad)  # type: ignore[arg-type]


PLACES = torch.tensor([3, 0, 0, 7, 5, 2, 2, 2, 6, 1, 4])
OFFSETS = torch.tensor([0, 0, 1, 5, 5, 10, 11])  # empty at the start, in the middle and at the end


@pytest.mark.parametrize("make", BAGS.values(), ids=BAGS)
@pytest.mark.parametrize(
    ("mode", "sparse"), [("sum", False), ("sum", True), ("mean", False), ("mean", True), ("max", False)]
)
@pytest.mark.parametrize("padding", [None, 2])
@pytest.mark.parametrize("form", ["offsets", "with last", "2-D", "no keys", "no bags", "one key"])
def test_it_is_torchs_own_bag(make: Make, mode: Mode, sparse: bool, padding: int | None, form: str) -> None:
    with_last = form == "with last"
    bag, peer = with_peer(make, padding, mode=mode, sparse=sparse, include_last_offset=with_last)
    places, offsets = {
        "offsets": (PLACES, OFFSETS),
        "with last": (PLACES, OFFSETS),
        "2-D": (PLACES[:10].view(5, 2), None),
        "no keys": (PLACES[:0], torch.tensor([0, 0])),
        "no bags": (PLACES[:0], OFFSETS[:0]),
        "one key": (PLACES[:1], OFFSETS[:1]),
    }[form]
    assert_equal(bag, peer, places, offsets)


@pytest.mark.parametrize("make", BAGS.values(), ids=BAGS)
@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("padding", [None, 2])
@pytest.mark.parametrize("two_dimensional", [False, True])
def test_it_is_torchs_own_bag_under_weights(
    make: Make, sparse: bool, padding: int | None, two_dimensional: bool
) -> None:
    bag, peer = with_peer(make, padding, mode="sum", sparse=sparse)
    weights = torch.linspace(-2, 3, PLACES.numel())
    if two_dimensional:
        assert_equal(bag, peer, PLACES[:10].view(5, 2), None, weights[:10].view(5, 2))
    else:
        assert_equal(bag, peer, PLACES, OFFSETS, weights)


@given(
    bags=st.lists(st.lists(st.integers(0, len(KEYS) - 1), max_size=6), max_size=6),
    mode=st.sampled_from(["sum", "mean", "max"]),
    padding=st.none() | st.integers(0, len(KEYS) - 1),
    name=st.sampled_from(sorted(BAGS)),
    weighted=st.booleans(),
    sparse=st.booleans(),
)
def test_it_is_torchs_own_bag_whatever_comes(
    bags: list[list[int]], mode: Mode, padding: int | None, name: str, weighted: bool, sparse: bool
) -> None:
    bag, peer = with_peer(
        BAGS[name], padding, mode=mode, sparse=sparse and mode != "max", include_last_offset=True
    )
    places = torch.tensor([place for bag_places in bags for place in bag_places], dtype=torch.int64)
    offsets = torch.tensor(np.cumsum([0, *map(len, bags)]), dtype=torch.int64)
    weights = torch.linspace(-1, 1, places.numel()) if weighted and mode == "sum" else None
    assert_equal(bag, peer, places, offsets, weights)


@pytest.mark.filterwarnings("ignore:Sparse invariant checks are implicitly disabled")
def test_three_steps_of_training_stay_equal() -> None:
    bag, peer = with_peer(BAGS["hybrid"], mode="mean", sparse=True)
    optimizers = [torch.optim.Adagrad(module.parameters(), lr=0.1) for module in (bag, peer)]
    for _ in range(3):
        for optimizer in optimizers:
            optimizer.zero_grad()
        bag(HEAD_KEYS[PLACES], OFFSETS).square().sum().backward()
        peer(HEAD_ROWS[PLACES], OFFSETS).square().sum().backward()
        for optimizer in optimizers:
            optimizer.step()
    assert torch.equal(bag.head, peer.weight)


# Of n independent normal floats the standard deviation is off by 1 / sqrt(2 n) of itself, 0.4 % here; a
# key whose two hashes meet doubles a row, which adds less than 0.1 % at 2,000 buckets.
NUM_KEYS, INIT_DIM = 2_000, 16
UNSEEN = torch.arange(10**9, 10**9 + NUM_KEYS)


@pytest.mark.parametrize("num_buckets", [2_000, 50_000])
@pytest.mark.parametrize("combine", ["sum", "mean", "concat"])
@pytest.mark.parametrize("num_hashes", [1, 2, 4, 8])
def test_a_keys_vector_begins_with_mean_0_and_init_std(
    num_buckets: int, combine: Any, num_hashes: int
) -> None:
    """Tail and head alike, and however many rows there are."""
    bag = HybridEmbeddingBag(
        Vocabulary(np.arange(NUM_KEYS)),
        num_buckets,
        INIT_DIM,
        combine,
        num_hashes,
        init_std=0.05,
        generator=torch.Generator().manual_seed(11),
    )
    for keys in (torch.arange(NUM_KEYS), UNSEEN):
        vectors = bag.dense_equivalent(keys).detach()
        assert abs(float(vectors.std()) / 0.05 - 1) < 0.03
        assert abs(float(vectors.mean())) < 0.05 * 0.05
        assert abs(float(vectors[:, 0].std()) / 0.05 - 1) < 0.1
        assert abs(float(vectors[:, -1].std()) / 0.05 - 1) < 0.1


def test_the_default_std_is_the_documented_one() -> None:
    bag = DoubleHashEmbeddingBag(50_000, 16, generator=torch.Generator().manual_seed(0))
    assert abs(float(bag.dense_equivalent(UNSEEN).detach().std()) / 0.01 - 1) < 0.03


def test_a_tail_of_one_row_begins_at_zero() -> None:
    bag = FullEmbeddingBag(Vocabulary(KEYS), DIM)
    assert not bag.dense_equivalent(UNSEEN).any()
    assert bag.head.abs().min() > 0
    assert HybridEmbeddingBag(Vocabulary(KEYS), 2, DIM).tail.abs().min() > 0


def test_an_init_std_of_zero_is_zero() -> None:
    bag = HybridEmbeddingBag(Vocabulary(KEYS), 5, DIM, init_std=0.0)
    assert not bag.head.any()
    assert not bag.tail.any()


def test_without_a_generator_torchs_own_is_used() -> None:
    torch.manual_seed(5)
    first = HybridEmbeddingBag(Vocabulary(KEYS), 5, DIM)
    torch.manual_seed(5)
    second = HybridEmbeddingBag(Vocabulary(KEYS), 5, DIM)
    assert torch.equal(first.head, second.head)
    assert torch.equal(first.tail, second.tail)


def test_the_default_mode_is_torchs() -> None:
    assert_equal(*with_peer(BAGS["hybrid"]), PLACES, OFFSETS)


def test_a_padding_key_is_neither_read_nor_trained() -> None:
    """In the head, and in the tail."""
    for padding in (17, 123):
        bag = BAGS["hybrid"](mode="mean", padding_key=padding)
        keys = torch.tensor([padding, 900, padding])
        assert torch.equal(bag(keys, torch.tensor([0])), bag(keys[1:2], torch.tensor([0])))
        assert not bag.dense_equivalent(keys)[0].any()
        bag(keys, torch.tensor([0])).sum().backward()
        assert bag.head.grad.any(dim=1).sum() == 1
        assert not bag.tail.grad.any()


def test_a_padding_key_stays_one_under_a_loaded_dictionary() -> None:
    """Its row is another there, or none."""
    for other in (KEYS + 1, np.concatenate([KEYS[:-1], [4]])):
        saved = HybridEmbeddingBag(Vocabulary(other), 11, DIM, init_std=1.0)
        bag = HybridEmbeddingBag(Vocabulary(KEYS), 11, DIM, mode="mean", padding_key=3)
        bag.load_state_dict(saved.state_dict())
        keys = torch.from_numpy(np.concatenate([other, [3]]))
        expected = saved.dense_equivalent(keys)[keys != 3].mean(0, keepdim=True)
        torch.testing.assert_close(bag(keys, torch.tensor([0])), expected)


@pytest.mark.parametrize(
    ("engine", "backend", "mode"),
    [
        ("reference", "aot_eager", "mean"),
        ("cpu", "aot_eager", "sum"),
        ("cpu", "aot_eager", "mean"),
        ("cpu", "aot_eager", "max"),
    ],
)
def test_torch_compile_takes_a_bag(mode: Mode, engine: Engine, backend: str) -> None:
    """Outputs and gradients, at two sizes; the cpu engine in one graph."""
    torch._dynamo.reset()
    bag = BAGS["hybrid"](mode=mode, engine=engine, include_last_offset=True, padding_key=int(HEAD_KEYS[1]))
    compiled = torch.compile(bag, backend=backend, dynamic=True, fullgraph=engine == "cpu")
    for size in (5, 8):
        keys = torch.cat([HEAD_KEYS[:3], torch.arange(100, 100 + size)])
        offsets = torch.tensor([0, 2, 2, keys.numel()])
        output, expected = compiled(keys, offsets), bag(keys, offsets)
        assert torch.equal(output, expected)
        found = torch.autograd.grad(output.square().sum(), list(bag.parameters()))
        wanted = torch.autograd.grad(expected.square().sum(), list(bag.parameters()))
        assert all(map(torch.equal, found, wanted))


@pytest.mark.parametrize(
    ("num_hashes", "dim", "optimizer"), [(cpu.MAX_HASHES + 1, 34, None), (2, cpu.MAX_FUSED_DIM + 2, SGD(0.1))]
)
def test_what_the_compiled_engine_cannot_do_is_left_to_the_reference(
    num_hashes: int, dim: int, optimizer: FusedOptimizer | None
) -> None:
    def make(engine: Engine) -> EmbeddingBag:
        return HybridEmbeddingBag(
            Vocabulary(KEYS), 11, dim, "sum", num_hashes, mode="sum", engine=engine, optimizer=optimizer
        )

    bag = make("auto")
    assert bag.engine_in_use().name == "reference"
    vectors = bag.dense_equivalent(HEAD_KEYS)
    torch.testing.assert_close(bag(HEAD_KEYS, torch.tensor([0])), vectors.sum(0, keepdim=True))
    with pytest.raises(InvalidValueError, match="use engine 'reference' or 'auto'"):
        make("cpu")(HEAD_KEYS, torch.tensor([0]))


def test_a_lookup_of_another_bag_is_refused() -> None:
    bag, same_size, padded = (
        BAGS["hybrid"](mode="sum", include_last_offset=True, padding_key=padding)
        for padding in (None, None, 3)
    )
    sharing = EmbeddingBag(
        bag.blueprint, encoder=bag.encoder, mode="sum", include_last_offset=True, engine="reference"
    )
    offsets = torch.tensor([0, HEAD_KEYS.numel()])
    lookup = bag.lookup(HEAD_KEYS)
    for other in (same_size, padded, sharing):
        with pytest.raises(InvalidValueError, match="expected the lookup of a bag with the same encoder"):
            other(HEAD_KEYS, offsets, rows=lookup)
    assert torch.equal(bag(HEAD_KEYS, offsets, rows=lookup), bag(HEAD_KEYS, offsets))


@pytest.mark.parametrize("keys", [HEAD_KEYS.short(), HEAD_KEYS[None]])
def test_a_lookup_of_keys_of_another_kind_is_refused(keys: Tensor) -> None:
    with pytest.raises((InvalidTypeError, InvalidValueError), match="keys: expected"):
        BAGS["hybrid"]().lookup(keys)


def test_torch_compile_and_sparse_gradients_are_refused_with_the_way_out() -> None:
    torch._dynamo.reset()
    bag = BAGS["hybrid"](mode="sum", engine="cpu", include_last_offset=True, sparse=True)
    compiled = torch.compile(bag, backend="aot_eager")
    with pytest.raises(Exception, match="dense gradients or a fused optimizer"):
        compiled(HEAD_KEYS, torch.tensor([0, HEAD_KEYS.numel()]))


@pytest.mark.parametrize(
    ("name", "engine", "mode"),
    [
        (name, engine, ("sum", "mean", "max")[(place + engine_place) % 3])
        for place, name in enumerate(BAGS)
        for engine_place, engine in enumerate(("reference", "cpu"))
    ],
)
def test_torch_export_takes_a_bag(engine: Engine, mode: Mode, name: str) -> None:
    """Exported at one size, run at others, among them no head key, no tail key and no key; -5 is padding."""
    bag = BAGS[name](mode=mode, engine=engine, padding_key=-5).eval()
    example = (torch.tensor([900, 1, 17, 2]), torch.tensor([0, 1, 3]))
    dynamic = torch.export.Dim.DYNAMIC
    program = torch.export.export(bag, example, dynamic_shapes=({0: dynamic}, {0: dynamic})).module()
    for keys, offsets in (
        (torch.tensor([5, 900, 5, 6, 17, 0, -5]), torch.tensor([0, 0, 4, 5])),
        (torch.tensor([1, 2, 3]), torch.tensor([0, 2])),
        (torch.tensor([900, 17, 0]), torch.tensor([0, 2])),
        (torch.empty(0, dtype=torch.int64), torch.tensor([0, 0])),
    ):
        assert torch.equal(program(keys, offsets), bag(keys, offsets))


@pytest.mark.parametrize("engine", ["reference", "cpu"])
def test_torch_export_takes_weights_and_2d_keys(engine: Engine) -> None:
    bag = BAGS["hybrid"](mode="sum", engine=engine)
    example = (torch.tensor([[900, 1], [17, 2], [3, 4]]), None, torch.rand(3, 2))
    dynamic = {0: torch.export.Dim.DYNAMIC, 1: torch.export.Dim.DYNAMIC}
    program = torch.export.export(bag, example, dynamic_shapes=(dynamic, None, dynamic)).module()
    keys, weights = torch.tensor([[5, 900, 17], [0, 6, 7]]), torch.rand(2, 3)
    assert torch.equal(program(keys, None, weights), bag(keys, None, weights))


def test_it_says_its_sizes() -> None:
    assert "num_head=8, num_buckets=11, dim=5, num_hashes=2, combine='sum', mode='mean'" in repr(
        BAGS["hybrid"]()
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"mode": "median"}, "mode: expected one of sum, mean, max, got 'median'"),
        ({"mode": "max", "sparse": True}, "sparse: expected False with mode 'max'"),
        ({"init_std": -1e-9}, "init_std: expected 0 or more, got -1e-09"),
        ({"init_std": float("nan")}, "init_std: expected 0 or more, got nan"),
        ({"padding_key": 2**63}, "padding_key: expected an int64 key, got 9223372036854775808"),
        ({"padding_key": -(2**63) - 1}, "padding_key: expected an int64 key, got -9223372036854775809"),
    ],
)
def test_options_that_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidValueError, match=message):
        BAGS["hybrid"](**options)


@pytest.mark.parametrize("padding", [2**63 - 1, -(2**63)])
def test_the_outermost_keys_may_be_padding(padding: int) -> None:
    bag = BAGS["hybrid"](padding_key=padding)
    assert not bag(torch.tensor([[padding]])).any()


@pytest.mark.parametrize(
    "other",
    [TableSpec(3, 7, 4, 2), TableSpec(2, 8, 4, 2), TableSpec(2, 7, 4, 1), TableSpec(2, 7, 4, 2, seed=1)],
)
def test_an_encoder_of_another_table_is_refused(other: TableSpec) -> None:
    encoder = RowEncoder(KeyIndex.in_training(Blueprint(other, Vocabulary(KEYS[: other.num_head]))))
    with pytest.raises(InvalidValueError, match="encoder: expected one of TableSpec"):
        EmbeddingBag(Blueprint(TableSpec(2, 7, 4, 2), Vocabulary(KEYS[:2])), encoder=encoder)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        (torch.tensor([1.0, 2.0]), "keys: expected int64 or int32, got torch.float32"),
        (torch.tensor([[1, 2]]), "keys: expected 1-D, got 2-D"),
    ],
)
def test_dense_equivalent_refuses_what_are_no_keys(keys: Tensor, message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        BAGS["hybrid"]().dense_equivalent(keys)


@pytest.mark.parametrize("engine", ["cpu", "reference"])
def test_a_head_in_tiers_trains_as_torch_trains_it(engine: Engine) -> None:
    """SGD inside the backward pass, against torch's own on the gradients of a gather; new keys move the tail."""
    tiers = (Tier(20), Tier(30, 8, 4, Fingerprints(16)), Tier(10, 0))
    spec = TableSpec(60, 7, 8, 2, "mean", tiers=tiers)
    vocabulary = Vocabulary(np.random.default_rng(0).permutation(60))
    bag = EmbeddingBag(
        Blueprint(spec, vocabulary),
        mode="sum",
        engine=engine,
        optimizer=SGD(0.01),
        init_std=1.0,
        generator=torch.Generator().manual_seed(0),
    )
    head, tail = (rows.detach().clone().requires_grad_() for rows in (bag.head, bag.tail))
    peer = torch.optim.SGD([head, tail], lr=0.01)
    keys, offsets = torch.arange(100), torch.arange(0, 100, 4)
    rows = bag.encoder(keys)
    assert len(set(rows.head.tolist())) >= 60
    for _ in range(5):
        bag(keys, offsets).square().sum().backward()
        vectors = torch.empty(100, 8)
        vectors[rows.in_head], vectors[rows.in_tail] = head[rows.head], tail[rows.tail].mean(dim=1)
        peer.zero_grad()
        vectors.unflatten(0, (25, 4)).sum(dim=1).square().sum().backward()
        peer.step()
    torch.testing.assert_close(bag.head.detach(), head.detach())
    torch.testing.assert_close(bag.tail.detach(), tail.detach())
