"""Against a loop over keys and hashes."""

from collections.abc import Callable

import numpy as np
import torch
from benchmarks.quality.need import Need
from benchmarks.quality.peers.hash_embedding import _IMPORTANCES, NUM_HASHES, HashEmbedding

from hybridhash.hashing import hash_buckets


def test_a_key_is_the_weighted_sum_of_rows_of_the_pool(
    make_need: Callable[..., Need], some_keys: torch.Tensor
) -> None:
    module = HashEmbedding(make_need())
    for parameter in (module.pool, module.importance):
        torch.nn.init.normal_(parameter, generator=torch.Generator().manual_seed(len(parameter)))
    pool, importance = (
        parameter.detach().numpy().astype(np.float64) for parameter in (module.pool, module.importance)
    )
    rows = hash_buckets(some_keys.numpy(), len(pool), NUM_HASHES, 3)
    places = hash_buckets(some_keys.numpy(), len(importance), 1, 3 + _IMPORTANCES)[:, 0]
    expected = [
        sum(importance[place, index] * pool[row] for index, row in enumerate(of_key))
        for of_key, place in zip(rows, places, strict=True)
    ]
    np.testing.assert_allclose(module(some_keys).detach().numpy(), expected, rtol=1e-5, atol=1e-6)


def test_importance_weights_learn(make_need: Callable[..., Need], some_keys: torch.Tensor) -> None:
    module = HashEmbedding(make_need())
    module(some_keys).square().sum().backward()
    assert module.importance.grad.abs().sum() > 0
