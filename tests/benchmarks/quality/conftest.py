"""Small rows and needs for the tests of the quality benchmark."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch
from benchmarks.quality.need import Need
from benchmarks.quality.sets import tiny_sets

from hybridhash.data import KeyedRows
from hybridhash.experiments import Silence
from hybridhash.trials.prepare import prepare_rows
from hybridhash.trials.settings import FitSettings


@pytest.fixture(autouse=True, scope="session")
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> tuple[KeyedRows, FitSettings]:
    """The tiny stream's rows and settings."""
    data, work = tiny_sets()["tiny"], tmp_path_factory.mktemp("tiny")
    prepared = prepare_rows([data.files(work)], data.settings, work / "encoded", Silence())
    return prepared.dataset.rows, data.settings


@pytest.fixture
def make_need() -> Callable[..., Need]:
    """Makes needs of dim 8 with wide weights at 4,000 bytes; keywords override."""
    keys = np.random.default_rng(0).zipf(1.5, 2000)

    def make(**changes: Any) -> Need:
        fields = {
            "num_keys": 500,
            "num_features": 3,
            "dim": 8,
            "wide": True,
            "budget_bytes": 4000,
            "init_std": 0.01,
            "seed": 3,
            "keys": lambda: iter([keys[:1000], keys[1000:]]),
        }
        return Need(**{**fields, **changes})

    return make


@pytest.fixture
def some_keys() -> torch.Tensor:
    """Keys as they come: frequent ones of `make_need`, strangers, negative ones, one of them twice."""
    return torch.tensor([1, 2, 3, 123_456_789, -5, -(1 << 62), 1], dtype=torch.int64)
