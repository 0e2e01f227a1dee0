"""The head is that of the package's hybrid: the same keys, the same bytes; other keys read the tail."""

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from benchmarks.quality.methods import Span
from benchmarks.quality.need import Need, tensor_bytes
from benchmarks.quality.tails.counted import Counted, count_keys
from benchmarks.quality.tails.hybrid import HybridEmbedding
from benchmarks.quality.tails.joined import JoinedTail
from torch import nn

from hybridhash.data import TRAIN, KeyedRows
from hybridhash.planner import lay_out
from hybridhash.trials import FitSettings, groups_of


class Constant(nn.Module):
    """A tail of -1, which remembers what it was made from."""

    def __init__(self, need: Need, rare: Counted) -> None:
        super().__init__()
        self.need, self.rare = need, rare

    def forward(self, keys: torch.Tensor) -> torch.Tensor:
        return torch.full((len(keys), self.need.columns), -1.0)


@pytest.mark.parametrize("budget_bytes", [2000, 4000, 9000])
def test_the_head_is_that_of_the_package(tiny: tuple[KeyedRows, FitSettings], budget_bytes: int) -> None:
    rows, settings = tiny
    span = Span(rows, (TRAIN,), settings)
    groups = groups_of(span.schema, span.counts, settings)
    model = lay_out("hybrid", groups, budget_bytes, settings.hidden)
    [blueprint] = model.blueprints.values()
    vocabulary = blueprint.vocabulary
    module = HybridEmbedding(span.need(budget_bytes, 0), lambda need, _: JoinedTail(need, 8))
    positions = module.head.find(torch.from_numpy(span.counts.top(span.counts.num_keys).keys.copy()))
    assert int((positions >= 0).sum()) == len(vocabulary.keys)
    assert (module.head.find(torch.from_numpy(vocabulary.keys.copy())) >= 0).all()
    assert tensor_bytes(module) == model.spec.ledger().embedding_bytes
    assert len(module.tail.table) == model.spec.deep[0].table.num_buckets


def test_a_key_reads_its_own_row_or_the_tail(make_need: Callable[..., Need], some_keys: torch.Tensor) -> None:
    need = make_need()
    module = HybridEmbedding(need, Constant)
    nn.init.normal_(module.head.rows, generator=torch.Generator().manual_seed(0))
    counted = count_keys(need)
    num_head = counted.num_keys - module.tail.rare.num_keys
    head = set(counted.keys[:num_head].tolist())
    assert {1, 2, 3} <= head
    assert not head & set(module.tail.rare.keys.tolist())
    expected = [
        module.head.rows[module.head.find(torch.tensor([key]))[0]].tolist() if key in head else [-1.0] * 9
        for key in some_keys.tolist()
    ]
    assert module(some_keys).tolist() == expected


def test_the_tail_reads_what_else_is_known_of_its_keys(
    make_need: Callable[..., Need], some_keys: torch.Tensor
) -> None:
    class Echo(Constant):
        def forward(self, keys: torch.Tensor, features: torch.Tensor) -> torch.Tensor:
            return torch.stack([keys, features], dim=1).float().repeat(1, 5)[:, :9]

    module = HybridEmbedding(make_need(), Echo)
    vectors = module(some_keys, torch.arange(7))
    in_head = (module.head.find(some_keys) >= 0).tolist()
    assert in_head == [True, True, True, False, False, False, True]
    assert vectors[3:6, 1].tolist() == [3.0, 4.0, 5.0]


def test_the_tail_has_the_bytes_that_the_head_leaves(make_need: Callable[..., Need]) -> None:
    module = HybridEmbedding(make_need(), Constant)
    assert module.tail.need.budget_bytes == 4000 - tensor_bytes(module.head)
    assert replace(module.tail.need, budget_bytes=4000) == replace(make_need(), keys=module.tail.need.keys)


def test_without_room_for_a_head_all_keys_read_the_tail(
    make_need: Callable[..., Need], some_keys: torch.Tensor
) -> None:
    module = HybridEmbedding(make_need(budget_bytes=400), Constant)
    assert tensor_bytes(module.head) == 0
    assert module(some_keys).tolist() == [[-1.0] * 9] * len(some_keys)
