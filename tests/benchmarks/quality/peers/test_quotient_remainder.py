"""Against a loop over keys, and the counting of pairs."""

from collections.abc import Callable

import numpy as np
import torch
from benchmarks.quality.need import Need
from benchmarks.quality.peers.quotient_remainder import QuotientRemainderEmbedding

from hybridhash.hashing import hash_buckets


def test_a_key_is_the_product_of_its_two_rows(
    make_need: Callable[..., Need], some_keys: torch.Tensor
) -> None:
    module = QuotientRemainderEmbedding(make_need())
    for table in (module.remainders, module.quotients):
        torch.nn.init.normal_(table, generator=torch.Generator().manual_seed(len(table)))
    remainders, quotients = (
        table.detach().numpy().astype(np.float64) for table in (module.remainders, module.quotients)
    )
    ids = hash_buckets(some_keys.numpy(), len(remainders) * len(quotients), 1, 3)[:, 0].tolist()
    expected = [remainders[number % len(remainders)] * quotients[number // len(remainders)] for number in ids]
    np.testing.assert_allclose(module(some_keys).detach().numpy(), expected, rtol=1e-5, atol=1e-6)


def test_keys_are_told_apart_by_their_pairs(make_need: Callable[..., Need]) -> None:
    module = QuotientRemainderEmbedding(make_need(budget_bytes=40_000))
    assert len(module.remainders) == len(module.quotients) == 555
    vectors = module(torch.arange(500)).detach()
    # 500 keys in 555 * 555 pairs: 0.4 collisions are expected, and among 555 rows alone 130 would be.
    assert len(torch.unique(vectors, dim=0)) >= 495


def test_wide_weights_start_at_zero_and_can_leave_it(
    make_need: Callable[..., Need], some_keys: torch.Tensor
) -> None:
    module = QuotientRemainderEmbedding(make_need())
    weights = module(some_keys)[:, -1]
    assert (weights == 0).all()
    weights.sum().backward()
    assert module.remainders.grad[:, -1].abs().sum() > 0
