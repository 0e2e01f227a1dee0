"""Expectations from the exact probabilities of a Zipf law, summed term by term."""

import itertools

import numpy as np
import pytest
import torch
from benchmarks.ids import Setting, draw_batches, vocabulary_of, zipf_ranks

from hybridhash.hashing import hash_buckets


@pytest.mark.parametrize("exponent", [0.0, 0.8, 1.05])
@pytest.mark.parametrize("num_ids", [50, 300_000])
def test_ranks_have_zipf_probabilities(exponent: float, num_ids: int) -> None:
    size = 200_000
    ranks = zipf_ranks(np.random.default_rng(1), size, num_ids, exponent)
    assert ranks.min() >= 0
    assert ranks.max() < num_ids
    weights = np.arange(1, num_ids + 1, dtype=np.float64) ** -exponent
    # Shares of spans on both sides of the rank where sums turn into integrals.
    edges = [0, 1, 10, num_ids // 4, num_ids // 2, num_ids]
    for low, high in itertools.pairwise(edges):
        share = weights[low:high].sum() / weights.sum()
        got = np.mean((ranks >= low) & (ranks < high))
        assert abs(got - share) < 5 * np.sqrt(share * (1 - share) / size) + 1e-9


def test_a_hundred_million_ids_need_no_array_of_their_length() -> None:
    ranks = zipf_ranks(np.random.default_rng(2), 50_000, 100_000_000, 1.05)
    assert ranks.max() < 100_000_000
    assert np.mean(ranks >= 4_000_000) > 0.05


def test_batches_hold_what_all_contenders_read() -> None:
    setting = Setting(
        num_ids=100, num_bags=3, bag_length=4, dim=8, num_head=5, num_full_rows=64, num_batches=2
    )
    first, second = draw_batches(setting)
    assert first.offsets.tolist() == [0, 4, 8, 12]
    assert first.grad.shape == (3, 8)
    assert not torch.equal(first.keys, second.keys)
    assert first.rows.tolist() == hash_buckets(first.keys.numpy(), 64)[:, 0].tolist()
    assert torch.equal(draw_batches(setting)[1].keys, second.keys)
    # Rank 0 is the likeliest and is in the head.
    values, counts = np.unique(torch.cat([first.keys, second.keys]).numpy(), return_counts=True)
    assert values[counts.argmax()] in vocabulary_of(5).keys
