"""Every optimizer moves a model exactly as torch's own moves a dense model of the same parameters."""

import copy

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim import SGD, Adagrad, Adam, Optimizer, SparseAdam

from hybridhash import optim
from hybridhash.data import Batch
from hybridhash.errors import InvalidValueError
from hybridhash.hashing import find_positions, hash_buckets
from hybridhash.models import build_model
from hybridhash.spec import GroupSpec, ModelSpec, TableSpec
from hybridhash.tables import Blueprint
from hybridhash.training import OPTIMIZERS, build_optimizers
from hybridhash.training.step import train_step
from hybridhash.vocabulary import Vocabulary

CPU = torch.device("cpu")
NAMES = ("user", "item")
TABLE = TableSpec(num_head=4, num_buckets=3, dim=2, num_hashes=2, seed=1)


def sgd(dense: list[nn.Parameter], tables: list[nn.Parameter]) -> list[Optimizer]:
    return [SGD(dense + tables, lr=0.1)]


def adagrad(dense: list[nn.Parameter], tables: list[nn.Parameter]) -> list[Optimizer]:
    return [Adagrad(dense + tables, lr=0.1)]


def adam(dense: list[nn.Parameter], tables: list[nn.Parameter]) -> list[Optimizer]:
    """Adam as it is documented for tables whose gradients are sparse: its epsilon stands elsewhere."""
    return [Adam(dense, lr=0.1), SparseAdam(tables, lr=0.1)]


PLAIN = {"sgd": sgd, "adagrad": adagrad, "adam": adam}
FUSED = {"sgd": optim.SGD, "adagrad": optim.Adagrad, "adam": optim.Adam}


class DenseTwin(nn.Module):
    """The same model in plain torch: one matrix per table, gathered by row numbers worked out in numpy."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.deep_rows = nn.Parameter(
            torch.cat([model.deep.bags[0].head, model.deep.bags[0].tail]).detach().clone()
        )
        self.wide_rows = nn.Parameter(
            torch.cat([model.wide.bags[0].head, model.wide.bags[0].tail]).detach().clone()
        )
        self.dense = copy.deepcopy(model.dense)
        self.dictionary = model.deep.bags[0].encoder.dictionary.numpy()

    def forward(self, keys: Tensor) -> Tensor:
        flat = keys.numpy().reshape(-1)
        shares = torch.zeros(flat.size, TABLE.num_rows)
        positions = find_positions(flat, self.dictionary)
        buckets = hash_buckets(flat, TABLE.num_buckets, TABLE.num_hashes, TABLE.seed)
        for index, key in enumerate(flat):
            if key < TABLE.num_head:  # the head keys are 0, 1, 2, 3
                shares[index, positions[index]] += 1
            else:
                for bucket in buckets[index]:
                    shares[index, TABLE.num_positions + bucket] += 1
        num_rows = keys.shape[1]
        deep = (shares @ self.deep_rows).view(2, num_rows, TABLE.dim).transpose(0, 1).flatten(1)
        wide = (shares @ self.wide_rows).view(2, num_rows)
        return self.dense(deep).squeeze(1) + wide.sum(0)


def model_of(optimizer: optim.FusedOptimizer | None = None) -> nn.Module:
    spec = ModelSpec((GroupSpec(NAMES, TABLE, "all"),), (GroupSpec(NAMES, TABLE.companion(), "all"),), (5,))
    blueprints = {"all": Blueprint(TABLE, Vocabulary(np.arange(4)))}
    generator = torch.Generator().manual_seed(2)
    return build_model(spec, NAMES, blueprints, optimizer=optimizer, init_std=0.5, generator=generator)


def batch_of(seed: int) -> Batch:
    """64 rows over 8 keys, so that every row that a key reads has a gradient in every step."""
    random = np.random.default_rng(seed)
    keys = random.integers(0, 8, (2, 64))
    return Batch(keys.reshape(-1), np.arange(129), 64, random.integers(0, 2, 64).astype(np.float32))


@pytest.mark.parametrize("fused", [False, True], ids=["torch", "fused"])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_moves_as_torchs_own(name: str, fused: bool) -> None:
    model = model_of(FUSED[name](0.1) if fused else None)
    twin = DenseTwin(model)
    start = [part.bags[0].head.detach().clone() for part in (model.deep, model.wide)]
    optimizers = build_optimizers(model, name, 0.1)
    tables = [twin.deep_rows, twin.wide_rows]
    plain = PLAIN[name](list(twin.dense.parameters()), tables)
    for step in range(5):
        batch = batch_of(step)
        train_step(model, optimizers, batch, CPU)
        twin.zero_grad()
        logits = twin(torch.from_numpy(batch.keys).view(2, 64))
        F.binary_cross_entropy_with_logits(logits, torch.from_numpy(batch.labels)).backward()
        if name == "adam":
            for table in tables:
                table.grad = torch.sparse_coo_tensor(torch.arange(len(table))[None], table.grad, table.shape)
        for optimizer in plain:
            optimizer.step()
    for bag, rows in ((model.deep.bags[0], twin.deep_rows), (model.wide.bags[0], twin.wide_rows)):
        torch.testing.assert_close(torch.cat([bag.head, bag.tail]), rows, rtol=1e-4, atol=1e-5)
        assert not torch.equal(bag.tail, torch.zeros_like(bag.tail))
        assert not torch.equal(bag.head, start.pop(0))
    torch.testing.assert_close(model.dense[0].weight, twin.dense[0].weight, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("fused", [False, True], ids=["torch", "fused"])
def test_adam_moves_only_the_rows_of_a_batch(fused: bool) -> None:
    model = model_of(optim.Adam(0.1) if fused else None)
    optimizers = build_optimizers(model, "adam", 0.1)
    train_step(model, optimizers, batch_of(0), CPU)
    before = model.deep.bags[0].head.detach().clone()
    only_key_0 = Batch(np.zeros(4, dtype=np.int64), np.arange(5), 2, np.ones(2, dtype=np.float32))
    train_step(model, optimizers, only_key_0, CPU)
    moved = (model.deep.bags[0].head != before).any(dim=1).nonzero().flatten().tolist()
    dictionary = model.deep.bags[0].encoder.dictionary.numpy()
    assert moved == find_positions(np.array([0]), dictionary).tolist()


def test_the_learning_rate_reaches_every_parameter() -> None:
    for name in OPTIMIZERS:
        optimizers = build_optimizers(model_of(), name, 0.25)
        groups = [group for optimizer in optimizers for group in optimizer.param_groups]
        assert {group["lr"] for group in groups} == {0.25}
        assert sum(len(group["params"]) for group in groups) == len(list(model_of().parameters()))


@pytest.mark.parametrize(("name", "kind"), [("sgd", SGD), ("adagrad", Adagrad), ("adam", Adam)])
def test_a_fused_model_leaves_only_the_dense_layers(name: str, kind: type[Optimizer]) -> None:
    model = model_of(FUSED[name](0.1))
    [optimizer] = build_optimizers(model, name, 0.1)
    assert type(optimizer) is kind
    left = {id(parameter) for group in optimizer.param_groups for parameter in group["params"]}
    dense = {id(parameter) for parameter in model.dense.parameters()}
    assert dense <= left
    tables = [table for part in (model.deep, model.wide) for table in part.parameters()]
    assert not left & {id(table) for table in tables}
    assert len(left) == len(list(model.parameters())) - len(tables)
    train_step(model, [optimizer], batch_of(0), CPU)
    assert all(table.grad is None for table in tables)


def test_a_model_of_fused_tables_alone_needs_no_optimizer() -> None:
    assert build_optimizers(model_of(optim.Adam(0.1)).deep, "adam", 0.1) == []


def test_refuses_an_unknown_name() -> None:
    with pytest.raises(InvalidValueError, match="expected one of sgd, adagrad, adam, got 'ftrl'"):
        build_optimizers(model_of(), "ftrl", 0.1)


@pytest.mark.parametrize("rate", [0.0, -0.1, float("inf"), float("nan")])
def test_refuses_a_learning_rate_that_moves_nothing(rate: float) -> None:
    with pytest.raises(InvalidValueError, match="learning_rate: expected a finite number above 0"):
        build_optimizers(model_of(), "sgd", rate)
