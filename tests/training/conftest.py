"""Encoded rows made by hand, and models small enough to train in milliseconds."""

from collections.abc import Callable, Iterator

import numpy as np
import pytest
import torch
from torch import nn

from hybridhash.data import TRAIN, VALIDATION, Bags, Feature, KeyedRows, Schema
from hybridhash.models import build_model
from hybridhash.optim import FusedOptimizer
from hybridhash.spec import GroupSpec, ModelSpec, TableSpec, Tier
from hybridhash.tables import Blueprint
from hybridhash.vocabulary import Vocabulary

NUM_ROWS = 400
NUM_KEYS = 20


@pytest.fixture(autouse=True, scope="session")
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def rows() -> KeyedRows:
    """400 rows whose label is mostly told by the parity of the first key; the last quarter validates."""
    random = np.random.default_rng(0)
    singles = np.stack([random.integers(0, NUM_KEYS, NUM_ROWS), random.integers(100, 110, NUM_ROWS)], axis=1)
    lengths = random.integers(0, 4, NUM_ROWS)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    tags = Bags(random.integers(1000, 1010, int(offsets[-1])), offsets)
    labels = ((singles[:, 0] % 2 == 0) ^ (random.random(NUM_ROWS) < 0.1)).astype(np.float32)
    part = np.where(np.arange(NUM_ROWS) < 300, TRAIN, VALIDATION).astype(np.uint8)
    features = (
        Feature("user", "categorical", "int"),
        Feature("item", "categorical", "int"),
        Feature("tags", "list", "int"),
    )
    return KeyedRows(Schema(features), singles, (tags,), labels, part)


@pytest.fixture(scope="session")
def new_model() -> Callable[..., nn.Module]:
    """Builds a hybrid wide & deep model over the rows' features: a head of 10 keys, 16 buckets."""

    def build(
        seed: int = 0,
        *,
        optimizer: FusedOptimizer | None = None,
        dim: int = 4,
        tiers: tuple[Tier, ...] = (),
    ) -> nn.Module:
        names = ("user", "item", "tags")
        table = TableSpec(num_head=10, num_buckets=16, dim=dim, num_hashes=2, tiers=tiers)
        spec = ModelSpec(
            (GroupSpec(names, table, "all"),), (GroupSpec(names, table.companion(), "all"),), hidden=(8,)
        )
        blueprints = {"all": Blueprint(table, Vocabulary(np.arange(10)))}
        generator = torch.Generator().manual_seed(seed)
        return build_model(spec, names, blueprints, optimizer=optimizer, generator=generator)

    return build
