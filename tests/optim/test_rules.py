"""The rules move rows as torch's optimizers of the same name do, on both engines."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.optim.adagrad import adagrad
from torch.testing import assert_close

from hybridhash.embeddings import EmbeddingBag, HybridEmbeddingBag
from hybridhash.embeddings.bag import Engine
from hybridhash.errors import InvalidValueError
from hybridhash.optim import FTRL, SGD, Adagrad, Adam, FusedOptimizer, RowWiseAdagrad, RowWiseAdam
from hybridhash.vocabulary import Vocabulary

HEAD_KEYS = np.arange(20)
NUM_STEPS = 20
ENGINES = ["reference", "cpu"]
State = dict[str, list[Tensor]]


def bag_of(engine: Engine, optimizer: FusedOptimizer | None, **options: Any) -> EmbeddingBag:
    """Return a bag of 20 head keys and a tail of 7 rows in chunks of 3."""
    options = {"mode": "mean", "include_last_offset": True, "init_std": 1.0} | options
    generator = torch.Generator().manual_seed(1)
    return HybridEmbeddingBag(
        Vocabulary(HEAD_KEYS),
        7,
        6,
        "concat",
        2,
        engine=engine,
        optimizer=optimizer,
        generator=generator,
        **options,
    )


def batches() -> list[tuple[Tensor, Tensor, Tensor]]:
    """Keys, offsets and the gradient of the output, of each step; keys repeat in bags and between them."""
    generator = np.random.default_rng(0)
    made = []
    for _ in range(NUM_STEPS):
        lengths = generator.integers(0, 6, 9)
        keys = generator.choice(np.concatenate([np.arange(6), np.arange(18, 30)]), lengths.sum())
        grad = generator.normal(size=(9, 6)).astype(np.float32)
        offsets = np.concatenate([[0], np.cumsum(lengths)])
        made.append(tuple(map(torch.from_numpy, (keys, offsets, grad))))
    return made  # type: ignore[return-value]


def trained(engine: Engine, optimizer: FusedOptimizer) -> tuple[list[Tensor], State]:
    """Return the rows and the state after all steps."""
    bag = bag_of(engine, optimizer)
    for keys, offsets, grad in batches():
        bag(keys, offsets).backward(grad)
    assert bag.head.grad is None
    assert bag.tail.grad is None
    assert bag.optimizer_state is not None
    assert int(bag.optimizer_state.step) == NUM_STEPS
    state = bag.optimizer_state
    return [bag.head.detach(), bag.tail.detach()], {part: state.of(part) for part in ("head", "tail")}


def by_row(move: Callable[[str, Tensor, Tensor, Tensor, int], Tensor]) -> list[Tensor]:
    """Train with plain gradients; ``move`` gets the part, the rows touched, their values and gradients, the step."""
    bag = bag_of("reference", None, sparse=True)
    for number, (keys, offsets, grad) in enumerate(batches(), 1):
        bag.zero_grad()
        bag(keys, offsets).backward(grad)
        for part, parameter in (("head", bag.head), ("tail", bag.tail)):
            assert parameter.grad is not None
            summed = parameter.grad.coalesce()
            touched = summed.indices()[0]
            parameter.data[touched] = move(part, touched, parameter.data[touched], summed.values(), number)
    return [bag.head.detach(), bag.tail.detach()]


def with_torch(make: Callable[[list[Tensor]], torch.optim.Optimizer]) -> tuple[list[Tensor], State]:
    """Train with an optimizer of torch on coalesced sparse gradients."""
    bag = bag_of("reference", None, sparse=True)
    optimizer = make([bag.head, bag.tail])
    for keys, offsets, grad in batches():
        optimizer.zero_grad()
        bag(keys, offsets).backward(grad)
        for parameter in (bag.head, bag.tail):
            parameter.grad = parameter.grad.coalesce()  # type: ignore[union-attr]
        optimizer.step()
    names = [name for name in ("sum", "exp_avg", "exp_avg_sq") if name in optimizer.state[bag.head]]
    state = {
        part: [optimizer.state[parameter][name] for name in names]
        for part, parameter in (("head", bag.head), ("tail", bag.tail))
    }
    return [bag.head.detach(), bag.tail.detach()], state


def assert_same(found: tuple[list[Tensor], State], rows: list[Tensor], state: State) -> None:
    for mine, theirs in zip(found[0], rows, strict=True):
        assert_close(mine, theirs, rtol=1e-5, atol=1e-5)
    for part in ("head", "tail"):
        for mine, theirs in zip(found[1][part], state[part], strict=True):
            assert_close(mine, theirs, rtol=1e-5, atol=1e-5)


@pytest.mark.filterwarnings("ignore:Sparse invariant checks are implicitly disabled")
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("optimizer", "peer"),
    [
        (SGD(0.1), lambda parameters: torch.optim.SGD(parameters, lr=0.1)),
        (Adagrad(0.1), lambda parameters: torch.optim.Adagrad(parameters, lr=0.1)),
        (
            Adagrad(0.3, eps=1e-3, initial_accumulator_value=0.5),
            lambda parameters: torch.optim.Adagrad(
                parameters, lr=0.3, eps=1e-3, initial_accumulator_value=0.5
            ),
        ),
        (Adam(0.01), lambda parameters: torch.optim.SparseAdam(parameters, lr=0.01)),
        (
            Adam(0.02, betas=(0.7, 0.9), eps=1e-4),
            lambda parameters: torch.optim.SparseAdam(parameters, lr=0.02, betas=(0.7, 0.9), eps=1e-4),
        ),
        (
            Adam(0.02, betas=(0.0, 0.0)),
            lambda parameters: torch.optim.SparseAdam(parameters, 0.02, (0.0, 0.0)),
        ),
    ],
)
def test_rows_and_state_are_those_of_torchs_optimizer(
    engine: Engine, optimizer: FusedOptimizer, peer: Any
) -> None:
    assert_same(trained(engine, optimizer), *with_torch(peer))


@pytest.mark.parametrize("engine", ENGINES)
def test_sgd_with_weight_decay_is_torchs_on_the_touched_rows(engine: Engine) -> None:
    """A row that is not in the batch does not decay."""

    def move(_: str, touched: Tensor, values: Tensor, grad: Tensor, step: int) -> Tensor:
        parameter = torch.nn.Parameter(values.clone())
        parameter.grad = grad
        torch.optim.SGD([parameter], lr=0.1, weight_decay=0.05).step()
        return parameter.detach()

    assert_same(trained(engine, SGD(0.1, weight_decay=0.05)), by_row(move), {"head": [], "tail": []})


@pytest.mark.parametrize("engine", ENGINES)
def test_adagrad_with_weight_decay_is_torchs_on_the_touched_rows(engine: Engine) -> None:
    """Torch refuses weight decay with sparse gradients: its function on the rows that were touched."""
    sums = {"head": torch.zeros(40, 6), "tail": torch.zeros(7, 3)}

    def move(part: str, touched: Tensor, values: Tensor, grad: Tensor, step: int) -> Tensor:
        moved, squares = values.clone(), sums[part][touched]
        adagrad(
            [moved],
            [grad],
            [squares],
            [torch.tensor(float(step - 1))],
            has_sparse_grad=False,
            foreach=False,
            lr=0.1,
            weight_decay=0.05,
            lr_decay=0.0,
            eps=1e-10,
            maximize=False,
            differentiable=False,
            has_complex=False,
        )
        sums[part][touched] = squares
        return moved

    rows = by_row(move)
    assert_same(trained(engine, Adagrad(0.1, weight_decay=0.05)), rows, {p: [s] for p, s in sums.items()})


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("weight_decay", [0.0, 0.05])
def test_row_wise_adagrad_is_adagrad_with_the_rows_mean_square(engine: Engine, weight_decay: float) -> None:
    """One number after another."""
    sums = {"head": torch.full((40,), 0.2), "tail": torch.full((7,), 0.2)}

    def move(part: str, touched: Tensor, values: Tensor, grad: Tensor, step: int) -> Tensor:
        moved = values.clone()
        for place, row in enumerate(touched.tolist()):
            g = [float(a) + weight_decay * float(b) for a, b in zip(grad[place], values[place], strict=True)]
            sums[part][row] += sum(x * x for x in g) / len(g)
            for j, x in enumerate(g):
                moved[place, j] -= 0.1 * x / (math.sqrt(float(sums[part][row])) + 1e-6)
        return moved

    rows = by_row(move)
    optimizer = RowWiseAdagrad(0.1, weight_decay, eps=1e-6, initial_accumulator_value=0.2)
    assert_same(trained(engine, optimizer), rows, {part: [own] for part, own in sums.items()})


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("weight_decay", [0.0, 0.05])
def test_row_wise_adam_is_adam_with_the_rows_mean_square(engine: Engine, weight_decay: float) -> None:
    """One number after another; Kingma and Ba 2015, algorithm 1 in the form of the end of its section 2."""
    first = {"head": torch.zeros(40, 6), "tail": torch.zeros(7, 3)}
    second = {"head": torch.zeros(40), "tail": torch.zeros(7)}
    lr, beta1, beta2, eps = 0.02, 0.7, 0.9, 1e-4

    def move(part: str, touched: Tensor, values: Tensor, grad: Tensor, step: int) -> Tensor:
        moved = values.clone()
        rate = lr * math.sqrt(1 - beta2**step) / (1 - beta1**step)
        for place, row in enumerate(touched.tolist()):
            g = [float(a) + weight_decay * float(b) for a, b in zip(grad[place], values[place], strict=True)]
            mean_square = sum(x * x for x in g) / len(g)
            second[part][row] = beta2 * float(second[part][row]) + (1 - beta2) * mean_square
            for j, x in enumerate(g):
                first[part][row, j] = beta1 * float(first[part][row, j]) + (1 - beta1) * x
                moved[place, j] -= (
                    rate * float(first[part][row, j]) / (math.sqrt(float(second[part][row])) + eps)
                )
        return moved

    rows = by_row(move)
    optimizer = RowWiseAdam(lr, weight_decay, betas=(beta1, beta2), eps=eps)
    assert_same(trained(engine, optimizer), rows, {part: [first[part], second[part]] for part in first})


@pytest.mark.filterwarnings("ignore:Sparse invariant checks are implicitly disabled")
@pytest.mark.parametrize("engine", ENGINES)
def test_row_wise_adam_of_single_floats_is_torchs_sparse_adam(engine: Engine) -> None:
    def bag_of_floats(optimizer: FusedOptimizer | None) -> EmbeddingBag:
        return HybridEmbeddingBag(
            Vocabulary(HEAD_KEYS),
            7,
            1,
            "sum",
            2,
            mode="sum",
            include_last_offset=True,
            init_std=1.0,
            engine=engine,
            optimizer=optimizer,
            sparse=optimizer is None,
            generator=torch.Generator().manual_seed(1),
        )

    fused, plain = bag_of_floats(RowWiseAdam(0.02)), bag_of_floats(None)
    peer = torch.optim.SparseAdam(plain.parameters(), lr=0.02)
    for keys, offsets, grad in batches():
        fused(keys, offsets).backward(grad[:, :1])
        peer.zero_grad()
        plain(keys, offsets).backward(grad[:, :1])
        peer.step()
    for mine, theirs in zip(fused.parameters(), plain.parameters(), strict=True):
        assert_close(mine, theirs, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("l1", "l2", "beta"), [(0.0, 0.0, 1.0), (0.3, 0.0, 1.0), (0.2, 0.5, 0.1)])
def test_ftrl_is_the_papers_algorithm(engine: Engine, l1: float, l2: float, beta: float) -> None:
    """McMahan et al. 2013, algorithm 1, coordinate by coordinate in Python floats.

    There a weight is computed from z and n before its gradient, here after it, so a row begins at its initial
    value and not at that of z = 0.
    """
    alpha = 0.4
    z = {"head": np.zeros((40, 6)), "tail": np.zeros((7, 3))}
    n = {"head": np.zeros((40, 6)), "tail": np.zeros((7, 3))}
    num_zero = 0

    def move(part: str, touched: Tensor, values: Tensor, grad: Tensor, step: int) -> Tensor:
        nonlocal num_zero
        moved = values.clone()
        for place, row in enumerate(touched.tolist()):
            for j in range(values.shape[1]):
                g, w = float(grad[place, j]), float(values[place, j])
                sigma = (math.sqrt(n[part][row, j] + g * g) - math.sqrt(n[part][row, j])) / alpha
                z[part][row, j] += g - sigma * w
                n[part][row, j] += g * g
                zi, ni = z[part][row, j], n[part][row, j]
                if abs(zi) <= l1:
                    moved[place, j] = 0.0
                    num_zero += 1
                else:
                    moved[place, j] = -(zi - math.copysign(l1, zi)) / ((beta + math.sqrt(ni)) / alpha + l2)
        return moved

    rows = by_row(move)
    state = {part: [torch.from_numpy(z[part]).float(), torch.from_numpy(n[part]).float()] for part in z}
    found = trained(engine, FTRL(alpha, l1=l1, l2=l2, beta=beta))
    for mine, theirs in zip(found[0], rows, strict=True):
        assert_close(mine, theirs, rtol=1e-4, atol=1e-5)
    for part, arrays in state.items():
        for mine, theirs in zip(found[1][part], arrays, strict=True):
            assert_close(mine, theirs, rtol=1e-4, atol=1e-5)
    assert (num_zero > 0) == (l1 > 0)


@pytest.mark.parametrize(
    "optimizer",
    [SGD(0.1, 0.02), Adagrad(0.1, 0.02), RowWiseAdagrad(0.1), Adam(0.01), RowWiseAdam(0.01), FTRL(0.1)],
)
@pytest.mark.parametrize("engine", ENGINES)
def test_rows_that_are_not_in_a_batch_stay(engine: Engine, optimizer: FusedOptimizer) -> None:
    """Rows and state, whatever the weight decay and the moments."""
    bag = bag_of(engine, optimizer)
    for _ in range(2):
        before = {name: tensor.clone() for name, tensor in bag.state_dict().items()}
        bag(torch.tensor([3, 3, 4]), torch.tensor([0, 2, 3])).sum().backward()
    for name, tensor in bag.state_dict().items():
        if name.endswith(("head", "head0", "head1")):
            assert int((tensor != before[name]).reshape(tensor.shape[0], -1).any(1).sum()) == 2, name
        elif "tail" in name:
            assert torch.equal(tensor, before[name]), name


@pytest.mark.parametrize("rule", [SGD, Adagrad, RowWiseAdagrad, Adam, RowWiseAdam, FTRL])
def test_lr_is_finite_and_0_or_more(rule: type[FusedOptimizer]) -> None:
    """FTRL divides by it."""
    rule(1e-300)
    for lr in (-1e-9, math.inf, math.nan):
        with pytest.raises(InvalidValueError, match=f"lr: expected a finite number, 0 or more, got {lr}"):
            rule(lr)
    if rule is FTRL:
        with pytest.raises(
            InvalidValueError, match=r"above 0 with FTRL, got 0; rest by requires_grad_\(False\)"
        ):
            rule(0.0)
    else:
        rule(0.0)


@pytest.mark.parametrize("rule", [SGD, Adagrad, RowWiseAdagrad, Adam, RowWiseAdam, FTRL])
def test_weight_decay_is_finite_and_0_or_more(rule: type[FusedOptimizer]) -> None:
    for weight_decay in (-1e-9, math.inf, math.nan):
        with pytest.raises(
            InvalidValueError, match=f"weight_decay: expected a finite number, 0 or more, got {weight_decay}"
        ):
            rule(0.1, weight_decay=weight_decay)


@pytest.mark.parametrize("betas", [(1.0, 0.9), (0.9, 1.0), (-1e-9, 0.9), (0.9, -1e-9), (math.nan, 0.9)])
def test_betas_are_in_0_to_1(betas: tuple[float, float]) -> None:
    with pytest.raises(InvalidValueError, match=r"betas: expected two numbers in \[0, 1\)"):
        Adam(0.1, betas=betas)


@pytest.mark.parametrize(
    "changes", [{"l1": -1e-9}, {"l2": -1e-9}, {"beta": -1e-9}, {"l2": math.nan}, {"l1": math.inf}]
)
def test_ftrls_numbers_are_0_or_more(changes: dict[str, float]) -> None:
    FTRL(0.1, l1=0.0, l2=0.0, beta=0.0)
    with pytest.raises(InvalidValueError, match=r"(l1|l2|beta): expected a finite number, 0 or more"):
        FTRL(0.1, **changes)


def test_ftrl_has_no_weight_decay() -> None:
    with pytest.raises(InvalidValueError, match=r"weight_decay: expected 0 with FTRL, got 0\.1; use l2"):
        FTRL(0.1, weight_decay=0.1)


@pytest.mark.parametrize("rule", [Adagrad, RowWiseAdagrad, Adam, RowWiseAdam])
def test_eps_is_0_or_more(rule: Any) -> None:
    rule(0.1, eps=0.0)
    for eps in (-1e-9, math.inf, math.nan):
        with pytest.raises(InvalidValueError, match=f"eps: expected a finite number, 0 or more, got {eps}"):
            rule(0.1, eps=eps)


@pytest.mark.parametrize("rule", [Adagrad, RowWiseAdagrad])
def test_sums_start_from_0_or_more(rule: Any) -> None:
    for start in (-1e-9, math.inf, math.nan):
        with pytest.raises(
            InvalidValueError, match="initial_accumulator_value: expected a finite number, 0 or more"
        ):
            rule(0.1, initial_accumulator_value=start)


@pytest.mark.parametrize("step", [1, 2, 1000])
def test_adams_step_size_by_hand(step: int) -> None:
    """The bias corrections of Kingma and Ba 2015, section 2, in the learning rate."""
    expected = {
        "step_size": 0.5 * math.sqrt(1 - 0.99**step) / (1 - 0.9**step),
        "weight_decay": 0.0,
        "eps": 1e-8,
        "first_share": pytest.approx(0.1),
        "second_share": pytest.approx(0.01),
    }
    for rule in (Adam, RowWiseAdam):
        assert rule(0.5, betas=(0.9, 0.99)).numbers(step) == expected
