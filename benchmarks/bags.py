"""Embedding bags: a training step and a forward pass, ours beside uncompressed tables and torch operators."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import numpy as np
import torch

import hybridhash as hh
import hybridhash.optim
from benchmarks import peers
from benchmarks.harness import Case, Plan, Row, measure
from benchmarks.ids import Batch, Setting, draw_batches, keys_of_ranks, vocabulary_of
from benchmarks.peers import LEARNING_RATE, Optimizer, Step
from benchmarks.traffic import Reads, step_bytes
from hybridhash.embeddings import EmbeddingBag
from hybridhash.hashing import bucket_salts, num_positions, place_fingerprints
from hybridhash.kernels import cpu
from hybridhash.kernels.reference import Dictionary, Slab
from hybridhash.packing import FLOAT_BITS, pack_rows
from hybridhash.spec import Combine

HYBRID: Final = "hybrid"
FINGERPRINTS: Final = "hybrid, fingerprints of 16 bits"
PACKED: Final[dict[int, str]] = {bits: f"hybrid, fingerprints, rows of {bits} bits" for bits in (8, 4, 2)}
CONCAT: Final = "hybrid, concat 8"
DOUBLE: Final = "double"
HASHED: Final = "hashed, 2^22 rows"
FULL: Final = "full, dictionary"
FULL_ROWS: Final = "full, rows given"
REFERENCE: Final = "hybrid, engine reference"
COMPOSED: Final = "hybrid from torch ops"
FBGEMM: Final = "FBGEMM TBE, full"
TORCH: Final = "nn.EmbeddingBag, full"

_KEY_BITS: Final = 16
_STATES: Final[dict[Optimizer | None, int | None]] = {None: None, "sgd": 0, "adagrad": 1}


@dataclass(frozen=True)
class Contender:
    """A way to do a step.

    Attributes:
        step: Does it.
        reads: What a batch reads; a batch in, reads and whether keys are looked up out.
        every: As in `Case`.
    """

    step: Step
    reads: Callable[[Batch], tuple[list[Reads], bool]]
    every: int = 1


def _fused(optimizer: Optimizer | None) -> hybridhash.optim.FusedOptimizer | None:
    rules = {"sgd": hybridhash.optim.SGD, "adagrad": hybridhash.optim.Adagrad}
    return None if optimizer is None else rules[optimizer](LEARNING_RATE)


def _ours(bag: EmbeddingBag, optimizer: Optimizer | None, rows_given: bool = False) -> Contender:
    found: dict[int, torch.Tensor] = {}

    def given_rows(batch: Batch) -> torch.Tensor:
        if id(batch) not in found:
            # As the kernels read them: a tail row is the complement of its number.
            found[id(batch)] = (~batch.rows).int()[:, None]
        return found[id(batch)]

    def forward(batch: Batch) -> torch.Tensor:
        rows = given_rows(batch) if rows_given else None
        pooled: torch.Tensor = bag(batch.keys, batch.offsets, rows=rows)
        return pooled

    def train(batch: Batch) -> None:
        forward(batch).backward(batch.grad)

    def reads(batch: Batch) -> tuple[list[Reads], bool]:
        rows = bag.encode(batch.keys)
        assert isinstance(rows, torch.Tensor)
        in_head = rows[:, 0] >= 0
        head = Reads(rows[in_head, 0], bag.spec.dim)
        return [head, Reads(rows[~in_head].flatten(), bag.spec.bucket_dim)], bag.spec.num_head > 0

    return Contender(peers.forward_only(forward) if optimizer is None else train, reads)


def _hybrid(
    setting: Setting, optimizer: Optimizer | None, combine: Combine = "sum", num_hashes: int = 2
) -> Contender:
    num_head = min(setting.num_head, setting.num_ids)
    scale = num_hashes if combine == "concat" else 1
    bag = hh.HybridEmbeddingBag(
        vocabulary_of(num_head),
        setting.num_buckets * scale,
        setting.dim,
        combine=combine,
        num_hashes=num_hashes,
        mode="sum",
        include_last_offset=True,
        engine="cpu",
        optimizer=_fused(optimizer),
        init_std=0.0,
    )
    return _ours(bag, optimizer)


def _by_fingerprints(setting: Setting, optimizer: Optimizer | None, bits: int = FLOAT_BITS) -> Contender:
    """Forward only, on the kernels: a dictionary of fingerprints of 16 bits, and rows of a few bits."""
    assert optimizer is None
    keys = vocabulary_of(min(setting.num_head, setting.num_ids)).keys
    no_codes = torch.empty(0, dtype=torch.uint8)
    places = cpu.from_numpy(place_fingerprints(keys, _KEY_BITS))
    dictionaries = [Dictionary(places, _KEY_BITS, no_codes, 0, num_positions(keys.size))]
    salts = np.array(bucket_salts(2), dtype=np.uint64).view(np.int64).tolist()
    sizes = (num_positions(keys.size), setting.dim), (setting.num_buckets, setting.dim)
    head, tail = (cpu.empty_rows(size).normal_() for size in sizes)

    def lookup(batch: Batch) -> cpu.Lookup:
        return cpu.Lookup(batch.keys, dictionaries, setting.num_buckets, salts)

    if bits == FLOAT_BITS:

        def forward(batch: Batch) -> torch.Tensor:
            return cpu.embedding_bag(head, tail, lookup(batch), batch.offsets, combine="sum", mode="sum")

    else:
        slabs = [_packed(head, bits)], _packed(tail, bits)

        def forward(batch: Batch) -> torch.Tensor:
            return cpu.packed_embedding_bag(*slabs, lookup(batch), batch.offsets, combine="sum", mode="sum")

    def reads(batch: Batch) -> tuple[list[Reads], bool]:
        rows = lookup(batch).rows()
        in_head = rows[:, 0] >= 0
        # In units of floats; scales are not counted.
        dim = max(setting.dim * bits // FLOAT_BITS, 1)
        return [Reads(rows[in_head, 0], dim), Reads(rows[~in_head].flatten(), dim)], True

    return Contender(peers.forward_only(forward), reads)


def _packed(rows: torch.Tensor, bits: int) -> Slab:
    packed = pack_rows(rows.numpy(), bits)
    codes, scales = cpu.from_numpy(packed.codes), cpu.from_numpy(packed.scales)
    return Slab(codes, scales, bits, packed.num_rows, packed.width)


def _double(setting: Setting, optimizer: Optimizer | None) -> Contender:
    bag = hh.DoubleHashEmbeddingBag(
        setting.num_buckets,
        setting.dim,
        mode="sum",
        include_last_offset=True,
        engine="cpu",
        optimizer=_fused(optimizer),
        init_std=0.0,
    )
    return _ours(bag, optimizer)


def _hashed(setting: Setting, optimizer: Optimizer | None, rows_given: bool = False) -> Contender:
    bag = hh.HashEmbeddingBag(
        setting.num_full_rows,
        setting.dim,
        mode="sum",
        include_last_offset=True,
        engine="cpu",
        optimizer=_fused(optimizer),
        init_std=0.0,
    )
    return _ours(bag, optimizer, rows_given)


def _full(setting: Setting, optimizer: Optimizer | None) -> Contender:
    bag = hh.FullEmbeddingBag(
        hh.Vocabulary(keys_of_ranks(np.arange(setting.num_ids))),
        setting.dim,
        mode="sum",
        include_last_offset=True,
        engine="cpu",
        optimizer=_fused(optimizer),
        init_std=0.0,
    )
    return _ours(bag, optimizer)


def _reference(setting: Setting, optimizer: Optimizer | None) -> Contender:
    bag = hh.HybridEmbeddingBag(
        vocabulary_of(min(setting.num_head, setting.num_ids)),
        setting.num_buckets,
        setting.dim,
        mode="sum",
        include_last_offset=True,
        engine="reference",
        sparse=True,
        init_std=0.0,
    )

    def forward(batch: Batch) -> torch.Tensor:
        pooled: torch.Tensor = bag(batch.keys, batch.offsets)
        return pooled

    step = (
        peers.forward_only(forward) if optimizer is None else peers.trained_by_torch(bag, forward, optimizer)
    )
    return Contender(step, _hybrid_reads(setting), every=4)


def _composed(setting: Setting, optimizer: Optimizer | None) -> Contender:
    vocabulary = vocabulary_of(min(setting.num_head, setting.num_ids))
    return Contender(peers.composed(vocabulary, setting, optimizer), _hybrid_reads(setting), every=4)


def _hybrid_reads(setting: Setting) -> Callable[[Batch], tuple[list[Reads], bool]]:
    small = replace(setting, dim=8)
    return lambda batch: (
        [Reads(read.rows, setting.dim) for read in _hybrid(small, None).reads(batch)[0]],
        True,
    )


def _full_reads(batch: Batch) -> tuple[list[Reads], bool]:
    return [Reads(batch.rows, batch.grad.shape[1])], False


def _peer(make: Callable[[Setting, Optimizer | None], Step]) -> Callable[..., Contender]:
    return lambda setting, optimizer: Contender(make(setting, optimizer), _full_reads)


CONTENDERS: Final[dict[str, Callable[[Setting, Optimizer | None], Contender]]] = {
    HYBRID: _hybrid,
    FINGERPRINTS: _by_fingerprints,
    **{name: partial(_by_fingerprints, bits=bits) for bits, name in PACKED.items()},
    CONCAT: partial(_hybrid, combine="concat", num_hashes=8),
    DOUBLE: _double,
    HASHED: _hashed,
    FULL: _full,
    FULL_ROWS: partial(_hashed, rows_given=True),
    FBGEMM: _peer(peers.fbgemm),
    TORCH: _peer(peers.embedding_bag),
    COMPOSED: _composed,
    REFERENCE: _reference,
}


@dataclass(frozen=True)
class Group:
    """Contenders under one setting.

    Attributes:
        name: Heading.
        names: Who takes part.
        optimizer: None for forward only.
        setting: Sizes.
    """

    name: str
    names: tuple[str, ...]
    optimizer: Optimizer | None
    setting: Setting


def groups(base: Setting) -> Iterator[Group]:
    """Yield every comparison of this file around a setting."""
    serving = (FINGERPRINTS, *PACKED.values())
    everyone = tuple(name for name in CONTENDERS if name not in serving)
    yield Group("Training step, SGD", everyone, "sgd", base)
    yield Group("Training step, Adagrad", everyone, "adagrad", base)
    yield Group("Forward only", (*everyone, *serving), None, base)
    short = (HYBRID, CONCAT, DOUBLE, FULL_ROWS, FBGEMM, TORCH)
    for exponent, name in ((0.8, "Zipf 0.8"), (0.0, "uniform")):
        yield Group(f"Training step, SGD, {name}", short, "sgd", replace(base, exponent=exponent))
    for dim in (8, 16, 64, 128):
        batches = max(base.num_batches * 32 // max(dim, 32), 1)
        setting = replace(base, dim=dim, num_batches=batches)
        yield Group(
            f"Training step, SGD, dim {dim}", (HYBRID, CONCAT, FULL_ROWS, FBGEMM, TORCH), "sgd", setting
        )
    one_hot = replace(base, num_bags=26 * base.num_bags // 2, bag_length=1)
    yield Group("Training step, SGD, one-hot", short, "sgd", one_hot)


def heads(base: Setting) -> Iterator[tuple[str, Setting]]:
    """Yield the settings that differ in K."""
    for num_head in (0, 10_000, 60_000, 120_000, 500_000, 1_000_000):
        if num_head <= base.num_ids:
            yield f"{HYBRID}, K = {num_head:,}", replace(base, num_head=num_head)


def growth(base: Setting) -> Iterator[tuple[str, Setting]]:
    """Yield the settings that differ in T; the uncompressed table grows with it."""
    for num_ids in (10_000, 100_000, 1_000_000, 4_000_000, 10_000_000, 100_000_000):
        yield f"{num_ids:,}", replace(base, num_ids=num_ids, num_full_rows=1 << (num_ids - 1).bit_length())


def _case(name: str, contender: Contender, batches: Sequence[Batch], optimizer: Optimizer | None) -> Case:
    first = batches[0]
    reads, dictionary = contender.reads(first)
    num_keys = first.keys.numel()
    num_lines = 2 * num_keys - reads[0].rows.numel() if dictionary else 0  # the head is read first
    num_bytes = step_bytes(num_keys, first.grad, reads, num_lines=num_lines, num_states=_STATES[optimizer])
    return Case(
        name,
        lambda index: contender.step(batches[index % len(batches)]),
        num_keys,
        num_bytes,
        contender.every,
    )


def run_group(group: Group, plan: Plan) -> list[Row]:
    """Measure one comparison."""
    batches = draw_batches(group.setting)
    cases = [
        _case(name, CONTENDERS[name](group.setting, group.optimizer), batches, group.optimizer)
        for name in group.names
    ]
    return measure(group.name, cases, plan, group.setting.as_dict())


def run(base: Setting, plan: Plan, most_full_rows: int = 1 << 24) -> Iterator[list[Row]]:
    """Measure all comparisons.

    Args:
        base: The setting that the comparisons vary.
        plan: How often each case runs.
        most_full_rows: Larger uncompressed tables are left out of the growth with T.

    Yields:
        The rows of one comparison.
    """
    for group in groups(base):
        yield run_group(group, plan)
    batches = draw_batches(base)
    cases = [_case(name, _hybrid(setting, "sgd"), batches, "sgd") for name, setting in heads(base)]
    cases.append(_case(FBGEMM, CONTENDERS[FBGEMM](base, "sgd"), batches, "sgd"))
    yield measure("Training step, SGD, by K", cases, plan, base.as_dict())
    cases = []
    for label, setting in growth(base):
        batches = draw_batches(setting)
        cases.append(_case(f"{HYBRID}, T = {label}", _hybrid(setting, "sgd"), batches, "sgd"))
        if setting.num_full_rows <= most_full_rows:
            contender = CONTENDERS[FBGEMM](setting, "sgd")
            cases.append(_case(f"{FBGEMM}, T = {label}", contender, batches, "sgd"))
    yield measure("Training step, SGD, by T", cases, plan, base.as_dict())
