"""The methods by name: each builds a model from what may be learned from, at a number of bytes."""

from collections.abc import Callable, Mapping
from functools import cached_property
from types import MappingProxyType
from typing import Final

import torch
from torch import nn

from benchmarks.quality.need import FLOAT_BYTES, Int64s, Need, tensor_bytes
from benchmarks.quality.peers import PEERS
from benchmarks.quality.ranker import FeatureRanker, PeerRanker
from benchmarks.quality.tails import READS_FEATURES, TABLES, TAILS
from hybridhash.data import KeyedRows
from hybridhash.planner import assemble, lay_out
from hybridhash.trials import Built, FitSettings, build_of, groups_of
from hybridhash.vocabulary import Counts, count_key_chunks

FULL: Final = "full"
HASHED: Final = "hashed"
# The package's own, by their names in `hybridhash.planner.METHODS`; bytes come from the ledger of their spec.
PACKAGE_METHODS: Final = (FULL, HASHED, "frequency", "hybrid-sum", "hybrid", "auto")
OURS: Final = PACKAGE_METHODS[-1]
METHODS: Final = (*PACKAGE_METHODS[:-1], *PEERS, OURS)
MODULES: Final[Mapping[str, Callable[[Need], nn.Module]]] = MappingProxyType({**PEERS, **TAILS})


class Span:
    """The rows that a method may learn from, and nothing of the others.

    Args:
        rows: All rows.
        parts: Which of them: `hybridhash.data.TRAIN` alone while tuning, with `VALIDATION` in the end.
        settings: The model.
    """

    def __init__(self, rows: KeyedRows, parts: tuple[int, ...], settings: FitSettings) -> None:
        """Hold them; keys are counted when they are first asked for."""
        self.rows = rows
        self._parts = parts
        self.settings = settings
        self.schema = rows.schema

    @cached_property
    def indices(self) -> Int64s:
        """The numbers of the rows, rising."""
        return self.rows.indices(*self._parts)

    @cached_property
    def counts(self) -> Counts:
        """How often each key occurs in them."""
        chunks = self.rows.key_chunks(*self._parts)
        return count_key_chunks(chunks, self.schema.names, self.indices.size, self.schema.seed)

    @property
    def full_bytes(self) -> int:
        """Bytes of the embeddings where every distinct key has floats of its own: what budgets are shares of."""
        return self.counts.num_keys * FLOAT_BYTES * (self.settings.dim + self.has_wide)

    @property
    def has_wide(self) -> bool:
        """Whether the model has wide weights."""
        return self.settings.model == "wide-deep"

    def need(self, budget_bytes: int, seed: int) -> Need:
        """Return what a peer is made from."""
        return Need(
            num_keys=self.counts.num_keys,
            num_features=len(self.schema.names),
            dim=self.settings.dim,
            wide=self.has_wide,
            budget_bytes=budget_bytes,
            init_std=self.settings.init_std,
            seed=seed,
            keys=lambda: (
                keys
                for chunk in self.rows.key_chunks(*self._parts, chunk_rows=4096)
                for keys in chunk.values()
            ),
        )


def build(method: str, span: Span, budget_bytes: int, learning_rate: float, seed: int) -> Built[nn.Module]:
    """Build the model of a method.

    Args:
        method: One of `METHODS` or of the tails.
        span: What may be learned from.
        budget_bytes: The most that its embeddings may take; `FULL` takes what it takes.
        learning_rate: For the package's models, which move their rows themselves.
        seed: Of hashes and initial values.

    Returns:
        The model and its bytes.

    Raises:
        AssertionError: It takes more bytes than it may.
    """
    make = _build_module if method in MODULES else _build_ours
    built = make(method, span, budget_bytes, learning_rate, seed)
    assert method == FULL or built.embedding_bytes <= budget_bytes, (
        f"{method}: expected at most {budget_bytes} bytes, got {built.embedding_bytes}; mend its sizes"
    )
    return built


def _build_ours(
    method: str, span: Span, budget_bytes: int, learning_rate: float, seed: int
) -> Built[nn.Module]:
    settings = span.settings
    groups = groups_of(span.schema, span.counts, settings)
    if method in TABLES:
        [group] = groups  # one joint table, so the whole budget is its
        table = TABLES[method](group, budget_bytes, settings.options, seed)
        blueprint = assemble(groups, [table], settings.hidden)
    else:
        blueprint = lay_out(method, groups, budget_bytes, settings.hidden, settings.options, seed)
    return build_of(blueprint, span.rows, settings)(learning_rate, seed)


def _build_module(
    method: str, span: Span, budget_bytes: int, learning_rate: float, seed: int
) -> Built[nn.Module]:
    settings = span.settings
    embedding = MODULES[method](span.need(budget_bytes, seed))
    generator = torch.Generator().manual_seed(seed)
    ranker = FeatureRanker if method in READS_FEATURES else PeerRanker
    model = ranker(embedding, len(span.schema.names), settings.dim, settings.hidden, generator)
    return Built(model, tensor_bytes(embedding), lambda: model)
