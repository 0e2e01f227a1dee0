"""Wide & deep end to end on the Criteo layout: samples per second of a training step."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import hybridhash as hh
import hybridhash.optim
from benchmarks import peers
from benchmarks.harness import Case, Plan, Row, measure
from benchmarks.ids import zipf_ranks
from benchmarks.peers import LEARNING_RATE
from hybridhash.embeddings import build_collection
from hybridhash.models import WideDeep
from hybridhash.planner import METHODS, Demand, baseline_bytes
from hybridhash.spec import GroupSpec, TableSpec
from hybridhash.tables import Blueprint

HYBRID: Final = "hybrid at 10 %"
FULL: Final = "full"
DEEPCTR: Final = "DeepCTR-Torch, full, dense gradients"
HIDDEN: Final = (256, 128)
DIM: Final = 16
NUM_BINS: Final = 100
NAMES: Final = tuple([f"i{i}" for i in range(1, 14)] + [f"c{i}" for i in range(1, 27)])

Int64s = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Clicks:
    """Rows of the Criteo layout: 13 binned numbers and 26 ids, renumbered within each feature by frequency.

    Attributes:
        name: Heading.
        ids: int64[39, rows].
        sizes: Distinct ids of each feature.
        labels: float32[rows].
    """

    name: str
    ids: Int64s
    sizes: tuple[int, ...]
    labels: npt.NDArray[np.float32]

    @property
    def num_keys(self) -> int:
        """Distinct keys of all features."""
        return sum(self.sizes)


def synthetic_clicks(num_ids: int, num_rows: int, exponent: float = 1.05) -> Clicks:
    """Draw rows whose features have from 10 to about a third of ``num_ids`` distinct ids.

    Args:
        num_ids: Distinct ids of the 26 features, about.
        num_rows: How many rows.
        exponent: Of the Zipf law of every feature.
    """
    rng = np.random.default_rng(0)
    weights = np.geomspace(1, num_ids / 30, 26)
    categorical = [max(int(size), 10) for size in weights / weights.sum() * num_ids]
    sizes = [NUM_BINS] * 13 + categorical
    ids = [rng.integers(0, NUM_BINS, num_rows) for _ in range(13)]
    ids += [zipf_ranks(rng, num_rows, size, exponent) for size in categorical]
    labels = (rng.random(num_rows) < 0.03).astype(np.float32)
    return Clicks(f"synthetic ids, T = {sum(sizes):,}", np.stack(ids), tuple(sizes), labels)


def sample_clicks(path: Path) -> Clicks:
    """Read the Criteo sample: numbers by percentile, ids by frequency, nulls as values of their own."""
    table = pq.read_table(path)
    names = {name.lower(): name for name in table.column_names}
    ids, sizes = [], []
    for name in NAMES:
        column = table[names[name]].to_numpy(zero_copy_only=False)
        if name.startswith("i"):
            numbers = column.astype(np.float64)
            edges = np.unique(np.nanquantile(numbers, np.linspace(0, 1, NUM_BINS)[1:-1]))
            column = np.where(np.isnan(numbers), -1, np.searchsorted(edges, numbers))
        _, found, counts = np.unique(column, return_inverse=True, return_counts=True)
        rank = np.empty_like(counts)
        rank[np.argsort(-counts, kind="stable")] = np.arange(counts.size)
        ids.append(rank[found].astype(np.int64))
        sizes.append(counts.size)
    labels = table[names["label"]].to_numpy().astype(np.float32)
    return Clicks(f"Criteo sample, T = {sum(sizes):,}", np.stack(ids), tuple(sizes), labels)


def _trainer(model: nn.Module, dense: Sequence[nn.Parameter]) -> Callable[..., None]:
    """Return a step: Adagrad on the dense layers; embeddings move in backward, or are among ``dense``."""
    optimizer = torch.optim.Adagrad(dense, lr=LEARNING_RATE)

    def step(labels: Tensor, *inputs: Tensor) -> None:
        optimizer.zero_grad(set_to_none=True)
        F.binary_cross_entropy_with_logits(model(*inputs), labels).backward()
        optimizer.step()

    return step


def _model(table: TableSpec, keys: Int64s) -> WideDeep:
    """Return our wide & deep over one joint table, both parts with fused Adagrad."""
    blueprints = {"head": Blueprint(table, hh.Vocabulary(keys[: table.num_head]))}
    rule = hybridhash.optim.Adagrad(LEARNING_RATE)
    encoders: dict[tuple[object, ...], Any] = {}
    deep, wide = (
        build_collection(
            NAMES,
            [GroupSpec(NAMES, spec, "head", "sum")],
            blueprints,
            encoders=encoders,
            optimizer=rule,
            init_std=0.0,
        )
        for spec in (table, table.companion())
    )
    return WideDeep(deep, wide, HIDDEN)


def _keys(clicks: Clicks) -> list[Int64s]:
    """Return the key of every id of every feature."""
    return [
        hh.hash_keys(np.arange(size), feature=name) for name, size in zip(NAMES, clicks.sizes, strict=True)
    ]


def _by_importance(clicks: Clicks, keys: list[Int64s]) -> Int64s:
    """Return all keys, those of the low ranks of all features first."""
    ranks = np.concatenate([np.arange(size) for size in clicks.sizes])
    return np.concatenate(keys)[np.argsort(ranks, kind="stable")]


def _tables(clicks: Clicks) -> dict[str, TableSpec]:
    """Return the compressed and the full table; the budget is a tenth of the baseline's bytes."""
    free = Demand(clicks.num_keys, len(NAMES), DIM, 0, wide=True)
    demand = replace(free, budget_bytes=baseline_bytes(free) // 10)
    return {HYBRID: METHODS["hybrid"].table(demand), FULL: METHODS["full"].table(free)}


def _deepctr(clicks: Clicks) -> Callable[[Tensor, Tensor], None]:
    """Return a step of DeepCTR-Torch's WDL of the same sizes, as it ships but without regularisation.

    Raises:
        ImportError: It is not installed.
    """
    library = peers.deepctr()
    features = [
        library.inputs.SparseFeat(name, size, embedding_dim=DIM)
        for name, size in zip(NAMES, clicks.sizes, strict=True)
    ]
    model = library.models.WDL(
        features, features, dnn_hidden_units=HIDDEN, l2_reg_linear=0, l2_reg_embedding=0
    ).train()
    optimizer = torch.optim.Adagrad(model.parameters(), lr=LEARNING_RATE)

    def step(labels: Tensor, ids: Tensor) -> None:
        optimizer.zero_grad(set_to_none=True)
        F.binary_cross_entropy(model(ids).squeeze(1), labels).backward()
        optimizer.step()

    return step


def _compare(clicks: Clicks, batch_size: int, num_batches: int, plan: Plan) -> list[Row]:
    keys = _keys(clicks)
    offsets = torch.arange(len(NAMES) * batch_size + 1)
    batches = []
    for index in range(num_batches):
        rows = np.arange(index * batch_size, (index + 1) * batch_size) % clicks.labels.size
        ids = clicks.ids[:, rows]
        own = np.concatenate([of_feature[column] for of_feature, column in zip(keys, ids, strict=True)])
        batches.append(
            (
                torch.from_numpy(clicks.labels[rows]),
                torch.from_numpy(own),
                torch.from_numpy(np.ascontiguousarray(ids.T).astype(np.float32)),
            )
        )
    in_order = _by_importance(clicks, keys)
    cases = []
    for name, table in _tables(clicks).items():
        model = _model(table, in_order)
        step = _trainer(model, list(model.dense.parameters()))

        def ours(index: int, step: Callable[..., None] = step) -> None:
            labels, own, _ = batches[index % num_batches]
            step(labels, own, offsets)

        cases.append(Case(name, ours, batch_size))
    peer = _deepctr(clicks)

    def theirs(index: int) -> None:
        labels, _, ids = batches[index % num_batches]
        peer(labels, ids)

    cases.append(Case(DEEPCTR, theirs, batch_size, every=max(plan.num_steps // 2, 1)))
    setting = {"num_ids": clicks.num_keys, "dim": DIM, "hidden": HIDDEN, "batch_size": batch_size}
    return measure(f"Wide & deep, {clicks.name}, batch {batch_size}", cases, plan, setting)


def run(
    num_ids: int, plan: Plan, sample: Path | None, batch_sizes: Sequence[int] = (128, 2048)
) -> Iterator[list[Row]]:
    """Measure training steps, every batch already in tensors.

    Args:
        num_ids: Distinct ids of the synthetic rows, about.
        plan: How often each case runs.
        sample: A Criteo sample in Parquet, where there is one.
        batch_sizes: Rows of a batch.

    Yields:
        The rows of one comparison.
    """
    num_batches = plan.num_steps
    data = [synthetic_clicks(num_ids, num_batches * max(batch_sizes))]
    if sample is not None:
        data.append(sample_clicks(sample))
    for clicks in data:
        for batch_size in batch_sizes:
            yield _compare(clicks, batch_size, num_batches, plan)
