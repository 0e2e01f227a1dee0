"""Rows and a model so small that training them again by hand takes no time."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from hybridhash.data import Feature, KeyedRows, Schema
from hybridhash.trials import Built


@pytest.fixture(autouse=True, scope="session")
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


class Constant(nn.Module):
    """The same logit for every row, for features with one id a row."""

    def __init__(self, logit: float, num_features: int = 1) -> None:
        super().__init__()
        self.logit = nn.Parameter(torch.tensor(logit))
        self._num_features = num_features

    def forward(self, keys: Tensor, offsets: Tensor) -> Tensor:
        return self.logit.expand((offsets.numel() - 1) // self._num_features)


@dataclass
class ConstantBuild:
    """Builds models that start at their seed, and ships them with a logit that is `shift` larger.

    With learning rates of 100 and more the models hold no number, and so diverge.
    """

    shift: float = 0.0
    built: list[tuple[float, int]] = field(default_factory=list)

    def __call__(self, learning_rate: float, seed: int) -> Built[Constant]:
        self.built.append((learning_rate, seed))
        model = Constant(float(seed) if learning_rate < 100 else math.nan)
        return Built(model, 0, lambda: Constant(model.logit.item() + self.shift))


@pytest.fixture
def make_build() -> Callable[..., ConstantBuild]:
    return ConstantBuild


@pytest.fixture
def make_rows() -> Callable[..., KeyedRows]:
    """Makes rows of one feature from labels and parts (0 train, 1 validation, 2 test)."""

    def make(labels: list[int], part: list[int]) -> KeyedRows:
        keys = np.arange(len(labels), dtype=np.int64)[:, None]
        schema = Schema((Feature("user", "categorical", "int"),))
        return KeyedRows(schema, keys, (), np.array(labels, np.float32), np.array(part, np.uint8))

    return make
