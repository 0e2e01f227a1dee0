"""What moves rows in a backward pass and what does not, and that a step is seen whoever looks on."""

import copy
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch._subclasses import FakeTensorMode
from torch.func import functional_call, grad, vmap
from torch.utils.flop_counter import FlopCounterMode

from hybridhash.embeddings import EmbeddingBag, HybridEmbeddingBag
from hybridhash.errors import DivergedError, InvalidValueError
from hybridhash.optim import SGD, Adam, FusedOptimizer
from hybridhash.vocabulary import Vocabulary

ENGINES = ["reference", "cpu"]
KEYS, OFFSETS = torch.tensor([3, 3, 90, 4, 91, 3]), torch.tensor([0, 2, 2, 5])


def bag_of(optimizer: FusedOptimizer | None, engine: str = "auto", **options: Any) -> EmbeddingBag:
    generator = torch.Generator().manual_seed(0)
    options = {"mode": "sum", "init_std": 1.0} | options
    return HybridEmbeddingBag(
        Vocabulary(np.arange(5)), 7, 8, optimizer=optimizer, engine=engine, generator=generator, **options
    )


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
def test_no_row_moves_by_a_gradient_that_is_not_finite(engine: str, bad: float) -> None:
    bag = bag_of(Adam(0.1), engine)
    before = {name: value.clone() for name, value in bag.state_dict().items()}
    gradient = torch.ones(4, 8)
    gradient[2, 5] = bad
    with pytest.raises(DivergedError, match="finite gradients, got NaN or infinity; no row has moved"):
        bag(KEYS, OFFSETS).backward(gradient)
    assert all(torch.equal(value, before[name]) for name, value in bag.state_dict().items())


def test_finite_gradients_whose_sum_overflows_move_rows() -> None:
    bag = bag_of(SGD(1.0))
    bag(KEYS[:1], OFFSETS[:1]).backward(torch.full((1, 8), 3e38))
    assert bag.head.min() < -1e38


@pytest.mark.parametrize("engine", ENGINES)
def test_a_row_in_bfloat16_gets_all_gradients_of_a_batch(engine: str) -> None:
    """A thousand of one; summed in bfloat16 they are 256."""
    bag = bag_of(SGD(1.0), engine, dtype=torch.bfloat16, init_std=0.0)
    bag(torch.full((1000, 1), 3)).sum().backward()
    assert bag.head.min() == -1000


def test_each_backward_pass_and_each_use_is_a_step() -> None:
    """As docs/bags.md says; torch's optimizers make one of their sum. What does not need the bag moves nothing."""
    bag, dense = bag_of(SGD(0.1)), nn.Linear(8, 1)
    state = bag.optimizer_state
    assert state is not None
    loss = dense(bag(KEYS, OFFSETS)).sum()
    before = bag.tail.detach().clone()
    torch.autograd.grad(loss, [dense.weight], retain_graph=True)
    assert torch.equal(bag.tail, before)
    assert int(state.step) == 0
    loss.backward(retain_graph=True)
    loss.backward()
    assert int(state.step) == 2
    (bag(KEYS, OFFSETS) * bag(KEYS + 1, OFFSETS)).sum().backward()
    assert int(state.step) == 4


def test_a_hook_on_the_vectors_changes_what_rows_get() -> None:
    """Such as clipping, or the factor of a GradScaler taken out."""
    hooked, free = bag_of(SGD(0.1)), bag_of(SGD(0.1))
    vectors = hooked(KEYS, OFFSETS)
    vectors.register_hook(lambda gradient: gradient / 65536)
    torch.amp.GradScaler("cpu", init_scale=65536.0).scale(vectors.sum()).backward()  # type: ignore[no-untyped-call]
    free(KEYS, OFFSETS).sum().backward()
    assert torch.equal(hooked.head, free.head)
    assert torch.equal(hooked.tail, free.tail)


def test_functional_calls() -> None:
    """With the bag's own rows they train it, with others they are refused, and so are transforms."""
    bag, keys = bag_of(SGD(0.1)), KEYS.view(3, 2)
    own = dict(bag.named_parameters())
    before = {name: value.detach().clone() for name, value in own.items()}
    functional_call(bag, own, (keys,)).sum().backward()
    assert not any(torch.equal(value, before[name]) for name, value in own.items())
    others = {name: value.clone().requires_grad_() for name, value in before.items()}
    with pytest.raises(InvalidValueError, match=r"to put in other rows, copy them into bag\.head\.data"):
        functional_call(bag, others, (keys,))
    with pytest.raises(InvalidValueError, match=r"no transform of torch.func.*without optimizer="):
        grad(lambda rows: functional_call(bag, rows, (keys,)).sum())(others)
    with torch.no_grad():
        assert torch.equal(vmap(lambda one: bag(one[None]))(keys)[:, 0], bag(keys))


def test_rows_that_a_load_has_put_in_place_are_trained() -> None:
    bag = bag_of(Adam(0.1)).to("meta")
    bag.load_state_dict(copy.deepcopy(bag_of(Adam(0.1)).state_dict()), assign=True)
    before = bag.tail.detach().clone()
    bag(KEYS, OFFSETS).sum().backward()
    assert not torch.equal(bag.tail, before)


def test_where_there_are_shapes_only_nothing_moves() -> None:
    bag = bag_of(Adam(0.1)).to("meta")
    weights = torch.ones(6, device="meta", requires_grad=True)
    bag(KEYS.to("meta"), OFFSETS.to("meta"), weights).sum().backward()
    assert weights.grad is not None
    assert weights.grad.shape == (6,)
    with FakeTensorMode(allow_non_fake_inputs=True):
        fake = bag_of(Adam(0.1))
        fake(torch.zeros(3, 4, dtype=torch.int64)).sum().backward()


def test_rows_move_under_a_mode_that_looks_on() -> None:
    looked_at, free = bag_of(Adam(0.1)), bag_of(Adam(0.1))
    with FlopCounterMode(display=False):
        looked_at(KEYS, OFFSETS).sum().backward()
    free(KEYS, OFFSETS).sum().backward()
    assert torch.equal(looked_at.tail, free.tail)
    assert torch.equal(looked_at.head, free.head)
