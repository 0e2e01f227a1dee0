"""The compiled bags of packed rows: forward only."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from hybridhash import _native
from hybridhash.errors import InvalidValueError
from hybridhash.kernels.cpu.lookup import Lookup, in_one_piece, room_for_rows, rows_of
from hybridhash.kernels.cpu.tensors import (
    COMBINES,
    MODES,
    is_plain,
    map_by_loop,
    memory,
    num_threads,
    optional_floats,
    unsigned,
)
from hybridhash.kernels.reference import Slab


def _packed_pool_now(
    codes: Sequence[Tensor],
    scales: Sequence[Tensor],
    bits: Sequence[int],
    num_rows: Sequence[int],
    widths: Sequence[int],
    rows: Tensor,
    offsets: Tensor,
    weights: Tensor | None,
    combine: int,
    mode: int,
) -> Tensor:
    """Pool from the slabs of the head, and of the tail behind them."""
    parts = zip(codes, scales, bits, num_rows, widths, strict=True)
    *head, tail = (Slab(*part) for part in parts)
    out = _empty_output(tail, rows.shape[1], offsets, combine)
    _native.packed_forward(
        [_in_one_piece(slab) for slab in head],
        _in_one_piece(tail),
        memory(rows.contiguous()),
        memory(offsets.contiguous()),
        optional_floats(weights),
        combine,
        mode,
        memory(out),
        num_threads(),
    )
    return out


packed_pool_op = torch.library.custom_op("hybridhash::packed_pool", _packed_pool_now, mutates_args=())


@packed_pool_op.register_fake
def _(
    codes: Sequence[Tensor],
    scales: Sequence[Tensor],
    bits: Sequence[int],
    num_rows: Sequence[int],
    widths: Sequence[int],
    rows: Tensor,
    offsets: Tensor,
    weights: Tensor | None,
    combine: int,
    mode: int,
) -> Tensor:
    dim = widths[-1] * (rows.shape[1] if COMBINES[combine] == "concat" else 1)
    return rows.new_empty(offsets.shape[0] - 1, dim, dtype=torch.float32)


map_by_loop(packed_pool_op)


def _in_one_piece(slab: Slab) -> tuple[Any, Any, int, int, int]:
    codes, scales = memory(slab.codes.detach().contiguous()), memory(slab.scales.contiguous())
    return codes, scales, slab.bits, slab.num_rows, slab.width


def _empty_output(tail: Slab, num_hashes: int, offsets: Tensor, combine: int) -> Tensor:
    dim = tail.width * (num_hashes if COMBINES[combine] == "concat" else 1)
    return torch.empty(max(offsets.numel() - 1, 0), dim, dtype=torch.float32)


def _find_and_pool(
    head: Sequence[Slab],
    tail: Slab,
    lookup: Lookup,
    offsets: Tensor,
    weights: Tensor | None,
    combine: int,
    mode: int,
) -> Tensor:
    if lookup.num_buckets != tail.num_rows:
        raise InvalidValueError(
            f"rows: expected a lookup in {tail.num_rows} buckets, got one in {lookup.num_buckets}; encode with "
            "the table's own encoder"
        )
    found = room_for_rows(lookup) if lookup.kept else None
    out = _empty_output(tail, len(lookup.salts), offsets, combine)
    _native.packed_encode_and_pool(
        memory(lookup.keys.detach().contiguous()),
        in_one_piece(lookup.dictionaries),
        unsigned(lookup.salts),
        lookup.padding_key,
        [_in_one_piece(slab) for slab in head],
        _in_one_piece(tail),
        memory(offsets.contiguous()),
        optional_floats(weights),
        combine,
        mode,
        None if found is None else memory(found),
        memory(out),
        num_threads(),
    )
    lookup.found = found
    return out


def packed_embedding_bag(
    head: Sequence[Slab],
    tail: Slab,
    rows: Tensor | Lookup,
    offsets: Tensor,
    *,
    combine: str,
    mode: str,
    per_sample_weights: Tensor | None = None,
) -> Tensor:
    """Pool the vectors of each bag of keys; see ``kernels.reference.packed_embedding_bag``. There are no gradients.

    Args:
        head: The slabs of the head, at most `MAX_DICTIONARIES`, of rows of D floats; head rows count over them, one
            after another.
        tail: Rows of bucket_dim floats.
        rows: int32[N, H], from `encode`; or a lookup, which is answered on the way.
        offsets: int64[B + 1].
        combine: ``sum``, ``mean`` or ``concat``.
        mode: ``sum``, ``mean`` or ``max``.
        per_sample_weights: float[N], for ``sum`` only.

    Returns:
        float32[B, D].

    Raises:
        InvalidValueError: A lookup in another number of buckets.
        ValueError: A slab whose numbers and arrays do not agree, or rows that it does not have.
    """
    combine_index, mode_index = COMBINES.index(combine), MODES.index(mode)
    at_once = is_plain(offsets)
    if at_once and isinstance(rows, Lookup) and rows.found is None:
        return _find_and_pool(head, tail, rows, offsets, per_sample_weights, combine_index, mode_index)
    pool = _packed_pool_now if at_once else packed_pool_op
    slabs = [*head, tail]
    return pool(
        [slab.codes for slab in slabs],
        [slab.scales for slab in slabs],
        [slab.bits for slab in slabs],
        [slab.num_rows for slab in slabs],
        [slab.width for slab in slabs],
        rows_of(rows),
        offsets,
        per_sample_weights,
        combine_index,
        mode_index,
    )
