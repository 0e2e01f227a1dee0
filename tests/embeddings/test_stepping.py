"""When a bag's backward pass moves rows: not those that are frozen, and never where the step would be lost."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed._composable.replicate_with_fsdp import replicate
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from torch.testing import assert_close
from torch.testing._internal.distributed.fake_pg import FakeStore

from hybridhash.embeddings import EmbeddingBag, HybridEmbeddingBag, build_collection
from hybridhash.errors import InvalidValueError
from hybridhash.optim import FTRL, SGD, Adagrad, Adam, FusedOptimizer
from hybridhash.spec import GroupSpec, TableSpec
from hybridhash.tables import Blueprint
from hybridhash.vocabulary import Vocabulary

ENGINES = ["reference", "cpu"]
KEYS, OFFSETS = torch.tensor([3, 3, 90, 4, 91, 3]), torch.tensor([0, 2, 2, 5])


def bag_of(optimizer: FusedOptimizer | None, engine: str = "auto", **options: Any) -> EmbeddingBag:
    generator = torch.Generator().manual_seed(0)
    options = {"mode": "sum", "init_std": 1.0} | options
    return HybridEmbeddingBag(
        Vocabulary(np.arange(5)), 7, 8, optimizer=optimizer, engine=engine, generator=generator, **options
    )


RULES: dict[str, FusedOptimizer] = {
    "sgd": SGD(0.1, weight_decay=0.01),
    "adagrad": Adagrad(0.1),
    "adam": Adam(0.01),
    "ftrl": FTRL(0.1, l1=0.01),
}
PARTS = ["head", "tail"]


def arrays_of(bag: EmbeddingBag, part: str) -> dict[str, Tensor]:
    """The rows of the head or of the tail, and their state."""
    return {name: value.clone() for name, value in bag.state_dict().items() if part in name}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("mode", ["sum", "mean"])
@pytest.mark.parametrize("part", PARTS)
def test_what_is_frozen_stays_and_the_rest_moves_as_ever(
    engine: str, rule: str, mode: str, part: str
) -> None:
    bag, free = (bag_of(RULES[rule], engine, mode=mode) for _ in range(2))
    before = arrays_of(bag, part)
    getattr(bag, part).requires_grad_(False)
    other = PARTS[1 - PARTS.index(part)]
    for one in (bag, free):
        one(KEYS, OFFSETS).square().sum().backward()
    assert all(torch.equal(value, before[name]) for name, value in arrays_of(bag, part).items())
    assert not torch.equal(getattr(free, part), before[part])
    for name, value in arrays_of(bag, other).items():
        assert_close(value, arrays_of(free, other)[name])


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("rule", RULES)
def test_weights_over_frozen_rows_learn_alone(engine: str, rule: str) -> None:
    """As attention over a history does over a table that was trained before."""
    bag, plain = bag_of(RULES[rule], engine).requires_grad_(False), bag_of(None, engine)
    before = {name: value.clone() for name, value in bag.state_dict().items()}
    weights = [torch.linspace(-1, 2, 6).requires_grad_() for _ in range(2)]
    for one, own in zip((bag, plain), weights, strict=True):
        one(KEYS, OFFSETS, own).square().sum().backward()
    assert all(torch.equal(value, before[name]) for name, value in bag.state_dict().items())
    assert torch.equal(weights[0].grad, weights[1].grad)  # type: ignore[arg-type]


@pytest.mark.parametrize("joint", [True, False])
def test_a_frozen_collection_stays(joint: bool) -> None:
    table = TableSpec(5, 7, 8)
    names = [("user", "ad")] if joint else [("user",), ("ad",)]
    collection = build_collection(
        ("user", "ad"),
        [GroupSpec(features, table, "all", "sum") for features in names],
        {"all": Blueprint(table, Vocabulary(np.arange(5)))},
        optimizer=SGD(0.1),
    )
    before = {name: value.clone() for name, value in collection.state_dict().items()}
    scale = torch.ones((), requires_grad=True)
    inputs = collection.encode(torch.arange(4), torch.arange(5))
    (collection.requires_grad_(False)(inputs) * scale).sum().backward()
    assert all(torch.equal(value, before[name]) for name, value in collection.state_dict().items())
    collection.requires_grad_(True)(inputs).sum().backward()
    assert not any(torch.equal(bag.head, before[f"bags.{n}.head"]) for n, bag in enumerate(collection.bags))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def mesh() -> Iterator[Any]:
    """A group of this process alone, without the threads of a real one."""
    dist.init_process_group("fake", rank=0, world_size=1, store=FakeStore())
    yield init_device_mesh("cpu", (1,))
    dist.destroy_process_group()


def with_ignored(model: nn.Module, mesh: Any) -> None:
    fully_shard(model, mesh=mesh, ignored_params=set(model[0].parameters()))  # type: ignore[index]


def parametrized(model: nn.Module, mesh: Any) -> None:
    nn.utils.parametrize.register_parametrization(model[0], "head", nn.Tanh())  # type: ignore[index]


def replaced(model: nn.Module, mesh: Any) -> None:
    model[0].tail = nn.Parameter(torch.zeros_like(model[0].tail))  # type: ignore[index,operator,union-attr,arg-type]


@pytest.mark.filterwarnings("ignore:.*should not be instantiated:DeprecationWarning")  # by FSDP itself
@pytest.mark.parametrize(
    "change",
    [
        lambda model, mesh: fully_shard(model, mesh=mesh),
        lambda model, mesh: fully_shard(model[0], mesh=mesh),
        lambda model, mesh: replicate(model, mesh=mesh),
        with_ignored,
        parametrized,
        replaced,
    ],
)
def test_a_bag_whose_steps_would_be_lost_is_refused(mesh: Any, change: Callable[[Any, Any], None]) -> None:
    """Rows are read as ever; FSDP trains the bag without a fused optimizer."""
    for optimizer in (SGD(0.1), None):
        model = nn.Sequential(bag_of(optimizer), nn.Linear(8, 1))
        change(model, mesh)
        keys = KEYS.view(3, 2)
        with torch.no_grad():
            assert model(keys).shape == (3, 1)
        if optimizer is None:
            model(keys).sum().backward()
        else:
            with pytest.raises(InvalidValueError, match="Build the bag without optimizer= and give its"):
                model(keys)
