"""Bytes and moments."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from benchmarks.quality.need import Need, hash_rows, root_share, tensor_bytes
from torch import nn

from hybridhash.hashing import hash_buckets


@pytest.mark.parametrize(("wide", "rows", "short"), [(True, 111, 333), (False, 125, 333)])
def test_rows_that_some_bytes_buy(make_need: Callable[..., Need], wide: bool, rows: int, short: int) -> None:
    need = make_need(wide=wide)
    assert need.num_rows() == rows  # 4000 bytes of rows of 9 or 8 floats
    assert need.num_rows(columns=3) == short
    assert need.num_rows(budget_bytes=1) == 1


def test_rows_start_normal_and_their_wide_weights_at_zero(make_need: Callable[..., Need]) -> None:
    need = make_need(init_std=0.5)
    rows = need.rows((4000, need.columns), need.generator()).detach().numpy()
    assert (rows[:, -1] == 0).all()
    # 32,000 draws: the deviation of their deviation is 0.5 / sqrt(2 * 32,000), which is 0.002.
    assert abs(rows[:, :-1].std() - 0.5) < 0.01
    assert abs(rows[:, :-1].mean()) < 0.015
    assert make_need(wide=False).rows((3, 8), need.generator())[:, -1].abs().min() > 0


def test_summands_have_the_deviation_of_their_sum() -> None:
    draws = np.random.default_rng(0).normal(0, root_share(2.0, 4), (100_000, 4)).sum(axis=1)
    assert abs(draws.std() - 2.0) < 0.03


def test_hashed_rows_are_those_of_the_package(some_keys: torch.Tensor) -> None:
    rows = hash_rows(some_keys, 10, 3, seed=1)
    assert rows.shape == (7, 3)
    assert rows.tolist() == hash_buckets(some_keys.numpy(), 10, 3, 1).tolist()


def test_bytes_are_those_of_parameters_and_buffers() -> None:
    module = nn.Linear(3, 2)
    module.register_buffer("keys", torch.zeros(5, dtype=torch.int64))
    module.register_parameter("same", module.weight)
    assert tensor_bytes(module) == 4 * (6 + 2) + 8 * 5
