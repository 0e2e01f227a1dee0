"""The door to the engines: a toy engine runs all bags, and who is asked when."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from hybridhash.embeddings import EmbeddingBag, HybridEmbeddingBag, PackedEmbeddingBag, pack
from hybridhash.errors import InvalidValueError
from hybridhash.hashing import Fingerprints
from hybridhash.kernels import (
    Index,
    Request,
    engine_for,
    engine_names,
    reference,
    register_engine,
    remove_engine,
)
from hybridhash.kernels.cpu import fused
from hybridhash.optim import SGD
from hybridhash.spec import TableSpec, Tier
from hybridhash.tables import Blueprint
from hybridhash.vocabulary import Vocabulary

from .conftest import OPTIMIZERS


class ToyEngine:
    """Counts its calls and leaves the work to the functions of the reference."""

    name = "toy"
    checks_offsets = False

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()

    def unable(self, request: Request) -> str | None:
        return None if request.num_hashes < 5 else f"expected at most 4 hashes, got {request.num_hashes}"

    def encode(self, keys: Tensor, index: Index) -> Any:
        self.calls["encode"] += 1
        rows = reference.encode(keys, index.dictionaries, index.num_buckets, index.salts, index.padding_key)
        return "toy", rows

    def lookup(self, keys: Tensor, index: Index, *, kept: bool) -> Any:
        return self.encode(keys, index)

    def answers(self, rows: Any, index: Index) -> bool:
        return isinstance(rows, tuple) and rows[0] == "toy"

    def embedding_bag(self, head: Tensor, tail: Tensor, rows: Any, offsets: Tensor, **options: Any) -> Tensor:
        self.calls["embedding_bag"] += 1
        return reference.embedding_bag(head, tail, rows[1], offsets, **options)

    def update(
        self, head: Tensor, tail: Tensor, rows: Any, offsets: Tensor, grad: Tensor, **options: Any
    ) -> None:
        self.calls["update"] += 1
        reference.update(head, tail, rows[1], offsets, grad, **options)

    def weight_gradient(
        self, head: Tensor, tail: Tensor, rows: Any, offsets: Tensor, grad: Tensor, **options: Any
    ) -> Tensor:
        self.calls["weight_gradient"] += 1
        return reference.weight_gradient(head, tail, rows[1], offsets, grad, **options)

    def packed_embedding_bag(
        self, head: Any, tail: Any, rows: Any, offsets: Tensor, **options: Any
    ) -> Tensor:
        self.calls["packed_embedding_bag"] += 1
        return reference.packed_embedding_bag(head, tail, rows[1], offsets, **options)


KEYS, OFFSETS = torch.tensor([3, 1, 99, 3, 7]), torch.tensor([0, 2])


@pytest.fixture
def toy() -> Iterator[ToyEngine]:
    engine = ToyEngine()
    register_engine(engine)
    yield engine
    remove_engine("toy")


def bag_of(engine: str, **options: Any) -> EmbeddingBag:
    spec = TableSpec(9, 5, 4, 2, "sum", tiers=(Tier(4), Tier(5, 8, 3, Fingerprints(12))))
    generator = torch.Generator().manual_seed(0)
    return EmbeddingBag(
        Blueprint(spec, Vocabulary(torch.arange(9).numpy())), engine=engine, generator=generator, **options
    )


def test_a_toy_engine_trains_packs_and_serves(toy: ToyEngine) -> None:
    """By its name, and with the results of the reference."""
    for options in ({}, {"optimizer": SGD(0.1)}, {"sparse": True, "mode": "sum"}, {"mode": "max"}):
        mine, theirs = (bag_of(name, **options) for name in ("toy", "reference"))
        for bag in (mine, theirs):
            bag(KEYS, OFFSETS, rows=bag.lookup(KEYS)).sum().backward()
        assert torch.equal(mine.head, theirs.head)
        packed = PackedEmbeddingBag(pack(mine), engine="toy")
        assert torch.equal(
            packed(KEYS, OFFSETS), PackedEmbeddingBag(pack(mine), engine="reference")(KEYS, OFFSETS)
        )
    assert toy.calls == {"encode": 8, "embedding_bag": 4, "update": 1, "packed_embedding_bag": 4}


def test_auto_takes_the_engine_that_was_registered_last_and_can(toy: ToyEngine) -> None:
    assert engine_names() == ("auto", "reference", "cpu", "toy")
    assert bag_of("auto").engine_in_use() is toy
    many = HybridEmbeddingBag(Vocabulary(torch.arange(3).numpy()), 5, 6, "sum", 6)
    assert many.engine_in_use().name == "cpu"
    assert many.double().engine_in_use().name == "reference"


def test_an_engine_that_cannot_says_why(toy: ToyEngine) -> None:
    many = HybridEmbeddingBag(Vocabulary(torch.arange(3).numpy()), 5, 6, "sum", 6, engine="toy")
    with pytest.raises(InvalidValueError, match=r"engine .toy.: expected at most 4 hashes, got 6"):
        many(KEYS, OFFSETS)


def test_rows_of_another_engine_are_refused(toy: ToyEngine) -> None:
    bag = bag_of("toy")
    with pytest.raises(InvalidValueError, match="rows: expected the lookup of a bag with the same encoder"):
        bag(KEYS, OFFSETS, rows=bag_of("reference").lookup(KEYS))


def test_names_that_are_refused() -> None:
    with pytest.raises(InvalidValueError, match="engine: expected one of auto, reference, cpu, got 'toy'"):
        bag_of("toy")
    auto = ToyEngine()
    auto.name = "auto"
    with pytest.raises(InvalidValueError, match="engine: expected a name other than 'auto'"):
        register_engine(auto)


def test_engines_take_the_kinds_of_dictionary_that_they_read(monkeypatch: pytest.MonkeyPatch) -> None:
    request = Request(torch.device("cpu"), torch.float32, 2, 1, frozenset({"exact"}))
    assert engine_for("auto", request).name == "cpu"
    strange = request._replace(kinds=frozenset({"exact", "strange"}))
    for engine in ("reference", "cpu"):
        with pytest.raises(
            InvalidValueError, match=r"of the kinds exact, fingerprints, ribbon.* exact, strange"
        ):
            engine_for(engine, strange)
    monkeypatch.setitem(reference.FINDERS, "strange", reference.FINDERS["exact"])
    assert engine_for("auto", strange).name == "reference"


def test_an_optimizer_whose_rule_no_engine_has_is_refused() -> None:
    request = Request(torch.device("cpu"), torch.float32, 2, 1, frozenset({"exact"}), 8, "adam")
    assert engine_for("auto", request).name == "cpu"
    unknown = request._replace(rule="momentum")
    with pytest.raises(InvalidValueError, match="engine: expected rows that one of reference, cpu can run"):
        engine_for("auto", unknown)
    for engine in ("reference", "cpu"):
        with pytest.raises(InvalidValueError, match=r"of the rules sgd, adagrad, .*momentum"):
            engine_for(engine, unknown)


def test_a_rule_that_only_the_definition_has_runs_there(monkeypatch: pytest.MonkeyPatch) -> None:
    class Halved(SGD):
        rule = "halved"

        def numbers(self, step: int) -> dict[str, float]:
            return super().numbers(step) | {"lr": self.lr / 2}

    monkeypatch.setitem(reference.RULES, "halved", reference.RULES["sgd"])
    halved, plain = (
        HybridEmbeddingBag(
            Vocabulary(np.arange(3)), 5, 6, optimizer=one, generator=torch.Generator().manual_seed(0)
        )
        for one in (Halved(0.2), SGD(0.1))
    )
    assert (halved.engine_in_use().name, plain.engine_in_use().name) == ("reference", "cpu")
    for bag in (halved, plain):
        bag(KEYS, OFFSETS).sum().backward()
    for mine, theirs in zip(halved.parameters(), plain.parameters(), strict=True):
        assert_close(mine, theirs)


def test_both_engines_have_every_rule_with_the_numbers_and_the_state_of_its_optimizer() -> None:
    """What one engine lacks, or calls by another name, would fail in the middle of a training."""
    assert OPTIMIZERS.keys() == fused.RULES.keys() == reference.RULES.keys()
    for optimizer in (kind(0.1) for kind in OPTIMIZERS.values()):
        numbers = optimizer.numbers(1)
        assert tuple(numbers) == fused.RULES[optimizer.rule]
        rows = torch.ones(3, 4)
        state = [torch.ones(rows.shape if shape == "float" else 3) for shape in optimizer.states]
        moved, kept = reference.RULES[optimizer.rule](rows, rows, state, **numbers)
        assert moved.shape == rows.shape
        assert [array.shape for array in kept] == [array.shape for array in state]
