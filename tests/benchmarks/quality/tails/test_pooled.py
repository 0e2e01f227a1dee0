"""Against a loop over keys and hashes."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from benchmarks.quality.need import Need, tensor_bytes
from benchmarks.quality.tails.pooled import PooledTail

from hybridhash.hashing import hash_buckets

KINDS = [(2, 1.0), (2, 0.5), (2, 2**-0.5), (3, 1 / 3)]


@pytest.mark.parametrize(("num_hashes", "scale"), KINDS)
def test_a_key_is_the_scaled_sum_of_its_rows(
    make_need: Callable[..., Need], some_keys: torch.Tensor, num_hashes: int, scale: float
) -> None:
    module = PooledTail(make_need(), num_hashes, scale)
    torch.nn.init.normal_(module.table, generator=torch.Generator().manual_seed(0))
    table = module.table.detach().numpy().astype(np.float64)
    rows = hash_buckets(some_keys.numpy(), len(table), num_hashes, 3)
    expected = [scale * sum(table[row] for row in of_key) for of_key in rows]
    np.testing.assert_allclose(module(some_keys).detach().numpy(), expected, rtol=1e-5, atol=1e-6)
    assert tensor_bytes(module) == 4000 // 36 * 36


@pytest.mark.parametrize(("num_hashes", "scale"), KINDS)
def test_vectors_start_with_the_deviation_asked_for(
    make_need: Callable[..., Need], num_hashes: int, scale: float
) -> None:
    module = PooledTail(make_need(budget_bytes=1_000_000, init_std=0.5), num_hashes, scale)
    vectors = module(torch.arange(8000)).detach()
    assert abs(vectors[:, :-1].std().item() - 0.5) < 0.01
    assert (vectors[:, -1] == 0).all()


def test_there_may_be_no_keys(make_need: Callable[..., Need]) -> None:
    assert PooledTail(make_need(), 2, 1.0)(torch.empty(0, dtype=torch.int64)).shape == (0, 9)
