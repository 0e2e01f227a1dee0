"""Tables and batches of keys as both engines take them, and what each engine makes of them."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import torch
from hypothesis import strategies as st
from torch import Tensor

from hybridhash.hashing import bucket_salts, num_positions, place_keys
from hybridhash.kernels import Engine, cpu, reference
from hybridhash.kernels.cpu.engine import CpuEngine
from hybridhash.kernels.reference import Combine, Dictionary, Mode, Step
from hybridhash.kernels.reference.engine import ReferenceEngine

from ..conftest import OPTIMIZERS

DIMS = [1, 2, 3, 8, 16, 17, 24, 32, 64, 100, 128, 200]
OPTIONS: dict[str, dict[str, float]] = {"ftrl": {"lr": 0.1, "l1": 0.01, "l2": 0.1}}
RULES = {
    rule: kind(**OPTIONS.get(rule, {"lr": 0.01, "weight_decay": 0.01})) for rule, kind in OPTIMIZERS.items()
}
HALVES = [torch.bfloat16, torch.float16]
int64s = st.integers(-(2**63), 2**63 - 1) | st.sampled_from([0, 1, -1, 2**63 - 1, -(2**63)])


def alone(places: Tensor) -> list[Dictionary]:
    """Give the only dictionary of a head, of exact keys."""
    return [Dictionary(places, 64, torch.empty(0, dtype=torch.uint8), 0, max(places.numel() - 1, 0))]


class Batch(NamedTuple):
    """A table and bags of keys, as both engines take them."""

    head: Tensor
    tail: Tensor
    keys: Tensor
    offsets: Tensor
    dictionary: Tensor
    salts: list[int]
    combine: Combine
    padding: int | None

    @property
    def rows(self) -> Tensor:
        return cpu.encode(self.keys, alone(self.dictionary), self.tail.shape[0], self.salts, self.padding)

    @property
    def reference_rows(self) -> reference.Rows:
        salts = torch.tensor(self.salts)
        return reference.encode(self.keys, alone(self.dictionary), self.tail.shape[0], salts, self.padding)

    @property
    def padding_row(self) -> int | None:
        if self.padding is None:
            return None
        row = int(reference.find_positions(torch.tensor([self.padding]), self.dictionary))
        return row if row >= 0 else None


def made(
    head_keys: np.ndarray,
    keys: Tensor,
    offsets: Tensor,
    dim: int,
    num_hashes: int,
    combine: Combine,
    *,
    num_buckets: int = 9,
    padding: int | None = None,
    seed: int = 0,
) -> Batch:
    generator = torch.Generator().manual_seed(seed)
    width = dim // num_hashes if combine == "concat" else dim
    return Batch(
        torch.randn(num_positions(head_keys.size), dim, generator=generator),
        torch.randn(num_buckets, width, generator=generator),
        keys,
        offsets,
        torch.from_numpy(place_keys(head_keys)),
        np.array(bucket_salts(num_hashes, seed), dtype=np.uint64).view(np.int64).tolist(),
        combine,
        padding,
    )


@st.composite
def batches(draw: st.DrawFn) -> Batch:
    """Few different keys, so that they repeat; head keys, tail keys, perhaps padding; empty bags."""
    pool = draw(st.lists(int64s, min_size=1, max_size=12, unique=True))
    head = pool[: draw(st.integers(0, len(pool)))]
    bags = draw(st.lists(st.lists(st.sampled_from(pool), max_size=7), max_size=7))
    combine = draw(st.sampled_from(["sum", "mean", "concat"]))
    num_hashes = draw(st.integers(1, 8))
    dim = draw(
        st.sampled_from([d for d in DIMS if combine != "concat" or d % num_hashes == 0] or [num_hashes])
    )
    return made(
        np.array(head, dtype=np.int64),
        torch.tensor([key for bag in bags for key in bag], dtype=torch.int64),
        torch.tensor(np.cumsum([0, *map(len, bags)]), dtype=torch.int64),
        dim,
        num_hashes,
        combine,
        num_buckets=draw(st.sampled_from([1, 2, 9, 1000])),
        padding=draw(st.none() | st.sampled_from(pool)),
        seed=draw(st.integers(0, 2**32)),
    )


modes: st.SearchStrategy[Mode] = st.sampled_from(["sum", "mean", "max"])


def both_engines(
    batch: Batch, mode: Mode, weights: Tensor | None, sparse: bool = False
) -> Iterator[tuple[Tensor, list[Tensor]]]:
    """Give the output and the gradients of head, tail and weights: the cpu engine's, the definition's in float64."""
    for engine, dtype in (("cpu", torch.float32), ("reference", torch.float64)):
        inputs = [tensor.to(dtype, copy=True).requires_grad_() for tensor in (batch.head, batch.tail)]
        own = None if weights is None else weights.to(dtype, copy=True).requires_grad_()
        options: dict[str, Any] = {"combine": batch.combine, "mode": mode, "per_sample_weights": own}
        if engine == "cpu":
            out = cpu.embedding_bag(*inputs, batch.rows, batch.offsets, sparse=sparse, **options)
        else:
            out = reference.embedding_bag(
                *inputs, batch.reference_rows, batch.offsets, padding_row=batch.padding_row, **options
            )
        factors = torch.arange(out.numel(), dtype=torch.float32).cos().view_as(out)
        (out * factors.to(dtype)).sum().backward()
        gradients = [tensor.grad for tensor in inputs]
        of_weights = [] if own is None else [own.grad]
        yield out.detach().float(), [gradient.float() for gradient in (*gradients, *of_weights)]  # type: ignore[union-attr, misc]


def states(batch: Batch, rule: str) -> list[list[Tensor]]:
    """Return positive state for head and tail, as after some steps."""
    return [
        [torch.full(rows.shape if shape == "float" else rows.shape[:1], 0.3) for shape in RULES[rule].states]
        for rows in (batch.head, batch.tail)
    ]


def updated(
    batch: Batch, mode: Mode, weights: Tensor | None, rule: str, engine: str, decays: bool = True
) -> list[Tensor]:
    """Return rows, state and the weights' gradient after one fused step."""
    head, tail = batch.head.clone(), batch.tail.clone()
    head_state, tail_state = states(batch, rule)
    numbers = RULES[rule].numbers(3) | ({} if decays or rule == "ftrl" else {"weight_decay": 0.0})
    door: Engine = CpuEngine() if engine == "cpu" else ReferenceEngine()
    rows = batch.rows if engine == "cpu" else batch.reference_rows
    num_floats = (batch.offsets.numel() - 1) * head.shape[1]
    of_table = head, tail, rows, batch.offsets, torch.arange(num_floats).view(-1, head.shape[1]).cos()
    of_weights = [] if weights is None else [door.weight_gradient(*of_table, combine=batch.combine)]
    door.update(
        *of_table,
        combine=batch.combine,
        mode=mode,
        per_sample_weights=weights,
        step=Step(head_state, tail_state, rule, numbers),
    )
    return [head, tail, *head_state, *tail_state, *of_weights]


NUM_KEYS = 60_000  # several tasks of keys and of bags, and many shards of rows


def large(num_hashes: int, combine: Combine, dim: int) -> Batch:
    generator = np.random.default_rng(0)
    head = np.unique(generator.integers(-(2**63), 2**63, 3000))
    tail = generator.integers(-(2**63), 2**63, 3000)
    popular = generator.zipf(1.3, NUM_KEYS) % 3000
    keys = np.where(generator.random(NUM_KEYS) < 0.6, head[popular % head.size], tail[popular])
    lengths = generator.multinomial(NUM_KEYS - 5000, [1 / 4000] * 4000)
    offsets = np.concatenate([[0], np.cumsum([5000, 0, *lengths])])  # one bag longer than most tasks
    return made(
        head,
        torch.from_numpy(keys),
        torch.from_numpy(offsets.astype(np.int64)),
        dim,
        num_hashes,
        combine,
        num_buckets=2000,
        padding=int(tail[3]),
    )


SAMPLE = made(np.arange(4), torch.tensor([0, 1, 90, 91, 0]), torch.tensor([0, 2, 2, 5]), 8, 2, "concat")
