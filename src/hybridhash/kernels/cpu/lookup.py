"""Keys to rows as a torch operator, at once or while a bag pools them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import torch
from torch import Tensor

from hybridhash import _native
from hybridhash.kernels.cpu.tensors import is_plain, map_by_loop, memory, num_threads, unsigned
from hybridhash.kernels.reference import Dictionary

MAX_DICTIONARIES: Final = _native.MAX_DICTIONARIES


def _encode_now(
    keys: Tensor,
    places: Sequence[Tensor],
    key_bits: Sequence[int],
    codes: Sequence[Tensor],
    code_bits: Sequence[int],
    num_rows: Sequence[int],
    num_buckets: int,
    salts: Sequence[int],
    padding_key: int | None = None,
) -> Tensor:
    rows = torch.empty(keys.numel(), len(salts), dtype=torch.int32)
    parts = zip(places, key_bits, codes, code_bits, num_rows, strict=True)
    _native.encode(
        memory(keys.detach().contiguous()),
        in_one_piece([Dictionary(*part) for part in parts]),
        num_buckets,
        unsigned(salts),
        padding_key,
        memory(rows),
        num_threads(),
    )
    return rows


encode_op = torch.library.custom_op("hybridhash::encode", _encode_now, mutates_args=())


@encode_op.register_fake
def _(
    keys: Tensor,
    places: Sequence[Tensor],
    key_bits: Sequence[int],
    codes: Sequence[Tensor],
    code_bits: Sequence[int],
    num_rows: Sequence[int],
    num_buckets: int,
    salts: Sequence[int],
    padding_key: int | None = None,
) -> Tensor:
    return keys.new_empty(keys.numel(), len(salts), dtype=torch.int32)


map_by_loop(encode_op)


def in_one_piece(dictionaries: Sequence[Dictionary]) -> list[tuple[Any, int, Any, int, int]]:
    """Return dictionaries as the kernels take them."""
    return [
        (
            memory(part.places.contiguous()),
            part.key_bits,
            memory(part.codes.contiguous()),
            part.code_bits,
            part.num_rows,
        )
        for part in dictionaries
    ]


def encode(
    keys: Tensor,
    dictionaries: Sequence[Dictionary],
    num_buckets: int,
    salts: Sequence[int],
    padding_key: int | None = None,
) -> Tensor:
    """Find the rows of keys; see ``kernels.reference.encode``.

    Args:
        keys: int64[N].
        dictionaries: The dictionaries, at most `MAX_DICTIONARIES`, in the order in which they are asked.
        num_buckets: M, rows of the tail.
        salts: H words as signed 64-bit integers.
        padding_key: A key that stands for nothing.

    Returns:
        int32[N, H]: a head row, or the complement of a tail row; INT32_MAX first for a padding key.

    Raises:
        ValueError: A dictionary whose numbers and arrays do not agree.
    """
    find = _encode_now if is_plain(keys) else encode_op
    return find(
        keys,
        [part.places for part in dictionaries],
        [part.key_bits for part in dictionaries],
        [part.codes for part in dictionaries],
        [part.code_bits for part in dictionaries],
        [part.num_rows for part in dictionaries],
        num_buckets,
        salts,
        padding_key,
    )


@dataclass
class Lookup:
    """Keys whose rows are found when a bag first reads them, in one pass with its pooling.

    Attributes:
        keys: int64[N], not to be changed before.
        dictionaries: The dictionaries in the order in which they are asked.
        num_buckets: M, rows of the tail.
        salts: H words as signed 64-bit integers.
        padding_key: A key that stands for nothing.
        kept: Whether a bag that finds the rows without a gradient keeps them for other bags.
        found: int32[N, H], the rows, once they are known and kept.
        index: What the look-up was made with, so that bags can tell whether the rows are theirs.
    """

    keys: Tensor
    dictionaries: Sequence[Dictionary]
    num_buckets: int
    salts: Sequence[int]
    padding_key: int | None = None
    kept: bool = True
    found: Tensor | None = None
    index: Any = None

    def rows(self) -> Tensor:
        """Return int32[N, H], as `encode` does."""
        if self.found is None:
            with torch.inference_mode(False):  # a later pass may want gradients
                self.found = encode(
                    self.keys, self.dictionaries, self.num_buckets, self.salts, self.padding_key
                )
        return self.found


def room_for_rows(lookup: Lookup) -> Tensor:
    """Return int32[N, H] for the rows of a lookup, not filled."""
    with torch.inference_mode(False):  # a later pass may want gradients
        return torch.empty(lookup.keys.numel(), len(lookup.salts), dtype=torch.int32)


def rows_of(rows: Tensor | Lookup) -> Tensor:
    """Return the rows of a look-up, which are found now if they have not been found before."""
    return rows if isinstance(rows, Tensor) else rows.rows()
