"""Against a loop over keys and hashes."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from benchmarks.quality.need import Need, tensor_bytes
from benchmarks.quality.tails.joined import JoinedTail

from hybridhash.hashing import hash_buckets


@pytest.mark.parametrize("num_chunks", [1, 2, 4, 8])
def test_a_key_is_its_rows_side_by_side(
    make_need: Callable[..., Need], some_keys: torch.Tensor, num_chunks: int
) -> None:
    module = JoinedTail(make_need(), num_chunks)
    torch.nn.init.normal_(module.table, generator=torch.Generator().manual_seed(0))
    table = module.table.detach().numpy().astype(np.float64)
    rows = hash_buckets(some_keys.numpy(), len(table), num_chunks, 3)
    expected = [
        np.concatenate([*(table[row, :-1] for row in of_key), [np.mean([table[row, -1] for row in of_key])]])
        for of_key in rows
    ]
    np.testing.assert_allclose(module(some_keys).detach().numpy(), expected, rtol=1e-5, atol=1e-6)
    row_bytes = 4 * (8 // num_chunks + 1)
    assert tensor_bytes(module) == 4000 // row_bytes * row_bytes


def test_without_a_wide_part_rows_are_vectors_alone(
    make_need: Callable[..., Need], some_keys: torch.Tensor
) -> None:
    module = JoinedTail(make_need(wide=False), 4)
    assert module.table.shape == (500, 2)
    assert module(some_keys).shape == (7, 8)
