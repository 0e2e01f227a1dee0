"""Bytes: counted from tensors, never above the budget, near it where sizes allow."""

import numpy as np
import pytest
import torch
from benchmarks.quality.benchmark import PEERS_BENCHMARK, TAILS_BENCHMARK
from benchmarks.quality.methods import FULL, METHODS, OURS, PACKAGE_METHODS, Span, build
from benchmarks.quality.need import Need, tensor_bytes
from benchmarks.quality.ranker import PeerRanker

from benchmarks.quality import methods
from benchmarks.quality.peers import PEERS
from hybridhash.data import TEST, TRAIN, VALIDATION, KeyedRows
from hybridhash.optim import OptimizerState
from hybridhash.trials.settings import FitSettings


def _buffers(model: torch.nn.Module) -> list[tuple[str, torch.Tensor]]:
    return [(name.rpartition(".")[2], buffer) for name, buffer in model.named_buffers()]


@pytest.mark.parametrize(
    "method",
    [name for name in dict.fromkeys((*PEERS_BENCHMARK.methods, *TAILS_BENCHMARK.methods)) if name != FULL],
)
@pytest.mark.parametrize("model", ["wide-deep", "mlp"])
def test_bytes_are_those_of_the_tensors_and_fill_the_budget(
    tiny: tuple[KeyedRows, FitSettings], method: str, model: str
) -> None:
    rows, settings = tiny
    span = Span(rows, (TRAIN,), settings.model_copy(update={"model": model}))
    built = build(method, span, 9000, learning_rate=0.1, seed=0)
    if isinstance(built.model, PeerRanker):
        real_bytes = tensor_bytes(built.model.embedding)
    else:  # what training alone needs, the state of the optimizer, does not ship
        shipped = built.ship()
        state = [module for module in shipped.modules() if isinstance(module, OptimizerState)]
        real_bytes = tensor_bytes(shipped) - sum(map(tensor_bytes, [*state, shipped.dense]))
        # Salts follow from the seed, which stands in the file's header.
        real_bytes -= sum(8 * salts.numel() for name, salts in _buffers(shipped) if name == "salts")
    assert built.embedding_bytes == real_bytes <= 9000
    # Which stops where rows of 8 bits for all keys leave nothing to gain, and which has a head of whole buckets alone.
    if method not in ("auto", "codebook"):
        assert real_bytes >= 0.97 * 9000


def test_a_model_above_its_budget_is_refused(
    tiny: tuple[KeyedRows, FitSettings], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Greedy(torch.nn.Module):
        def __init__(self, need: Need) -> None:
            super().__init__()
            self.table = torch.nn.Parameter(torch.zeros(need.budget_bytes // 4 + 1))

    monkeypatch.setattr(methods, "MODULES", {"greedy": Greedy})
    with pytest.raises(AssertionError, match="greedy: expected at most 4000 bytes, got 4004"):
        build("greedy", Span(tiny[0], (TRAIN,), tiny[1]), 4000, learning_rate=0.1, seed=0)


def test_a_span_knows_its_own_keys_alone(tiny: tuple[KeyedRows, FitSettings]) -> None:
    rows, settings = tiny
    for parts in ((TRAIN,), (TRAIN, VALIDATION)):
        span = Span(rows, parts, settings)
        chosen = np.isin(rows.part, parts)
        keys = set(rows.singles[chosen].flatten().tolist())
        for bags in rows.lists:
            for row in np.flatnonzero(chosen):
                keys |= set(bags.keys[bags.offsets[row] : bags.offsets[row + 1]].tolist())
        assert span.counts.num_keys == len(keys)
        assert span.full_bytes == len(keys) * (8 + 1) * 4
        assert set(np.concatenate(list(span.need(4000, 0).keys())).tolist()) == keys
        assert not set(span.indices) & set(rows.indices(TEST))


def test_ours_is_last_and_every_method_is_named_once() -> None:
    assert METHODS[-1] == OURS
    assert sorted(METHODS) == sorted({*PACKAGE_METHODS, *PEERS})
