"""Against a loop over keys and hashes."""

from collections.abc import Callable

import numpy as np
import torch
from benchmarks.quality.need import Need
from benchmarks.quality.peers.bloom import NUM_HASHES, BloomEmbedding

from hybridhash.hashing import hash_buckets


def test_a_key_is_the_sum_of_its_rows(make_need: Callable[..., Need], some_keys: torch.Tensor) -> None:
    module = BloomEmbedding(make_need())
    torch.nn.init.normal_(module.table, generator=torch.Generator().manual_seed(0))
    table = module.table.detach().numpy().astype(np.float64)
    rows = hash_buckets(some_keys.numpy(), len(table), NUM_HASHES, 3)
    expected = [sum(table[row] for row in of_key) for of_key in rows]
    np.testing.assert_allclose(module(some_keys).detach().numpy(), expected, rtol=1e-5, atol=1e-6)
