"""What torch.compile makes of a bag with a fused optimizer, in one graph, trains as the bag itself."""

import copy
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.testing import assert_close

from hybridhash.embeddings import EmbeddingBag, HybridEmbeddingBag
from hybridhash.errors import InvalidValueError
from hybridhash.optim import SGD, Adam
from hybridhash.vocabulary import Vocabulary

ENGINES = ["reference", "cpu"]
pytestmark = pytest.mark.filterwarnings(
    "ignore:.*should not be instantiated:DeprecationWarning"
)  # by torch.compile itself


@pytest.fixture(autouse=True)
def nothing_compiled() -> None:
    torch._dynamo.reset()


def bag_of(engine: str) -> EmbeddingBag:
    generator = torch.Generator().manual_seed(0)
    return HybridEmbeddingBag(
        Vocabulary(np.arange(5)),
        7,
        8,
        mode="sum",
        include_last_offset=True,
        optimizer=Adam(0.01),
        engine=engine,
        generator=generator,
    )


def compiled(forward: Callable[..., Tensor]) -> Callable[..., Tensor]:
    made: Callable[..., Tensor] = torch.compile(forward, fullgraph=True, backend="aot_eager")
    return made


def batch(number: int) -> tuple[Tensor, Tensor]:
    keys = torch.arange(number, 20 + 3 * number)
    return keys, torch.tensor([0, 4, 4, keys.numel()])


@pytest.mark.parametrize("engine", ENGINES)
def test_rows_state_weights_and_what_lies_above_are_those_of_eager(engine: str) -> None:
    """At several sizes, at two learning rates, and with the bag used twice for the same keys."""
    found, expected = bag_of(engine), bag_of(engine)
    dense = nn.Linear(8, 1)
    copied = copy.deepcopy(dense)

    def loss(bag: EmbeddingBag, layer: nn.Module, *inputs: Tensor) -> Tensor:
        keys, offsets, _ = inputs
        result: Tensor = layer(bag(*inputs) + bag(keys, offsets) + bag(keys, offsets)).square().sum()
        return result

    for run, bag, layer in ((compiled(loss), found, dense), (loss, expected, copied)):
        for number in range(3):
            keys, offsets = batch(number)
            weights = torch.linspace(-1, 2, keys.numel()).requires_grad_()
            run(bag, layer, keys, offsets, weights).backward()  # type: ignore[no-untyped-call]
            assert bag.optimizer_state is not None
            bag.optimizer_state.lr /= 2
        layer.last = weights.grad
    for name, value in found.state_dict().items():
        assert_close(value, expected.state_dict()[name])
    assert_close(dense.weight.grad, copied.weight.grad)
    assert_close(dense.last, copied.last)
    assert int(found.optimizer_state.step) == 9  # type: ignore[union-attr]


def test_two_uses_before_one_backward_pass() -> None:
    bag, expected = bag_of("cpu"), bag_of("cpu")
    run = compiled(bag)
    for forward in (run, expected):
        (forward(*batch(0)) * forward(*batch(0)).detach() + forward(*batch(0))).sum().backward()
    assert_close(bag.state_dict(), expected.state_dict())


def test_what_is_frozen_stays() -> None:
    bag = bag_of("cpu")
    run = compiled(bag)
    before = {name: value.clone() for name, value in bag.state_dict().items()}
    bag.head.requires_grad_(False)
    run(*batch(0)).sum().backward()  # type: ignore[no-untyped-call]
    assert torch.equal(bag.head, before["head"])
    assert not torch.equal(bag.tail, before["tail"])
    before["tail"] = bag.tail.clone()
    weights = torch.ones(20, requires_grad=True)
    bag.requires_grad_(False)
    run(*batch(0), weights).sum().backward()  # type: ignore[no-untyped-call]
    assert torch.equal(bag.tail, before["tail"])
    assert weights.grad is not None


def test_a_copy_trains_itself() -> None:
    bag = bag_of("cpu")
    twin = copy.deepcopy(bag)
    before = bag.tail.detach().clone()
    compiled(twin)(*batch(0)).sum().backward()  # type: ignore[no-untyped-call]
    assert torch.equal(bag.tail, before)
    assert not torch.equal(twin.tail, before)


def test_offsets_that_are_none_are_refused_in_words() -> None:
    with pytest.raises(InvalidValueError, match="expected to end at the number of keys, 20, got 9"):
        compiled(bag_of("cpu"))(torch.arange(20), torch.tensor([0, 9]))


def test_an_export_reads_rows_and_moves_none() -> None:
    bag = bag_of("cpu")
    program = torch.export.export(bag, batch(0)).module()
    assert torch.equal(program(*batch(0)), bag(*batch(0)))
    assert "pool_and_step" not in program.code


@pytest.mark.parametrize("rule", [SGD(0.1), Adam(0.1)])
def test_a_bag_that_is_gone_is_not_held(rule: SGD | Adam) -> None:
    from hybridhash.optim import compiled as operators

    bag = HybridEmbeddingBag(Vocabulary(np.arange(5)), 7, 8, optimizer=rule)
    number = bag._number
    assert operators._BAGS[number] is bag
    del bag
    assert number not in operators._BAGS
