"""Rows that keys have to themselves, found in an exact dictionary."""

from typing import Final

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmarks.quality.need import FLOAT_BYTES, KEY_BYTES, Int64s, Need
from hybridhash.hashing import find_positions, keys_that_fit, num_positions, place_keys

_VALUES: Final = 1 << 40


class OwnRows(nn.Module):
    """The dictionary of the package and a row for each of its positions.

    Args:
        need: Where initial values and wide weights come from; its bytes are not looked at.
        keys: int64[K], distinct.
        columns: Floats in a row, the wide weight included.
    """

    dictionary: Tensor

    def __init__(self, need: Need, keys: Int64s, columns: int) -> None:
        """Place the keys and make the rows."""
        super().__init__()
        self.register_buffer("dictionary", torch.from_numpy(place_keys(keys)))
        # Values of their own, not the first ones that the tail draws from the same seed.
        generator = torch.Generator().manual_seed(need.seed + _VALUES)
        self.rows = need.rows((num_positions(keys.size), columns), generator)

    def find(self, keys: Tensor) -> Tensor:
        """Return the position of each key of int64[N], or -1."""
        return torch.from_numpy(find_positions(keys.numpy(), self.dictionary.numpy()))

    def forward(self, positions: Tensor) -> Tensor:
        """Return the rows float[N, columns] of positions int64[N] that `find` found."""
        return F.embedding(positions, self.rows)


def num_own(num_bytes: int, columns: int, num_keys: int) -> int:
    """Return how many keys can have rows of ``columns`` floats within some bytes, dictionary included.

    Args:
        num_bytes: What they may take.
        columns: Floats in a row.
        num_keys: How many keys there are: the most that is returned.
    """
    affordable = max(num_bytes - KEY_BYTES, 0) // (FLOAT_BYTES * columns + KEY_BYTES)
    return min(num_keys, keys_that_fit(affordable))


def merged(chosen: Tensor, yes: Tensor, no: Tensor) -> Tensor:
    """Put rows back in the order of their keys.

    Args:
        chosen: bool[N].
        yes: float[Y, columns], of the keys that are chosen, in their order.
        no: float[N - Y, columns], of the others.

    Returns:
        float[N, columns].
    """
    places = torch.cat([chosen.nonzero(), (~chosen).nonzero()]).squeeze(1)
    rows = torch.cat([yes, no])
    return torch.zeros_like(rows).index_copy(0, places, rows)


def own_bytes(num_keys: int, columns: int) -> int:
    """Return the bytes of `OwnRows` of so many keys."""
    positions = num_positions(num_keys)
    return positions * (FLOAT_BYTES * columns + KEY_BYTES) + (KEY_BYTES if positions else 0)
