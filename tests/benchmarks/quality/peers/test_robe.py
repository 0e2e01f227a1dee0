"""Against a loop over keys, chunks and floats."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from benchmarks.quality.need import Need
from benchmarks.quality.peers.robe import _SIGNS, CHUNK, RobeEmbedding

from hybridhash.hashing import hash_buckets


@pytest.mark.parametrize("wide", [True, False])
def test_a_vector_is_signed_pieces_of_the_array(
    make_need: Callable[..., Need], some_keys: torch.Tensor, wide: bool
) -> None:
    # So small an array that pieces run around its end.
    module = RobeEmbedding(make_need(wide=wide, budget_bytes=28, dim=16))
    array = module.array.detach().numpy()[:, 0]
    assert array.size == 7
    num_chunks = 16 // CHUNK + wide
    starts = hash_buckets(some_keys.numpy(), 7, num_chunks, 3)
    signs = hash_buckets(some_keys.numpy(), 2, num_chunks, 3 + _SIGNS) * 2 - 1
    assert {-1, 1} == set(signs.flatten().tolist())
    found = module(some_keys).detach().numpy()
    for key in range(len(some_keys)):
        expected = [
            array[(starts[key, chunk] + place) % 7] * signs[key, chunk]
            for chunk in range(16 // CHUNK)
            for place in range(CHUNK)
        ]
        expected += [array[starts[key, -1]] * signs[key, -1]] if wide else []
        np.testing.assert_array_equal(found[key], expected)
