"""What an embedding must serve and may cost, and the few steps that all peers share.

A peer is an ``nn.Module`` made from a `Need` that turns keys int64[N] into vectors float[N, dim + wide]: the
last column, where the model has a wide part, is the key's wide weight, so a row carries both, as the rows of the
package do. All that it needs to answer is a parameter or a buffer, so its bytes are those of its tensors.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from hybridhash.hashing import hash_buckets

FLOAT_BYTES: Final = 4
KEY_BYTES: Final = 8

Int64s = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Need:
    """What an embedding is made from; nothing here knows the test.

    Attributes:
        num_keys: Distinct keys of the rows that may be learned from.
        num_features: Features that the keys belong to.
        dim: Floats in the vector of a key.
        wide: Whether a key also has a wide weight.
        budget_bytes: The most that all tensors together may take.
        init_std: Standard deviation of each float of a key's initial vector.
        seed: Of the hashes and the initial values.
        keys: Goes once over the keys of the rows that may be learned from, in row order, int64 chunk by chunk.
    """

    num_keys: int
    num_features: int
    dim: int
    wide: bool
    budget_bytes: int
    init_std: float
    seed: int
    keys: Callable[[], Iterator[Int64s]]

    @property
    def columns(self) -> int:
        """Floats in a whole row: the vector, and the wide weight where there is one."""
        return self.dim + self.wide

    def num_rows(self, budget_bytes: int | None = None, columns: int | None = None) -> int:
        """Return how many rows of floats some bytes buy, one at least; by default whole rows for all bytes."""
        row_bytes = FLOAT_BYTES * (self.columns if columns is None else columns)
        return max((self.budget_bytes if budget_bytes is None else budget_bytes) // row_bytes, 1)

    def generator(self) -> torch.Generator:
        """Return the source of the initial values, from its start."""
        return torch.Generator().manual_seed(self.seed)

    def rows(
        self, shape: tuple[int, ...], generator: torch.Generator, std: float | None = None
    ) -> nn.Parameter:
        """Return rows to train: normal vectors, and wide weights of zero in the last column.

        Args:
            shape: The last axis holds a row; where a model has a wide part, its weight stands last.
            generator: Source of the values.
            std: Standard deviation of a float; `init_std` by default.
        """
        values = torch.empty(shape).normal_(0.0, self.init_std if std is None else std, generator=generator)
        if self.wide:
            values[..., -1] = 0.0
        return nn.Parameter(values)


def hash_rows(keys: Tensor, num_rows: int, num_hashes: int, seed: int) -> Tensor:
    """Give every key ``num_hashes`` rows by independent hashes.

    Args:
        keys: int64[N], on the CPU.
        num_rows: How many rows there are.
        num_hashes: H.
        seed: Of the hashes.

    Returns:
        int64[N, H], each in [0, num_rows).
    """
    return torch.from_numpy(hash_buckets(keys.numpy(), num_rows, num_hashes, seed))


def tensor_bytes(module: nn.Module) -> int:
    """Return the bytes of all parameters and buffers, each once."""
    return sum(tensor.numel() * tensor.element_size() for tensor in (*module.parameters(), *module.buffers()))


def root_share(std: float, num_summands: int) -> float:
    """Return the deviation of each of several independent summands whose sum has deviation ``std``."""
    return std / math.sqrt(num_summands)
