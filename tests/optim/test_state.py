"""The state of a fused optimizer travels with the bag, and bags refuse what cannot be fused."""

import copy
import io
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from hybridhash.embeddings import EmbeddingBag, HybridEmbeddingBag
from hybridhash.embeddings.bag import Engine
from hybridhash.errors import InvalidValueError
from hybridhash.optim import (
    FTRL,
    SGD,
    Adagrad,
    Adam,
    FusedOptimizer,
    OptimizerState,
    RowWiseAdagrad,
    RowWiseAdam,
    set_lr,
)
from hybridhash.vocabulary import Vocabulary

RULES: dict[str, FusedOptimizer] = {
    "sgd": SGD(0.1, weight_decay=0.01),
    "adagrad": Adagrad(0.1, initial_accumulator_value=0.25),
    "rowwise_adagrad": RowWiseAdagrad(0.1),
    "adam": Adam(0.01),
    "rowwise_adam": RowWiseAdam(0.01),
    "ftrl": FTRL(0.1, l1=0.01),
}
ENGINES = ["reference", "cpu"]
KEYS, OFFSETS = torch.tensor([3, 3, 90, 4, 91, 3]), torch.tensor([0, 2, 2, 5])


def bag_of(optimizer: FusedOptimizer | None, engine: Engine, seed: int = 0, **options: Any) -> EmbeddingBag:
    generator = torch.Generator().manual_seed(seed)
    options = {"mode": "sum", "init_std": 1.0} | options
    return HybridEmbeddingBag(
        Vocabulary(np.arange(5)), 7, 8, optimizer=optimizer, engine=engine, generator=generator, **options
    )


def step(bag: EmbeddingBag, times: int = 1) -> None:
    for number in range(times):
        bag(KEYS + number, OFFSETS).square().sum().backward()


@pytest.mark.parametrize(
    ("name", "shapes"),
    [
        ("sgd", {}),
        ("adagrad", {"head0": (24, 8), "tail0": (7, 8)}),
        ("rowwise_adagrad", {"head0": (24,), "tail0": (7,)}),
        ("adam", {"head0": (24, 8), "head1": (24, 8), "tail0": (7, 8), "tail1": (7, 8)}),
        ("rowwise_adam", {"head0": (24, 8), "head1": (24,), "tail0": (7, 8), "tail1": (7,)}),
        ("ftrl", {"head0": (24, 8), "head1": (24, 8), "tail0": (7, 8), "tail1": (7, 8)}),
    ],
)
def test_what_it_holds(name: str, shapes: dict[str, tuple[int, ...]]) -> None:
    """Float32 arrays and the number of steps, all buffers."""
    state = OptimizerState(RULES[name], torch.zeros(24, 8), torch.zeros(7, 8))
    held = state.state_dict()
    assert held.pop("step").item() == 0
    assert {key: tuple(value.shape) for key, value in held.items()} == shapes
    assert all(value.dtype == torch.float32 for value in held.values())
    assert {float(x) for value in held.values() for x in value.flatten()} <= {RULES[name].initial}
    assert not list(state.parameters())


def test_next_numbers_count_the_steps() -> None:
    state = OptimizerState(Adam(0.01), torch.zeros(24, 8), torch.zeros(7, 8))
    assert [state.next_numbers() for _ in range(3)] == [Adam(0.01).numbers(number) for number in (1, 2, 3)]
    assert int(state.step) == 3


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", RULES)
def test_a_state_dict_resumes_to_the_last_bit(name: str, engine: Engine) -> None:
    whole, first = (bag_of(RULES[name], engine) for _ in range(2))
    step(whole, 5)
    step(first, 2)
    file = io.BytesIO()
    torch.save(first.state_dict(), file)
    file.seek(0)
    second = bag_of(RULES[name], engine, seed=9)
    second.load_state_dict(torch.load(file, weights_only=True))
    for number in range(2, 5):
        second(KEYS + number, OFFSETS).square().sum().backward()
    for key, value in whole.state_dict().items():
        assert torch.equal(second.state_dict()[key], value), key


@pytest.mark.parametrize("name", RULES)
def test_a_copy_has_a_state_of_its_own(name: str) -> None:
    bag = bag_of(RULES[name], "cpu")
    step(bag)
    twin = copy.deepcopy(bag)
    before = {key: value.clone() for key, value in bag.state_dict().items()}
    step(twin)
    assert all(torch.equal(value, before[key]) for key, value in bag.state_dict().items())
    step(bag)
    assert all(torch.equal(value, twin.state_dict()[key]) for key, value in bag.state_dict().items())


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", RULES)
def test_no_gradient_is_left_and_weights_get_theirs(name: str, engine: Engine) -> None:
    """That of the rows as they were before the step."""
    fused, plain = bag_of(RULES[name], engine), bag_of(None, engine)
    weights = [torch.linspace(-1, 2, 6).requires_grad_() for _ in range(2)]
    before = [parameter.detach().clone() for parameter in fused.parameters()]
    outputs = [bag(KEYS, OFFSETS, own) for bag, own in zip((fused, plain), weights, strict=True)]
    assert torch.equal(*outputs)
    for output in outputs:
        output.square().sum().backward()
    assert weights[0].grad is not None
    assert weights[1].grad is not None
    assert_close(weights[0].grad, weights[1].grad)
    assert weights[0].grad.abs().min() > 0
    assert all(parameter.grad is None for parameter in fused.parameters())
    assert not any(map(torch.equal, before, fused.parameters()))


@pytest.mark.parametrize("engine", ENGINES)
def test_without_gradients_nothing_moves(engine: Engine) -> None:
    bag = bag_of(Adam(0.1), engine)
    before = {key: value.clone() for key, value in bag.state_dict().items()}
    with torch.no_grad():
        assert not bag(KEYS, OFFSETS).requires_grad
    bag(KEYS, OFFSETS)  # no backward
    assert all(torch.equal(value, before[key]) for key, value in bag.state_dict().items())


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", RULES)
def test_a_batch_of_nothing_moves_no_row(name: str, engine: Engine) -> None:
    bag = bag_of(RULES[name], engine)
    before = [parameter.detach().clone() for parameter in bag.parameters()]
    bag(KEYS[:0], torch.tensor([0, 0])).sum().backward()
    assert all(map(torch.equal, before, bag.parameters()))


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", RULES)
def test_a_padding_key_is_not_trained(name: str, engine: Engine) -> None:
    """In the head, and in the tail."""
    for padding in (3, 90):
        bag = bag_of(RULES[name], engine, mode="mean", padding_key=padding)
        before = [parameter.detach().clone() for parameter in bag.parameters()]
        bag(torch.tensor([[padding, padding]])).sum().backward()
        assert all(map(torch.equal, before, bag.parameters()))


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.bfloat16, 2e-2), (torch.float16, 2e-3)])
@pytest.mark.parametrize("name", RULES)
def test_half_rows_move_and_their_state_is_float32(name: str, dtype: torch.dtype, tolerance: float) -> None:
    """One step, against that of the same rows in float32."""
    half = bag_of(RULES[name], "cpu")
    half.head.data, half.tail.data = half.head.data.to(dtype), half.tail.data.to(dtype)
    single = bag_of(RULES[name], "reference")
    single.head.data, single.tail.data = half.head.data.float(), half.tail.data.float()
    for bag in (half, single):
        bag(KEYS, OFFSETS).float().sum().backward()
    for mine, theirs in zip(half.parameters(), single.parameters(), strict=True):
        assert mine.dtype == dtype
        assert_close(mine.float(), theirs, rtol=tolerance, atol=tolerance)
    assert half.optimizer_state is not None
    assert single.optimizer_state is not None
    for part in ("head", "tail"):
        for mine, theirs in zip(half.optimizer_state.of(part), single.optimizer_state.of(part), strict=True):
            assert mine.dtype == torch.float32
            assert_close(mine, theirs)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"mode": "max"}, "optimizer: expected mode 'sum' or 'mean'.* got mode 'max', sparse=False"),
        ({"sparse": True}, "no sparse gradients with a fused optimizer, got mode 'sum', sparse=True"),
    ],
)
def test_a_bag_refuses_what_cannot_be_fused(engine: Engine, options: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidValueError, match=message):
        bag_of(SGD(0.1), engine, **options)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("kind", [Adagrad, RowWiseAdagrad])
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_the_state_stays_float32_when_rows_become_half(
    engine: Engine, kind: type[Adagrad], dtype: torch.dtype
) -> None:
    """In bfloat16 a sum of ones stands still at 256, in float16 at 2,048."""
    rule = kind(1.0, initial_accumulator_value=2048)
    bag = bag_of(rule, engine).to(dtype)
    for half in (bag, copy.deepcopy(bag).half(), copy.deepcopy(bag).bfloat16()):
        half(torch.tensor([[3]])).sum().backward()
        assert half.optimizer_state is not None
        assert half.head.dtype != torch.float32
        (sums,) = half.optimizer_state.of("head")
        assert sums.dtype == torch.float32
        assert sums.max() == 2049
    saved = bag.state_dict()
    for assign in (False, True):
        other = bag_of(rule, engine, seed=1).to(dtype)
        rounded = {
            name: value.to(dtype) if value.is_floating_point() else value for name, value in saved.items()
        }
        other.load_state_dict(rounded, assign=assign)
        assert other.optimizer_state is not None
        assert other.optimizer_state.of("head")[0].dtype == torch.float32
        other.load_state_dict(copy.deepcopy(saved), assign=assign)
        assert torch.equal(other.optimizer_state.of("head")[0], bag.optimizer_state.of("head")[0])  # type: ignore[union-attr]
        other(torch.tensor([[3]])).sum().backward()
        assert other.optimizer_state.of("head")[0].max() == 2050


def test_a_state_is_where_its_rows_are_and_begins_anew_with_them() -> None:
    """As when a model is laid out on the meta device and then given memory, which holds anything."""
    bag = bag_of(RULES["adagrad"], "auto", device="meta")
    assert {buffer.device.type for buffer in bag.optimizer_state.buffers()} == {"meta"}  # type: ignore[union-attr]
    filled = bag_of(RULES["adagrad"], "auto")
    step(filled)
    filled.reset_parameters()
    assert filled.optimizer_state is not None
    assert int(filled.optimizer_state.step) == 0
    assert all(
        torch.equal(value, torch.full_like(value, 0.25)) for value in filled.optimizer_state.of("head")
    )


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", RULES)
def test_a_step_has_the_learning_rate_of_the_moment(name: str, engine: Engine) -> None:
    """As if the bag had been made with it; nothing else of the rule changes, and nothing is saved."""
    changed, made = bag_of(RULES[name], engine), bag_of(replace(RULES[name], lr=0.025), engine)
    model = torch.nn.ModuleList([changed, torch.nn.Linear(2, 1)])
    set_lr(model, 0.025)
    assert changed.optimizer_state is not None
    assert changed.optimizer_state.lr == 0.025
    assert made.optimizer_state is not None
    assert changed.optimizer_state.optimizer == made.optimizer_state.optimizer
    for bag in (changed, made):
        step(bag, 2)
    states = changed.state_dict(), made.state_dict()
    assert states[0].keys() == states[1].keys()
    assert all(torch.equal(value, states[1][key]) for key, value in states[0].items())
    if name != "ftrl":
        changed.optimizer_state.lr = 0
        before = changed.tail.detach().clone()
        step(changed)
        assert torch.equal(changed.tail, before)
    for lr in (-1.0, float("nan")):
        with pytest.raises(InvalidValueError, match="lr: expected a finite number"):
            changed.optimizer_state.lr = lr
