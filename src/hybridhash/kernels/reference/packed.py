"""Packed rows to pooled vectors."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import torch
from torch import Tensor

from hybridhash.kernels.reference.bags import Combine, Mode, embedding_bag
from hybridhash.kernels.reference.encode import Rows, read_integers

_FLOAT_BITS: Final = 32
_SCALE_BLOCK: Final = 16  # floats that share a scale
_TOP_BYTES: Final = 4  # the scales begin with the largest step


class Slab(NamedTuple):
    """Rows of one format, as ``packing.PackedRows``.

    Attributes:
        codes: uint8, from ``packing.pack_rows``; float32[R, width] for rows of 32 bits.
        scales: uint8; empty for rows of 32 bits.
        bits: The bits of a stored float: 2, 3, 4, 8 or 32.
        num_rows: R.
        width: Floats in a row.
    """

    codes: Tensor
    scales: Tensor
    bits: int
    num_rows: int
    width: int


def unpack_rows(slab: Slab, rows: Tensor) -> Tensor:
    """Read rows, equal to ``packing.unpack_rows``.

    Args:
        slab: What holds them.
        rows: int64, any shape: which to read.

    Returns:
        float32[..., width].
    """
    if slab.bits == _FLOAT_BITS:
        return slab.codes.view(slab.num_rows, slab.width)[rows]
    places = rows[..., None] * slab.width + torch.arange(slab.width, device=rows.device)
    if not places.numel():
        return torch.empty(places.shape, device=rows.device)
    levels = read_integers(slab.codes, slab.bits, places).float() + (0.5 - (1 << (slab.bits - 1)))
    scales = read_integers(slab.scales[_TOP_BYTES:], 4, places // _SCALE_BLOCK)
    # Rounded as in numpy: the powers in float32 before they meet the largest step.
    factors = torch.tensor([2.0 ** (-scale / 2) for scale in range(15)] + [0.0], device=rows.device)
    steps = factors * slab.scales[:_TOP_BYTES].clone().view(torch.float32)
    return levels * steps[scales]


def packed_embedding_bag(
    head: Sequence[Slab],
    tail: Slab,
    rows: Rows,
    offsets: Tensor,
    *,
    combine: Combine,
    mode: Mode,
    per_sample_weights: Tensor | None = None,
) -> Tensor:
    """Pool the vectors of each bag of keys, from packed rows; there are no gradients.

    Args:
        head: Slabs of rows of D floats; head rows count over them, one after another.
        tail: Rows of bucket_dim floats.
        rows: The rows from `encode`, of N keys.
        offsets: int64[B + 1], bag b is the keys ``offsets[b]:offsets[b + 1]``.
        combine: The way to combine rows, as in `combine_rows`.
        mode: ``sum``, ``mean`` or ``max`` over the keys of a bag; padding keys do not count.
        per_sample_weights: float[N], for ``sum`` only.

    Returns:
        float32[B, D]; zeros for an empty bag.
    """
    counted = rows.in_head & rows.counted  # the padding key may have a row, which no bag reads
    head_rows = rows.head[rows.counted[rows.in_head]]
    dim = tail.width * (rows.tail.shape[1] if combine == "concat" else 1)
    vectors = torch.empty(head_rows.numel(), dim, device=offsets.device)
    first_row = 0
    for slab in head:
        here = (head_rows >= first_row) & (head_rows < first_row + slab.num_rows)
        vectors[here] = unpack_rows(slab, head_rows[here] - first_row)
        first_row += slab.num_rows
    found = unpack_rows(tail, rows.tail).flatten(0, 1)
    if not found.numel():  # so that the bag has a row, which it does not read
        found = found.new_zeros(1, tail.width)
    if not vectors.numel():
        vectors = vectors.new_zeros(1, dim)
    # A table of the rows in the order in which the keys read them.
    in_order = Rows(
        rows.counted,
        counted,
        rows.in_tail,
        torch.arange(head_rows.numel(), device=offsets.device),
        torch.arange(rows.tail.numel(), device=offsets.device).view(rows.tail.shape),
    )
    return embedding_bag(
        vectors,
        found,
        in_order,
        offsets,
        combine=combine,
        mode=mode,
        per_sample_weights=None if per_sample_weights is None else per_sample_weights.float(),
    )
