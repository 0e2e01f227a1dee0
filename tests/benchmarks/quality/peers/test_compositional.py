"""Against loops over keys and tables."""

from collections.abc import Callable

import numpy as np
import torch
from benchmarks.quality.need import Need
from benchmarks.quality.peers.compositional import NUM_CHUNKS, ConcatEmbedding, SumEmbedding

from hybridhash.hashing import hash_buckets


def test_a_sum_has_one_row_of_each_table(make_need: Callable[..., Need], some_keys: torch.Tensor) -> None:
    module = SumEmbedding(make_need())
    torch.nn.init.normal_(module.tables, generator=torch.Generator().manual_seed(0))
    tables = module.tables.detach().numpy().astype(np.float64)
    rows = hash_buckets(some_keys.numpy(), tables.shape[1], len(tables), 3)
    expected = [sum(tables[place][row] for place, row in enumerate(of_key)) for of_key in rows]
    np.testing.assert_allclose(module(some_keys).detach().numpy(), expected, rtol=1e-5, atol=1e-6)


def test_a_concatenation_has_one_chunk_of_each_table_and_their_wide_weights_summed(
    make_need: Callable[..., Need], some_keys: torch.Tensor
) -> None:
    module = ConcatEmbedding(make_need())
    torch.nn.init.normal_(module.tables, generator=torch.Generator().manual_seed(0))
    tables = module.tables.detach().numpy().astype(np.float64)
    chunk = 8 // NUM_CHUNKS
    assert tables.shape[::2] == (NUM_CHUNKS, chunk + 1)
    rows = hash_buckets(some_keys.numpy(), tables.shape[1], NUM_CHUNKS, 3)
    for key, vector in zip(rows, module(some_keys).detach().numpy(), strict=True):
        read = [tables[place][row] for place, row in enumerate(key)]
        expected = [value for row in read for value in row[:chunk]] + [sum(row[-1] for row in read)]
        np.testing.assert_allclose(vector, expected, rtol=1e-5, atol=1e-6)
