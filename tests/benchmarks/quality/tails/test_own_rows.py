"""Rows against a loop, bytes against tensors."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from benchmarks.quality.need import Need, tensor_bytes
from benchmarks.quality.tails.own_rows import OwnRows, merged, num_own, own_bytes


def test_every_key_has_a_row_of_its_own(make_need: Callable[..., Need]) -> None:
    keys = np.array([4, -9, 1 << 60, 77], dtype=np.int64)
    own = OwnRows(make_need(), keys, 5)
    positions = own.find(torch.tensor([77, 5, -9, 4, 1 << 60, 77]))
    assert (positions >= 0).tolist() == [True, False, True, True, True, True]
    assert positions[0] == positions[5]
    assert len(set(positions.tolist())) == 5  # four rows, and -1
    found = positions[positions >= 0]
    assert own(found).tolist() == [own.rows[place].tolist() for place in found.tolist()]


@pytest.mark.parametrize("num_keys", [0, 1, 8, 500])
def test_bytes_are_those_of_the_tensors(make_need: Callable[..., Need], num_keys: int) -> None:
    assert own_bytes(num_keys, 9) == tensor_bytes(OwnRows(make_need(), np.arange(num_keys), 9))


@pytest.mark.parametrize("num_bytes", [0, 1000, 1063, 1064, 1065, 9999, 40_000])
def test_as_many_keys_as_fit(num_bytes: int) -> None:
    """Rows of 9 floats and 8 bytes of key: 24 positions, the fewest there are, take 1,064 bytes with the salt."""
    found = num_own(num_bytes, 9, 10_000)
    assert own_bytes(found, 9) <= num_bytes
    assert own_bytes(found + 1, 9) > num_bytes
    assert num_own(num_bytes, 9, 3) == min(found, 3)


def test_rows_return_to_their_places() -> None:
    chosen = torch.tensor([False, True, True, False])
    yes, no = torch.tensor([[1.0], [2.0]], requires_grad=True), torch.tensor([[3.0], [4.0]])
    rows = merged(chosen, yes, no)
    assert rows.tolist() == [[3.0], [1.0], [2.0], [4.0]]
    (rows * torch.tensor([[1.0], [10.0], [100.0], [1000.0]])).sum().backward()
    assert yes.grad is not None
    assert yes.grad.tolist() == [[10.0], [100.0]]
    assert merged(torch.tensor([True]), torch.ones(1, 2), torch.ones(0, 2)).tolist() == [[1.0, 1.0]]
