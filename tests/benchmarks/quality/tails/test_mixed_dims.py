"""Against a loop over keys."""

from collections.abc import Callable

import numpy as np
import torch
from benchmarks.quality.need import Need, tensor_bytes
from benchmarks.quality.tails.counted import Counted
from benchmarks.quality.tails.mixed_dims import MIDDLE_DIM, MixedDimsTail


def test_short_rows_are_projected_and_others_hashed(make_need: Callable[..., Need], rare: Counted) -> None:
    module = MixedDimsTail(make_need(), rare)
    for parameter in module.parameters():
        torch.nn.init.normal_(parameter, generator=torch.Generator().manual_seed(len(parameter)))
    keys = torch.arange(1, 400)
    positions = module.middle.find(keys).tolist()
    num_middle = sum(position >= 0 for position in positions)
    assert 20 < num_middle < 300
    assert all(position >= 0 for position in positions[:num_middle]), "the most frequent of the tail"
    projection = module.projection.detach().numpy().astype(np.float64)
    expected = []
    for key, position in zip(keys, positions, strict=True):
        if position < 0:
            expected.append(module.joined(key.unsqueeze(0))[0].detach().numpy())
        else:
            row = module.middle.rows[position].detach().numpy().astype(np.float64)
            vector = [
                sum(row[i] * projection[i, j] for i in range(MIDDLE_DIM)) for j in range(projection.shape[1])
            ]
            expected.append(np.array([*vector, row[MIDDLE_DIM]]))
    np.testing.assert_allclose(module(keys).detach().numpy(), expected, rtol=1e-5, atol=1e-6)
    assert 4000 - 8 < tensor_bytes(module) <= 4000


def test_projected_rows_start_with_the_deviation_of_the_short_ones(
    make_need: Callable[..., Need], rare: Counted
) -> None:
    module = MixedDimsTail(make_need(dim=2000, budget_bytes=200_000, init_std=0.5, wide=False), rare)
    # One projection of 4 x 2,000 draws: its deviation is 0.5 to about one in a hundred, and the rows' to one in forty.
    assert abs(module.projection.std().item() - 0.5) < 0.03
    assert abs((module.middle.rows @ module.projection).std().item() - 0.5) < 0.06
