"""One contract for every embedding bag, against its dense equivalent and a loop.

A new bag is a subclass of `EmbeddingBagContract` that says how it is made, and in which variants. Combine,
number of hashes, mode and engine meet in all ways on one batch that holds every kind of key and bag; every other
batch and option meets all modes and engines on one variant of each bag, its `usual` one.
"""

import copy
import io
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.func import functional_call
from torch.testing import assert_close

from hybridhash.embeddings import (
    DoubleHashEmbeddingBag,
    EmbeddingBag,
    FrequencyEmbeddingBag,
    FullEmbeddingBag,
    HashEmbeddingBag,
    HybridEmbeddingBag,
    PackedEmbeddingBag,
)
from hybridhash.embeddings.base import BaseEmbeddingBag
from hybridhash.errors import InvalidTypeError, InvalidValueError
from hybridhash.hashing import (
    Fingerprints,
    find_fingerprints,
    find_positions,
    hash_buckets,
    place_fingerprints,
    place_keys,
)
from hybridhash.kernels.reference import Combine, Mode
from hybridhash.packing import ROW_BITS, PackedRows, pack_integers, pack_rows, unpack_rows
from hybridhash.spec import NOT_SHIPPED, TableSpec, Tier
from hybridhash.tables import Blueprint, KeyIndex, ShippedTable
from hybridhash.vocabulary import Vocabulary

LOW, HIGH = -(2**63), 2**63 - 1
HEAD_KEYS = [30, HIGH, -7, 12, 0]
VOCABULARY = Vocabulary(np.array(HEAD_KEYS))
PADDING = 12
DIM = 8
COMBINED = [
    {"combine": combine, "num_hashes": num_hashes}
    for combine in ("sum", "mean", "concat")
    for num_hashes in (1, 2, 4, 8)
]
MODES: list[Mode] = ["sum", "mean", "max"]
BATCHES = {  # keys, offsets without the last
    "mixed": ([30, 5, 12, LOW, 6, -7, 5, 30], [0, 1, 1, 4, 8]),
    "head only": ([30, -7, 0, HIGH, 30], [0, 2]),
    "unseen only": ([1, 2, 3, 4, 5, 1], [0, 3, 4]),
    "extremes": ([LOW, HIGH, 0, -1, 1], [0, 3]),
    "repeated": ([5, 5, 5, 30, 30, 5], [0, 5]),
    "padding only": ([12, 12, 12], [0, 1]),
    "one key": ([5], [0]),
    "empty bags": ([5, 30], [0, 0, 0, 1, 2, 2]),
    "no keys": ([], [0, 0, 0]),
    "no bags": ([], []),
}
# Padding where there is some of it.
CASES = [(name, None) for name in BATCHES] + [("mixed", PADDING), ("padding only", PADDING)]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give ``variant`` all variants, ``usual`` one of them, on all engines; ``reference_*`` on the definition."""
    for name in metafunc.fixturenames:
        if name.endswith(("variant", "usual")):
            engines = ("reference",) if name.startswith("reference") else ("reference", "cpu")
            bag = metafunc.cls
            chosen = [bag.variants[bag.usual_variant]] if name.endswith("usual") else bag.variants
            variants = [{"engine": engine, **variant} for engine in engines for variant in chosen]
            metafunc.parametrize(name, variants, ids=["-".join(map(str, v.values())) for v in variants])


def named(name: str, padding: int | None) -> Callable[[str], str]:
    """Return what puts the batch before the message of a failure."""
    return lambda message: f"batch {name!r}, padding {padding}: {message}"


@pytest.fixture(autouse=True, scope="module")
def _uninitialised_memory_is_nan() -> Iterator[None]:
    """torch.empty gives NaN while torch is told to be deterministic."""
    torch.use_deterministic_algorithms(True)
    yield
    torch.use_deterministic_algorithms(False)


def batch(name: str) -> tuple[Tensor, Tensor]:
    keys, offsets = BATCHES[name]
    return torch.tensor(keys, dtype=torch.int64), torch.tensor(offsets, dtype=torch.int64)


def pooled_by_a_loop(
    vectors: Tensor, keys: Tensor, offsets: Tensor, mode: Mode, padding: int | None, weights: Tensor | None
) -> Tensor:
    """Return what the bags are, one key after another."""
    ends = [*offsets.tolist()[1:], keys.numel()]
    bags = []
    for start, end in zip(offsets.tolist(), ends, strict=True) if offsets.numel() else []:
        kept = [place for place in range(start, end) if int(keys[place]) != padding]
        bag = vectors.new_zeros(vectors.shape[1])
        if kept and mode == "max":
            bag = torch.stack([vectors[place] for place in kept]).max(dim=0).values
        elif kept:
            for place in kept:
                bag = bag + vectors[place] * (1 if weights is None else weights[place])
            bag = bag / (len(kept) if mode == "mean" else 1)
        bags.append(bag)
    return torch.stack(bags) if bags else vectors.new_zeros(0, vectors.shape[1])


def gradients(output: Tensor, inputs: list[Tensor]) -> list[Tensor]:
    """Return those of a sum with unequal factors, as dense tensors."""
    if not output.requires_grad:  # a loop over no keys reads no row
        return [torch.zeros_like(tensor) for tensor in inputs]
    factors = torch.arange(output.numel(), dtype=output.dtype).view_as(output).cos()
    found = torch.autograd.grad((output * factors).sum(), inputs, allow_unused=True, materialize_grads=True)
    return [gradient.to_dense() for gradient in found]


def head_places(spec: TableSpec) -> dict[int, tuple[int, int]]:
    """Return tier and position of each head key, by the numpy definitions of the dictionaries."""
    places: dict[int, tuple[int, int]] = {}
    left = HEAD_KEYS if spec.num_head else []
    for number, tier in enumerate(spec.head_tiers):
        keys, left = np.array(left[: tier.num_keys], dtype=np.int64), left[tier.num_keys :]
        if tier.key_bits == 64:
            positions = find_positions(keys, place_keys(keys))
        else:
            positions = find_fingerprints(keys, place_fingerprints(keys, tier.key_bits), tier.key_bits)
        for key, position in zip(keys.tolist(), positions.tolist(), strict=True):
            places[key] = number, position
    return places


def combined(spec: TableSpec, read: list[Tensor]) -> Tensor:
    """Return the vector of a key that reads these rows of the tail."""
    vector = torch.cat(read) if spec.combine == "concat" else sum(read, torch.zeros(()))
    return vector / len(read) if spec.combine == "mean" else vector


class BagContract:
    """What every bag promises, trained or packed."""

    variants: ClassVar[list[dict[str, Any]]] = [{}]
    usual_variant: ClassVar[int] = 0

    def make(self, **options: Any) -> BaseEmbeddingBag:
        """Return a bag of dim `DIM`, with the head keys `HEAD_KEYS` if it has a head."""
        raise NotImplementedError

    def make_large(self, **options: Any) -> BaseEmbeddingBag:
        """Return a bag of values around 1."""
        raise NotImplementedError

    @pytest.mark.parametrize("mode", MODES)
    def test_all_forms_of_input_are_one(self, usual: dict[str, Any], mode: Mode) -> None:
        """2-D keys, offsets with the last, non-contiguous keys, rows found before."""
        bag = self.make_large(mode=mode, **usual)
        with_last = self.make_large(mode=mode, include_last_offset=True, **usual)
        table = torch.tensor([[30, 5, 5], [LOW, HIGH, 6]])
        flat = table.flatten()
        expected = bag(flat, torch.tensor([0, 3]))
        assert torch.equal(bag(table), expected)
        assert torch.equal(with_last(flat, torch.tensor([0, 3, 6])), expected)
        assert torch.equal(bag(table.T.contiguous().T), expected)
        assert torch.equal(bag(flat.repeat_interleave(2)[::2], torch.tensor([0, 3])), expected)
        assert torch.equal(bag(flat, torch.tensor([0, 9, 3])[::2]), expected)
        assert torch.equal(bag(flat, torch.tensor([0, 3]), rows=bag.encode(flat)), expected)

    def test_rows_found_before(self, variant: dict[str, Any]) -> None:
        bag = self.make_large(mode="sum", **variant)
        keys, offsets = batch("mixed")
        assert torch.equal(bag(keys, offsets, rows=bag.encode(keys)), bag(keys, offsets))

    def test_2d_weights(self, usual: dict[str, Any]) -> None:
        bag = self.make_large(mode="sum", **usual)
        table, weights = (
            torch.tensor([[30, 5], [LOW, 6]]),
            torch.tensor([[1.0, 2.0], [3.0, 4.0]]).to(bag.dtype),
        )
        expected = bag(table.flatten(), torch.tensor([0, 2]), weights.flatten())
        assert torch.equal(bag(table, None, weights), expected)

    @pytest.mark.parametrize("mode", MODES)
    def test_2d_keys_of_nothing(self, usual: dict[str, Any], mode: Mode) -> None:
        bag = self.make_large(mode=mode, **usual)
        for num_bags, length in ((3, 0), (0, 4), (0, 0)):
            output = bag(torch.empty(num_bags, length, dtype=torch.int64))
            assert torch.equal(output, torch.zeros(num_bags, DIM, dtype=bag.dtype)), (num_bags, length)

    def test_a_state_dict_holds_all_that_inference_needs(self, usual: dict[str, Any]) -> None:
        trained = self.make(generator=torch.Generator().manual_seed(1), **usual)
        file = io.BytesIO()
        torch.save(trained.state_dict(), file)
        file.seek(0)
        fresh = self.make(generator=torch.Generator().manual_seed(2), **usual)
        keys, offsets = batch("mixed")
        assert not torch.equal(fresh(keys, offsets), trained(keys, offsets))
        fresh.load_state_dict(torch.load(file, weights_only=True))
        assert torch.equal(fresh(keys, offsets), trained(keys, offsets))

    def test_a_copy_is_equal_and_apart(self, usual: dict[str, Any]) -> None:
        bag = self.make(**usual)
        keys, offsets = batch("mixed")
        before = bag(keys, offsets)
        twin = copy.deepcopy(bag)
        assert torch.equal(twin(keys, offsets), before)
        with torch.no_grad():
            for tensor in twin.state_dict().values():
                tensor.zero_()
        assert torch.equal(bag(keys, offsets), before)

    @pytest.mark.parametrize("of_keys", [torch.int32, torch.int64])
    @pytest.mark.parametrize("of_offsets", [torch.int32, torch.int64])
    def test_integers_of_32_bits(
        self, usual: dict[str, Any], of_keys: torch.dtype, of_offsets: torch.dtype
    ) -> None:
        bag = self.make_large(**usual)
        keys, offsets = torch.tensor([30, 5, -7, 6]), torch.tensor([0, 1])
        given = keys.to(of_keys)
        assert torch.equal(bag(given, offsets.to(of_offsets)), bag(keys, offsets))
        assert torch.equal(bag(given.view(2, 2)), bag(keys.view(2, 2)))
        assert torch.equal(bag(given, offsets, rows=bag.lookup(given)), bag(keys, offsets))
        assert torch.equal(bag.dense_equivalent(given), bag.dense_equivalent(keys))

    def test_it_is_loaded_after_the_meta_device(self, usual: dict[str, Any]) -> None:
        """What is in no state_dict, such as the salts, has its values again."""
        saved = self.make_large(**usual)
        emptied = self.make_large(**usual).to("meta").to_empty(device="cpu")
        emptied.load_state_dict(saved.state_dict())
        with torch.device("meta"):
            assigned = self.make(**usual).to(saved.dtype)
        assigned.load_state_dict(saved.state_dict(), assign=True)
        keys, offsets = batch("mixed")
        for bag in (emptied, assigned):
            assert torch.equal(bag(keys, offsets), saved(keys, offsets))

    def test_on_the_meta_device_it_has_shapes(self, usual: dict[str, Any]) -> None:
        for mode in MODES:
            bag = self.make(mode=mode, padding_key=PADDING, **usual)
            keys, offsets = batch("mixed")
            expected = bag(keys, offsets)
            pooled = bag.to("meta")(keys.to("meta"), offsets.to("meta"))
            assert (pooled.device.type, pooled.shape, pooled.dtype) == (
                "meta",
                expected.shape,
                expected.dtype,
            )
            if expected.requires_grad:
                pooled.sum().backward()
                assert [rows.grad.shape for rows in bag.parameters()] == [
                    rows.shape for rows in bag.parameters()
                ]

    def test_how_many_keys_have_rows_of_their_own(self, usual: dict[str, Any]) -> None:
        bag = self.make(padding_key=PADDING, **usual)
        keys = torch.tensor([30, 5, PADDING, 6, 30])
        assert bag.head_share(keys) == (0.5 if bag.spec.num_head else 0)
        assert bag.head_share(keys[:0]) == 0

    def test_all_tensors_move_to_a_device(self, usual: dict[str, Any]) -> None:
        bag = self.make(**usual).to("meta")
        assert {tensor.device.type for tensor in (*bag.parameters(), *bag.buffers())} == {"meta"}


class EmbeddingBagContract(BagContract):
    """What every bag that is trained promises."""

    def make(self, **options: Any) -> EmbeddingBag:
        """Return a bag of dim `DIM`, with the head keys `HEAD_KEYS` if it has a head."""
        raise NotImplementedError

    def make_large(self, **options: Any) -> EmbeddingBag:
        """Return a bag of values around 1, in float64 where the engine has it."""
        options.setdefault("init_std", 1.0)
        bag = self.make(generator=torch.Generator().manual_seed(1), **options)
        bag = bag if bag.engine == "cpu" else bag.to(torch.float64)
        with torch.no_grad():
            bag.tail.normal_(generator=torch.Generator().manual_seed(2))  # also where it starts at zero
        return bag

    def test_dense_equivalent_follows_the_definition(self, variant: dict[str, Any]) -> None:
        """The numpy hashes, a dict for the head, and a loop."""
        bag = self.make_large(**variant)
        spec = bag.spec
        keys = sorted({key for keys, _ in BATCHES.values() for key in keys})
        places = head_places(spec)
        first_rows = np.cumsum([0, *(tier.num_positions for tier in spec.head_tiers)]).tolist()
        buckets = hash_buckets(np.array(keys), spec.num_buckets, spec.num_hashes, spec.seed)
        for key, vector, rows in zip(keys, bag.dense_equivalent(torch.tensor(keys)), buckets, strict=True):
            if key in places:
                tier, position = places[key]
                expected = bag.head[first_rows[tier] + position]
            else:
                expected = combined(spec, [bag.tail[row] for row in rows.tolist()])
            assert_close(vector, expected.to(vector.dtype))

    def check_against_a_loop(self, options: dict[str, Any], name: str, padding: int | None) -> None:
        """Compare outputs and gradients of one bag on one batch, where bags are sums also with weights."""
        bag = self.make_large(padding_key=padding, **options)
        keys, offsets = batch(name)
        rows = [bag.head, bag.tail]
        weights = torch.arange(keys.numel(), dtype=bag.head.dtype).sin().requires_grad_()
        for given in (None, weights) if options["mode"] == "sum" else (None,):
            output = bag(keys, offsets, given)
            vectors = bag.dense_equivalent(keys)
            expected = pooled_by_a_loop(vectors, keys, offsets, options["mode"], padding, given)
            assert_close(output, expected, msg=named(name, padding))
            inputs = rows if given is None else [*rows, given]
            assert_close(gradients(output, inputs), gradients(expected, inputs), msg=named(name, padding))

    @pytest.mark.parametrize("mode", MODES)
    def test_outputs_and_gradients_are_those_of_a_loop(self, variant: dict[str, Any], mode: Mode) -> None:
        self.check_against_a_loop({"mode": mode, **variant}, "mixed", PADDING)

    @pytest.mark.parametrize("mode", MODES)
    def test_outputs_and_gradients_of_all_batches(self, usual: dict[str, Any], mode: Mode) -> None:
        for name, padding in CASES:
            self.check_against_a_loop({"mode": mode, **usual}, name, padding)

    def check_sparse_gradients(self, options: dict[str, Any], name: str) -> None:
        keys, offsets = batch(name)
        dense, sparse = self.make_large(**options), self.make_large(sparse=True, **options)
        for bag in (dense, sparse):
            bag(keys, offsets).sum().backward()
        for mine, theirs in zip(sparse.parameters(), dense.parameters(), strict=True):
            assert mine.grad is not None
            assert theirs.grad is not None
            assert mine.grad.is_sparse
            assert not theirs.grad.is_sparse
            assert_close(mine.grad.to_dense(), theirs.grad, msg=named(name, None))

    def test_sparse_gradients_are_the_dense_ones(self, variant: dict[str, Any]) -> None:
        self.check_sparse_gradients({"mode": "mean", **variant}, "mixed")

    @pytest.mark.parametrize("mode", ["sum", "mean"])
    def test_sparse_gradients_of_all_batches(self, usual: dict[str, Any], mode: Mode) -> None:
        for name in BATCHES:
            self.check_sparse_gradients({"mode": mode, **usual}, name)

    @pytest.mark.parametrize("mode", MODES)
    def test_gradcheck(self, reference_usual: dict[str, Any], mode: Mode) -> None:
        """Against finite differences."""
        bag = self.make_large(mode=mode, **reference_usual)
        keys, offsets = batch("mixed")
        weights = torch.rand(keys.numel(), dtype=torch.float64, generator=torch.Generator().manual_seed(0))

        def pooled(head: Tensor, tail: Tensor, weights: Tensor) -> Tensor:
            arguments = (keys, offsets, weights) if mode == "sum" else (keys, offsets)
            return functional_call(bag, {"head": head, "tail": tail}, arguments)  # type: ignore[no-any-return]

        rows = [parameter.detach().requires_grad_() for parameter in (bag.head, bag.tail)]
        assert torch.autograd.gradcheck(
            pooled, (*rows, weights.requires_grad_(mode == "sum")), fast_mode=True
        )

    def test_other_types_of_float(self, reference_variant: dict[str, Any]) -> None:
        bag = self.make(**reference_variant)
        keys, offsets = batch("mixed")
        single = bag(keys, offsets)
        double = bag.to(torch.float64)(keys, offsets)
        assert (single.dtype, double.dtype) == (torch.float32, torch.float64)
        assert_close(single.double(), double, rtol=1e-5, atol=1e-7)
        assert bag.encoder.dictionary.dtype == torch.int64

    @pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
    def test_half_floats_are_summed_in_float32(
        self, reference_variant: dict[str, Any], dtype: torch.dtype
    ) -> None:
        """The cpu engine, against the definition on the rounded rows in float32; the last rounding is torch's."""
        keys, offsets = batch("mixed")
        half = self.make_large(**(reference_variant | {"engine": "cpu"})).to(dtype)
        single = self.make_large(**reference_variant).to(torch.float32)
        single.load_state_dict(half.state_dict())
        output = half(keys, offsets)
        assert output.dtype == dtype
        assert_close(output, single(keys, offsets).to(dtype))
        factors = torch.linspace(-1, 1, output.numel()).view_as(output)
        (output * factors.to(dtype)).sum().backward()
        (single(keys, offsets) * factors.to(dtype).float()).sum().backward()
        for mine, theirs in zip(half.parameters(), single.parameters(), strict=True):
            assert_close(mine.grad, theirs.grad.to(dtype))  # type: ignore[union-attr]

    def test_one_seed_gives_one_bag(self, usual: dict[str, Any]) -> None:
        def drawn(seed: int) -> Tensor:
            bag = self.make(generator=torch.Generator().manual_seed(seed), **usual)
            return torch.cat([bag.head.flatten(), bag.tail.flatten()])

        assert torch.equal(drawn(3), drawn(3))
        assert not torch.equal(drawn(3), drawn(4))

    def test_a_generator_of_ones_own_leaves_the_common_one_alone(self, usual: dict[str, Any]) -> None:
        before = torch.get_rng_state()
        self.make(generator=torch.Generator().manual_seed(3), **usual)
        assert torch.equal(torch.get_rng_state(), before)


class TestFull(EmbeddingBagContract):
    def make(self, **options: Any) -> EmbeddingBag:
        return FullEmbeddingBag(VOCABULARY, DIM, **options)


class TestHash(EmbeddingBagContract):
    def make(self, **options: Any) -> EmbeddingBag:
        return HashEmbeddingBag(7, DIM, **options)


class TestDoubleHash(EmbeddingBagContract):
    variants = COMBINED[1::3]  # each combine, each num_hashes
    usual_variant = 3

    def make(self, **options: Any) -> EmbeddingBag:
        return DoubleHashEmbeddingBag(7, DIM, seed=2**64 - 1, **options)


class TestFrequency(EmbeddingBagContract):
    def make(self, **options: Any) -> EmbeddingBag:
        return FrequencyEmbeddingBag(VOCABULARY, 7, DIM, **options)


class TestHybrid(EmbeddingBagContract):
    variants = COMBINED
    usual_variant = 1

    def make(self, **options: Any) -> EmbeddingBag:
        return HybridEmbeddingBag(VOCABULARY, 7, DIM, **options)


class TestTiers(EmbeddingBagContract):
    """The head in parts, each with its dictionary."""

    variants = COMBINED[1::3]
    usual_variant = 3

    def make(self, *, combine: Combine, num_hashes: int, **options: Any) -> EmbeddingBag:
        tiers = (Tier(2), Tier(2, 8, 4, Fingerprints(16)), Tier(1, NOT_SHIPPED))
        spec = TableSpec(5, 7, DIM, num_hashes, combine, tiers=tiers)
        return EmbeddingBag(Blueprint(spec, VOCABULARY), **options)


class TestPacked(BagContract):
    """Rows of their own at all bits, shared rows, and keys that are left out; there are no gradients."""

    variants: ClassVar[list[dict[str, Any]]] = [
        {**options, "bits": bits} for options, bits in zip(COMBINED[::2], (*ROW_BITS, 2), strict=True)
    ]
    usual_variant = 3
    codes = np.random.default_rng(0).integers(0, 3, Tier(2).num_positions).astype(np.uint32)

    def make(
        self,
        *,
        combine: Combine,
        num_hashes: int,
        bits: int,
        generator: torch.Generator | None = None,
        **options: Any,
    ) -> PackedEmbeddingBag:
        tiers = (Tier(2, bits), Tier(2, 8, 3, Fingerprints(16)), Tier(1, NOT_SHIPPED))
        spec = TableSpec(5, 7, DIM, num_hashes, combine, tiers=tiers, tail_bits=bits)
        places = [one.places for one in KeyIndex.in_training(Blueprint(spec, VOCABULARY)).dictionaries]
        codes = [np.empty(0, dtype=np.uint8), pack_integers(self.codes, 2)]
        index = KeyIndex.shipped(spec, places[:2], codes)
        shapes = ((tiers[0].num_positions, DIM, bits), (3, DIM, 8), (7, spec.bucket_dim, bits))
        slabs = [
            pack_rows(torch.randn(num_rows, width, generator=generator, device="cpu").numpy(), each)
            for num_rows, width, each in shapes
        ]
        return PackedEmbeddingBag(ShippedTable(spec, index, slabs), **options)

    def make_large(self, **options: Any) -> PackedEmbeddingBag:
        return self.make(generator=torch.Generator().manual_seed(1), **options)

    def test_dense_equivalent_follows_the_definition(self, variant: dict[str, Any]) -> None:
        """The numpy hashes and rows, and a dict for the head."""
        bag = self.make_large(**variant)
        spec = bag.spec
        exclusive, shared, tail = (
            torch.from_numpy(
                unpack_rows(
                    PackedRows(slab.codes.numpy(), slab.scales.numpy(), slab.bits, slab.width, slab.num_rows)
                )
            )
            for slab in bag.slabs
        )
        keys = sorted({key for keys, _ in BATCHES.values() for key in keys})
        places = head_places(spec)
        buckets = hash_buckets(np.array(keys), spec.num_buckets, spec.num_hashes, spec.seed)
        for key, vector, rows in zip(keys, bag.dense_equivalent(torch.tensor(keys)), buckets, strict=True):
            tier, position = places.get(key, (2, -1))
            if tier == 2:
                expected = combined(spec, [tail[row] for row in rows.tolist()])
            else:
                expected = exclusive[position] if tier == 0 else shared[self.codes[position]]
            assert_close(vector, expected)

    def check_against_a_loop(self, options: dict[str, Any], name: str, padding: int | None) -> None:
        """Compare outputs of one bag on one batch, where bags are sums also with weights."""
        bag = self.make_large(padding_key=padding, **options)
        keys, offsets = batch(name)
        weights = torch.arange(keys.numel(), dtype=torch.float32).sin()
        for given in (None, weights) if options["mode"] == "sum" else (None,):
            vectors = bag.dense_equivalent(keys)
            expected = pooled_by_a_loop(vectors, keys, offsets, options["mode"], padding, given)
            assert_close(bag(keys, offsets, given), expected, msg=named(name, padding))

    @pytest.mark.parametrize("mode", MODES)
    def test_outputs_are_those_of_a_loop(self, variant: dict[str, Any], mode: Mode) -> None:
        self.check_against_a_loop({"mode": mode, **variant}, "mixed", PADDING)

    @pytest.mark.parametrize("mode", MODES)
    def test_outputs_of_all_batches(self, usual: dict[str, Any], mode: Mode) -> None:
        for name, padding in CASES:
            self.check_against_a_loop({"mode": mode, **usual}, name, padding)


KEYS, OFFSETS = torch.tensor([5, 30, 6]), torch.tensor([0, 2])


@pytest.mark.parametrize(
    ("options", "arguments", "error", "message"),
    [
        ({}, (KEYS.numpy(), OFFSETS), InvalidTypeError, "keys: expected a torch.Tensor .* got ndarray"),
        ({}, (KEYS.short(), OFFSETS), InvalidTypeError, "keys: expected int64 or int32, got torch.int16"),
        ({}, (KEYS.double(), OFFSETS), InvalidTypeError, "keys: expected int64 or int32, got torch.float64"),
        ({}, (KEYS[0], OFFSETS), InvalidValueError, "keys: expected 1-D or 2-D, got 0-D"),
        ({}, (KEYS.view(1, 1, 3),), InvalidValueError, "keys: expected 1-D or 2-D, got 3-D"),
        ({}, (KEYS,), InvalidValueError, "offsets: expected int64 offsets with 1-D keys, got none"),
        ({}, (KEYS[None], OFFSETS), InvalidValueError, "offsets: expected none with 2-D keys"),
        ({}, (KEYS, OFFSETS.bool()), InvalidTypeError, "offsets: expected int64 or int32, got torch.bool"),
        ({}, (KEYS, [0, 2]), InvalidTypeError, "offsets: expected a torch.Tensor of int64, got list"),
        ({}, (KEYS, OFFSETS[None]), InvalidValueError, "offsets: expected 1-D, got 2-D"),
        ({}, (KEYS, OFFSETS[:0]), InvalidValueError, "got no bag for 3 keys"),
        ({}, (KEYS, torch.tensor([1, 2])), InvalidValueError, "offsets: expected to begin at 0, got 1"),
        ({}, (KEYS, torch.tensor([0, 4])), InvalidValueError, "got 4 and then 3"),
        ({}, (KEYS, torch.tensor([0, 2, 1])), InvalidValueError, "got 2 and then 1"),
        (
            {"include_last_offset": True},
            (KEYS, OFFSETS[:0]),
            InvalidValueError,
            "expected at least the number of keys",
        ),
        ({"include_last_offset": True}, (KEYS, OFFSETS[:1]), InvalidValueError, "got no bag for 3 keys"),
        (
            {"include_last_offset": True},
            (KEYS, torch.tensor([0, 2])),
            InvalidValueError,
            "expected to end at the number of keys, 3, got 2",
        ),
        (
            {"include_last_offset": True},
            (KEYS, torch.tensor([0, 4])),
            InvalidValueError,
            "expected to end at the number of keys, 3, got 4",
        ),
        (
            {"mode": "mean"},
            (KEYS, OFFSETS, torch.ones(3)),
            InvalidValueError,
            "expected mode 'sum', got mode 'mean'",
        ),
        (
            {"mode": "max"},
            (KEYS, OFFSETS, torch.ones(3)),
            InvalidValueError,
            "expected mode 'sum', got mode 'max'",
        ),
        (
            {},
            (KEYS, OFFSETS, torch.ones(2)),
            InvalidValueError,
            r"the shape of keys \(3,\), got \(2,\)",
        ),
        (
            {},
            (KEYS, OFFSETS, torch.ones(3).long()),
            InvalidTypeError,
            "expected torch.float32.*got torch.int64",
        ),
        (
            {},
            (KEYS, OFFSETS, torch.ones(3).double()),
            InvalidTypeError,
            "expected torch.float32.*got torch.float64",
        ),
    ],
)
def test_inputs_that_are_refused(
    options: dict[str, Any], arguments: tuple[Any, ...], error: type[Exception], message: str
) -> None:
    bag = HybridEmbeddingBag(VOCABULARY, 7, DIM, **({"mode": "sum"} | options))
    with pytest.raises(error, match=message):
        bag(*arguments)


@pytest.mark.parametrize(
    ("options", "arguments"),
    [
        ({}, (KEYS, torch.tensor([0, 3]))),
        ({}, (KEYS, torch.tensor([0, 0]))),
        ({"include_last_offset": True}, (KEYS, torch.tensor([0, 3]))),
        ({"include_last_offset": True}, (KEYS[:0], torch.tensor([0]))),
    ],
)
def test_the_last_inputs_that_are_not(options: dict[str, Any], arguments: tuple[Any, ...]) -> None:
    HybridEmbeddingBag(VOCABULARY, 7, DIM, **options)(*arguments)
