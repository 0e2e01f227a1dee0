"""Keys to rows as a torch operator, at once or while a bag pools them."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from hybridhash import _native
from hybridhash.kernels.cpu.tensors import is_plain, num_threads, unsigned


def _encode_now(
    keys: Tensor, dictionary: Tensor, num_buckets: int, salts: Sequence[int], padding_key: int | None = None
) -> Tensor:
    rows = torch.empty(keys.numel(), len(salts), dtype=torch.int32)
    _native.encode(
        keys.detach().contiguous(),
        dictionary.contiguous(),
        num_buckets,
        unsigned(salts),
        padding_key,
        rows,
        num_threads(),
    )
    return rows


encode_op = torch.library.custom_op("hybridhash::encode", _encode_now, mutates_args=())


@encode_op.register_fake
def _(
    keys: Tensor, dictionary: Tensor, num_buckets: int, salts: Sequence[int], padding_key: int | None = None
) -> Tensor:
    return keys.new_empty(keys.numel(), len(salts), dtype=torch.int32)


def encode(
    keys: Tensor, dictionary: Tensor, num_buckets: int, salts: Sequence[int], padding_key: int | None = None
) -> Tensor:
    """Find the rows of keys; see ``kernels.reference.encode``.

    Args:
        keys: int64[N].
        dictionary: int64, from ``hashing.place_keys``.
        num_buckets: M, rows of the tail.
        salts: H words as signed 64-bit integers.
        padding_key: A key that stands for nothing.

    Returns:
        int32[N, H]: a head row, or the complement of a tail row; INT32_MAX first for a padding key.
    """
    find = _encode_now if is_plain(keys) else encode_op
    return find(keys, dictionary, num_buckets, salts, padding_key)


@dataclass
class Lookup:
    """Keys whose rows are found when a bag first reads them, in one pass with its pooling.

    Attributes:
        keys: int64[N], not to be changed before.
        dictionary: int64, from ``hashing.place_keys``.
        num_buckets: M, rows of the tail.
        salts: H words as signed 64-bit integers.
        padding_key: A key that stands for nothing.
        found: int32[N, H], the rows, once they are known.
    """

    keys: Tensor
    dictionary: Tensor
    num_buckets: int
    salts: Sequence[int]
    padding_key: int | None = None
    found: Tensor | None = None

    def rows(self) -> Tensor:
        """Return int32[N, H], as `encode` does."""
        if self.found is None:
            with torch.inference_mode(False):  # a later pass may want gradients
                self.found = encode(
                    self.keys, self.dictionary, self.num_buckets, self.salts, self.padding_key
                )
        return self.found


def rows_of(rows: Tensor | Lookup) -> Tensor:
    """Return rows that are there, or those that a lookup stands for."""
    return rows if isinstance(rows, Tensor) else rows.rows()
