"""Known keys read their chunks, all others the neutral row, which learns from them alone."""

from collections.abc import Callable

import pytest
import torch
from benchmarks.quality.need import Need, tensor_bytes
from benchmarks.quality.tails.counted import Counted
from benchmarks.quality.tails.neutral import FILTER_SHARE, Filter, NeutralByFeatureTail, NeutralTail


def test_a_filter_knows_its_keys_and_few_others(rare: Counted) -> None:
    known = Filter(rare.keys)
    assert known(torch.from_numpy(rare.keys)).all()
    # Sixteen places of eight bits: at most 16 / 255 are taken for known.
    assert known(torch.arange(10_000, 30_000)).float().mean() < 0.07
    assert not Filter(rare.keys[:0])(torch.arange(100)).any()


@pytest.mark.parametrize(("min_count", "num_known"), [(1, 300), (2, 100)])
def test_known_keys_read_chunks_and_others_the_neutral_row(
    make_need: Callable[..., Need], rare: Counted, min_count: int, num_known: int
) -> None:
    module = NeutralTail(make_need(), rare, min_count)
    torch.nn.init.normal_(module.neutral, generator=torch.Generator().manual_seed(0))
    assert int(module.known(torch.from_numpy(rare.keys[:num_known])).sum()) == num_known
    keys = torch.arange(1, 1001)
    known = module.known(keys).tolist()
    expected = [
        module.joined(key.unsqueeze(0))[0].tolist() if is_known else module.neutral[0].tolist()
        for key, is_known in zip(keys, known, strict=True)
    ]
    assert module(keys).tolist() == expected
    assert 4000 - 8 < tensor_bytes(module) <= 4000


def test_where_not_all_fit_the_frequent_ones_are_known(make_need: Callable[..., Need], rare: Counted) -> None:
    module = NeutralTail(make_need(budget_bytes=400), rare, 1)
    num_bytes = module.known.fingerprints.numel()
    assert FILTER_SHARE * 400 - 8 <= num_bytes <= FILTER_SHARE * 400 + 8  # buckets of eight, and the salt
    known = module.known(torch.from_numpy(rare.keys))
    assert known[:150].all()
    assert not known.all()


def test_the_neutral_row_learns_from_unknown_keys_alone(
    make_need: Callable[..., Need], rare: Counted
) -> None:
    module = NeutralTail(make_need(), rare, 2)
    known, unknown = torch.tensor([1, 2, 3]), torch.arange(5000, 5100)
    module(known).sum().backward()
    assert module.neutral.grad is not None
    assert not module.neutral.grad.any()
    module(unknown).sum().backward()
    num_unknown = int((~module.known(unknown)).sum())
    assert num_unknown > 80
    assert module.neutral.grad.tolist() == [[float(num_unknown)] * 9]


def test_an_unknown_key_starts_at_zero(make_need: Callable[..., Need], rare: Counted) -> None:
    module = NeutralTail(make_need(), rare, 1)
    keys = torch.arange(5000, 5100)
    assert not module(keys)[~module.known(keys)].any()


def test_every_feature_has_a_neutral_row(make_need: Callable[..., Need], rare: Counted) -> None:
    module = NeutralByFeatureTail(make_need(), rare)
    assert module.tail.neutral.shape == (3, 9)
    torch.nn.init.normal_(module.tail.neutral, generator=torch.Generator().manual_seed(0))
    keys = torch.arange(1, 1001)
    features = keys % 3
    expected = [
        module.tail.joined(key.unsqueeze(0))[0].tolist()
        if is_known
        else module.tail.neutral[feature].tolist()
        for key, is_known, feature in zip(
            keys, module.tail.known(keys).tolist(), features.tolist(), strict=True
        )
    ]
    assert module(keys, features).tolist() == expected
    assert 4000 - 8 < tensor_bytes(module) <= 4000
