"""Rows of floats rounded to a few bits, with one scale per block of sixteen floats."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from hybridhash.errors import InvalidValueError
from hybridhash.packing.integers import Bytes, pack_integers, unpack_integers

Floats = npt.NDArray[np.float32]

FLOAT_BITS: Final = 32
ROW_BITS: Final = (2, 3, 4, 8, FLOAT_BITS)
SCALE_BLOCK: Final = 16
"""Floats that share a scale: consecutive ones of the table, row after row."""

_SCALE_BITS: Final = 4
_ZERO: Final = 15  # the scale of a block of zeros
_FACTORS: Final = np.array([2.0 ** (-scale / 2) for scale in range(_ZERO)] + [0.0], dtype=np.float32)
_CHUNK: Final = 1 << 14  # blocks at a time


@dataclass(frozen=True)
class PackedRows:
    """Rows as they are shipped.

    Float i of the table, counted row after row, is ``(code + 0.5 - 2**(bits - 1)) * step``: its code is integer i
    of ``codes``, and the step of its block ``i // 16`` is ``top * 2**(-scale / 2)``, or 0 for scale 15. ``top`` is
    the float32 that ``scales`` begins with; the scales follow, four bits each.

    Attributes:
        codes: uint8, from `pack_integers`; float32[R, width] for rows of 32 bits.
        scales: uint8[`scale_bytes`]; empty for rows of 32 bits.
        bits: The bits of a stored float.
        width: Floats in a row.
        num_rows: R.
    """

    codes: Bytes | Floats
    scales: Bytes
    bits: int
    width: int
    num_rows: int


def scale_bytes(num_floats: int, bits: int) -> int:
    """Return the length of the array of scales: ``top``, then half a byte per block.

    Args:
        num_floats: The number of floats in the table.
        bits: The bits of a stored float.

    Returns:
        Bytes; 0 for floats of 32 bits and for no floats.
    """
    if bits == FLOAT_BITS or not num_floats:
        return 0
    return 4 + (-(-num_floats // SCALE_BLOCK) + 1) // 2


def pack_rows(values: Floats, bits: int) -> PackedRows:
    """Round rows to a few bits; each block gets the scale with the least squared error.

    Args:
        values: float32[R, width], finite.
        bits: One of `ROW_BITS`.

    Returns:
        The rows.

    Raises:
        InvalidValueError: Bits that are not on offer, or values that are not 2-D or not finite.
    """
    if bits not in ROW_BITS:
        raise InvalidValueError(f"bits: expected one of {ROW_BITS}, got {bits}")
    if values.ndim != 2:
        raise InvalidValueError(f"values: expected rows, 2-D, got {values.ndim}-D")
    if not np.isfinite(values).all():
        raise InvalidValueError("values: expected finite numbers, got NaN or infinity; the training diverged")
    num_rows, width = values.shape
    if bits == FLOAT_BITS:
        return PackedRows(np.array(values, dtype=np.float32), np.empty(0, np.uint8), bits, width, num_rows)
    num_blocks = -(-values.size // SCALE_BLOCK)
    blocks = np.zeros((num_blocks, SCALE_BLOCK), dtype=np.float32)
    blocks.reshape(-1)[: values.size] = values.reshape(-1)
    top = _top(blocks, bits)
    codes = np.empty(blocks.shape, dtype=np.uint32)
    scales = np.empty(num_blocks, dtype=np.uint32)
    for start in range(0, num_blocks, _CHUNK):
        part = slice(start, start + _CHUNK)
        scales[part], codes[part] = _round(blocks[part], top, bits)
    kept = np.zeros(scale_bytes(values.size, bits), dtype=np.uint8)
    if values.size:
        kept[:4] = np.frombuffer(np.array(top, dtype="<f4").tobytes(), dtype=np.uint8)
        kept[4:] = pack_integers(scales, _SCALE_BITS)[: kept.size - 4]
    return PackedRows(pack_integers(codes.reshape(-1)[: values.size], bits), kept, bits, width, num_rows)


def unpack_rows(packed: PackedRows, rows: npt.NDArray[np.int64] | None = None) -> Floats:
    """Read rows.

    Args:
        packed: The packed array from `pack_rows`.
        rows: int64, any shape: which to read; all if not given.

    Returns:
        float32[..., width].
    """
    wanted = np.arange(packed.num_rows) if rows is None else rows
    if packed.bits == FLOAT_BITS:
        floats: Floats = packed.codes.view(np.float32).reshape(packed.num_rows, packed.width)[wanted]
        return floats
    places = wanted[..., None] * packed.width + np.arange(packed.width)
    if not places.size:
        return np.empty(places.shape, dtype=np.float32)
    codes = unpack_integers(packed.codes.view(np.uint8), packed.bits, places)
    block = places // SCALE_BLOCK
    pairs = packed.scales[4 + (block >> 1)]
    scales = np.where(block & 1, pairs >> _SCALE_BITS, pairs & 15)
    top = packed.scales[:4].view("<f4")[0]
    read: Floats = _levels(codes, packed.bits) * (_FACTORS * top)[scales]
    return read


def _levels(codes: npt.NDArray[np.uint32], bits: int) -> Floats:
    return codes.astype(np.float32) + np.float32(0.5 - (1 << (bits - 1)))


def _top(blocks: Floats, bits: int) -> np.float32:
    """Return the largest step that any block wants."""
    if not blocks.size:
        return np.float32(0)
    return np.float32(np.abs(blocks).max() / ((1 << (bits - 1)) - 0.5))


def _round(
    blocks: Floats, top: np.float32, bits: int
) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.uint32]]:
    """Return the best scale of each block, and the codes under it."""
    half = 1 << (bits - 1)
    scales = np.full(len(blocks), _ZERO, dtype=np.uint32)
    codes = np.full(blocks.shape, half, dtype=np.uint32)
    least = (blocks**2).sum(axis=1)
    for scale in range(_ZERO):
        step = _FACTORS[scale] * top
        if not step:
            continue
        tried = np.clip(np.floor(blocks / step), -half, half - 1)
        error = ((blocks - (tried + np.float32(0.5)) * step) ** 2).sum(axis=1)
        better = error < least
        least[better] = error[better]
        scales[better] = scale
        codes[better] = (tried[better] + half).astype(np.uint32)
    return scales, codes
