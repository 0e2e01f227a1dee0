"""Against a loop over keys and hashes; signs are fair and move with the seed."""

from collections.abc import Callable

import numpy as np
import torch
from benchmarks.quality.need import Need
from benchmarks.quality.tails.signed import _SIGNS, SignedJoinedTail, SignedSumTail, hash_signs

from hybridhash.hashing import hash_buckets


def test_a_key_is_the_signed_sum_of_its_rows(make_need: Callable[..., Need], some_keys: torch.Tensor) -> None:
    module = SignedSumTail(make_need(), 2)
    torch.nn.init.normal_(module.table, generator=torch.Generator().manual_seed(0))
    table = module.table.detach().numpy().astype(np.float64)
    rows = hash_buckets(some_keys.numpy(), len(table), 2, 3)
    signs = hash_buckets(some_keys.numpy(), 2, 2, 3 + _SIGNS)
    expected = [
        sum((1 if bit else -1) * table[row] for row, bit in zip(of_key, bits, strict=True))
        for of_key, bits in zip(rows, signs, strict=True)
    ]
    np.testing.assert_allclose(module(some_keys).detach().numpy(), expected, rtol=1e-5, atol=1e-6)


def test_chunks_have_signs(make_need: Callable[..., Need], some_keys: torch.Tensor) -> None:
    module = SignedJoinedTail(make_need(), 4)
    torch.nn.init.normal_(module.table, generator=torch.Generator().manual_seed(0))
    table = module.table.detach().numpy().astype(np.float64)
    rows = hash_buckets(some_keys.numpy(), len(table), 4, 3)
    signs = hash_buckets(some_keys.numpy(), 2, 4, 3 + _SIGNS)
    expected = []
    for of_key, bits in zip(rows, signs, strict=True):
        chunks = [(1 if bit else -1) * table[row] for row, bit in zip(of_key, bits, strict=True)]
        expected.append(
            np.concatenate([*(chunk[:-1] for chunk in chunks), [np.mean([chunk[-1] for chunk in chunks])]])
        )
    np.testing.assert_allclose(module(some_keys).detach().numpy(), expected, rtol=1e-5, atol=1e-6)


def test_signs_are_fair_and_change_with_the_seed() -> None:
    keys = torch.arange(20_000)
    ours, theirs = hash_signs(keys, 3, 0), hash_signs(keys, 3, 1)
    assert ours.shape == (20_000, 3, 1)
    assert set(ours.flatten().tolist()) == {-1.0, 1.0}
    # Means of 60,000 signs: the deviation is 1 / sqrt(60,000), which is 0.004.
    assert abs(ours.mean().item()) < 0.02
    assert abs((ours * theirs).mean().item()) < 0.02
    assert abs((ours[:, 0] * ours[:, 1]).mean().item()) < 0.035
