"""Two processes that train replicas end with the table that one process trains on the batches of both."""

import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from torch.testing import assert_close
from torch.utils.checkpoint import checkpoint

from hybridhash.embeddings import HybridEmbeddingBag
from hybridhash.errors import InvalidValueError
from hybridhash.optim import FTRL, SGD, Adagrad, Adam
from hybridhash.training import process_context
from hybridhash.vocabulary import Vocabulary

NUM_STEPS = 3
Batch = tuple[Tensor, Tensor, Tensor | None]
State = dict[str, Tensor]


class Ranker(nn.Module):
    """A bag of 10 head keys and a tail of 7 rows below a dense layer."""

    def __init__(self, seed: int = 0, **options: Any) -> None:
        super().__init__()
        torch.manual_seed(seed)
        options = {"mode": "sum", "include_last_offset": True, "init_std": 1.0} | options
        self.bag = HybridEmbeddingBag(Vocabulary(np.arange(10)), 7, 4, "concat", 2, **options)
        self.dense = nn.Linear(4, 1)

    def forward(self, *batch: Any) -> Tensor:
        vectors: Tensor = self.bag(*batch)
        pooled: Tensor = self.dense(vectors)
        return pooled


class ComputedAgain(Ranker):
    """A bag whose pass with gradients is made within the backward pass, when no forward pass of DDP runs."""

    def forward(self, keys: Tensor, offsets: Tensor, weights: Tensor | None) -> Tensor:
        weights = torch.ones(keys.numel()) if weights is None else weights
        vectors = checkpoint(self.bag, keys, offsets, weights.requires_grad_(), use_reentrant=True)
        pooled: Tensor = self.dense(vectors)
        return pooled


MODELS: dict[str, Callable[[int], Ranker]] = {
    "sgd": lambda seed: Ranker(seed, optimizer=SGD(0.1, weight_decay=0.01)),
    "adagrad": lambda seed: Ranker(seed, optimizer=Adagrad(0.1), mode="mean"),
    "adam, reference, left out": lambda seed: Ranker(seed, optimizer=Adam(0.1), engine="reference"),
    "ftrl, frozen head": lambda seed: frozen(Ranker(seed, optimizer=FTRL(0.1))),
    "adagrad, computed again": lambda seed: ComputedAgain(seed, optimizer=Adagrad(0.1)),
    "sparse": lambda seed: Ranker(seed, sparse=True),
}


def frozen(model: Ranker) -> Ranker:
    model.bag.head.requires_grad_(False)
    return model


def batch_of(rank: int, number: int, weighted: bool) -> Batch:
    """Bags of one rank: more on rank 1, whose second batch is empty; weights on rank 0 in the third batch."""
    generator = np.random.default_rng([rank, number])
    lengths = generator.integers(0, 4, 0 if rank and number == 1 else 3 + 4 * rank)
    keys = torch.from_numpy(generator.integers(0, 20, lengths.sum()))
    offsets = torch.from_numpy(np.concatenate([[0], lengths.cumsum()]))
    weights = torch.linspace(-1, 2, keys.numel()) if weighted and not rank and number == 2 else None
    return keys, offsets, weights


def batch_of_both(number: int, weighted: bool) -> Batch:
    (keys, offsets, weights), (more, ends, _) = (batch_of(rank, number, weighted) for rank in (0, 1))
    joined = None if weights is None else torch.cat([weights, torch.ones(more.numel())])
    return torch.cat([keys, more]), torch.cat([offsets, offsets[-1] + ends[1:]]), joined


def train(model: nn.Module, ranker: Ranker, batch: Callable[[int, bool], Batch], scale: float) -> State:
    """Take some steps, whose losses are sums of squares times a scale; return the state."""
    optimizer = torch.optim.SGD((ranker if ranker.bag.sparse else ranker.dense).parameters(), lr=0.1)
    for number in range(NUM_STEPS):
        optimizer.zero_grad()
        (scale * model(*batch(number, ranker.bag.mode == "sum")).square().sum()).backward()
        if not ranker.bag.sparse:
            assert ranker.bag.head.grad is None
            assert ranker.bag.tail.grad is None
        optimizer.step()
    return {name: value.detach() for name, value in ranker.state_dict().items()}


def train_replicas(rank: int, folder: Path) -> None:
    """Train every model as one of two ranks, and write their states."""
    torch.set_num_threads(1)
    store = f"file://{folder / 'store'}"
    dist.init_process_group("gloo", init_method=store, rank=rank, world_size=2, timeout=timedelta(seconds=50))
    states = {}
    for name, make in MODELS.items():
        ranker = make(0 if "left out" in name else rank)
        if "left out" in name:  # of what DDP sends and sums
            names = [f"bag.{key}" for key in ranker.bag.state_dict()]
            DistributedDataParallel._set_params_and_buffers_to_ignore_for_model(ranker, names)
        static = isinstance(ranker, ComputedAgain)
        model = DistributedDataParallel(ranker, static_graph=static)  # rank 0's values go to rank 1
        states[name] = train(model, ranker, lambda number, weighted: batch_of(rank, number, weighted), 1.0)
    model = DistributedDataParallel(MODELS["sgd"](0))
    with pytest.raises(InvalidValueError, match="throw_on_early_termination=True"), model.join():
        model(*batch_of(rank, 0, False))
    torch.save(states, folder / f"{rank}.pt")
    os._exit(0)  # gloo's threads may wait for Python's lock while Python waits for them to end


@pytest.fixture(scope="module")
def both_ranks(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, State]]:
    """The states of the models on each rank."""
    folder = tmp_path_factory.mktemp("replicas")
    ranks = [process_context().Process(target=train_replicas, args=(rank, folder)) for rank in (0, 1)]
    for process in ranks:
        process.start()
    try:
        for process in ranks:
            process.join(60)
        assert [process.exitcode for process in ranks] == [0, 0]
    finally:
        for process in ranks:
            process.kill()
    return [torch.load(folder / f"{rank}.pt") for rank in (0, 1)]


@pytest.mark.parametrize("name", MODELS)
def test_replicas_train_the_table_of_one_process(both_ranks: list[dict[str, State]], name: str) -> None:
    """Gradients are averaged over ranks, so its loss is the mean of theirs."""
    first, second = both_ranks
    single = MODELS[name](0)
    expected = train(single, single, batch_of_both, 0.5)
    before = MODELS[name](0).state_dict()
    assert not torch.equal(expected["bag.tail"], before["bag.tail"])
    assert torch.equal(expected["bag.head"], before["bag.head"]) == ("frozen" in name)
    assert first[name].keys() == second[name].keys() == expected.keys()
    for key, value in expected.items():
        assert torch.equal(first[name][key], second[name][key]), key
        assert_close(first[name][key], value, rtol=1e-6, atol=1e-6)
