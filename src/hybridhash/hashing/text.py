"""The many forms in which strings arrive, as one buffer of UTF-8 bytes with starts and lengths."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from hybridhash.errors import DataError


@dataclass(frozen=True)
class ByteStrings:
    """N byte strings in one buffer.

    Attributes:
        data: uint8[num_bytes].
        starts: int64[N], where each string begins.
        lengths: int64[N], bytes in each string.
    """

    data: npt.NDArray[np.uint8]
    starts: npt.NDArray[np.int64]
    lengths: npt.NDArray[np.int64]


def from_python(values: Sequence[str] | Sequence[bytes]) -> ByteStrings:
    """Gather Python strings (as UTF-8) or bytes objects."""
    try:
        chunks = [value.encode() if isinstance(value, str) else value for value in values]
    except UnicodeEncodeError as error:
        raise lone_surrogate(ord(error.object[error.start])) from None
    lengths = np.fromiter(map(len, chunks), dtype=np.int64, count=len(chunks))
    return _packed(np.frombuffer(b"".join(chunks), dtype=np.uint8), lengths)


def from_numpy_bytes(values: npt.NDArray[np.bytes_]) -> ByteStrings:
    """View a numpy array of dtype ``S``; trailing zero bytes are not part of a value, as in numpy."""
    width = values.dtype.itemsize
    flat = np.ascontiguousarray(values).reshape(-1)
    if not width:
        return _packed(np.empty(0, dtype=np.uint8), np.zeros(flat.size, dtype=np.int64))
    data = flat.view(np.uint8)
    starts = np.arange(flat.size, dtype=np.int64) * width
    return ByteStrings(data, starts, np.strings.str_len(flat).astype(np.int64))


def from_numpy_text(values: npt.NDArray[np.str_]) -> ByteStrings:
    """Encode a numpy array of dtype ``U`` as UTF-8 without a loop over the values."""
    flat = np.ascontiguousarray(values).reshape(-1)
    num_chars = np.strings.str_len(flat).astype(np.int64)
    width = values.dtype.itemsize // 4
    if not width:
        return _packed(np.empty(0, dtype=np.uint8), num_chars)
    native = flat if flat.dtype.isnative else flat.astype(flat.dtype.newbyteorder("="))
    code_points = native.view(np.uint32)
    if code_points.max(initial=0) < 0x80:
        starts = np.arange(flat.size, dtype=np.int64) * width
        return ByteStrings(code_points.astype(np.uint8), starts, num_chars)
    present = np.arange(width) < num_chars[:, None]
    return _encode_utf8(code_points.reshape(flat.size, width), present)


def from_arrow(array: Any) -> ByteStrings:
    """View a pyarrow ``string`` or ``binary`` array (32- or 64-bit offsets) without copying its bytes.

    The bytes under a null are arbitrary; the caller overwrites those results.
    """
    data, narrow = arrow_buffers(array)
    offsets = narrow.astype(np.int64)
    first, last = int(offsets[0]), int(offsets[-1])
    return ByteStrings(data[first:last], offsets[:-1] - first, np.diff(offsets))


def arrow_buffers(array: Any) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int32 | np.int64]]:
    """View the buffers of a pyarrow ``string`` or ``binary`` array.

    Args:
        array: N values; a slice too.

    Returns:
        uint8[num_bytes], which holds other strings too if the array is a slice, and the N + 1 offsets into it,
        int32 or int64 as Arrow has them.
    """
    _, offset_buffer, data_buffer = array.buffers()
    dtype = np.dtype(np.int64 if str(array.type).startswith("large_") else np.int32)
    count = len(array)
    data = np.empty(0, dtype=np.uint8)
    if not count:
        return data, np.zeros(1, dtype=dtype)
    offsets = np.frombuffer(offset_buffer, dtype=dtype, count=count + 1, offset=array.offset * dtype.itemsize)
    if data_buffer is not None and data_buffer.size:
        data = np.frombuffer(data_buffer, dtype=np.uint8)
    return data, offsets


def _packed(data: npt.NDArray[np.uint8], lengths: npt.NDArray[np.int64]) -> ByteStrings:
    starts = np.cumsum(lengths) - lengths
    return ByteStrings(data, starts, lengths)


def _encode_utf8(code_points: npt.NDArray[np.uint32], present: npt.NDArray[np.bool_]) -> ByteStrings:
    points = code_points[present]
    surrogate = (points >= 0xD800) & (points <= 0xDFFF)
    if surrogate.any():
        raise lone_surrogate(int(points[surrogate][0]))
    num_bytes = 1 + (points >= 0x80) + (points >= 0x800) + (points >= 0x10000).astype(np.int64)
    ends = np.cumsum(num_bytes)
    data = np.empty(int(ends[-1]) if ends.size else 0, dtype=np.uint8)
    lead = np.array([0x00, 0xC0, 0xE0, 0xF0], dtype=np.uint8)[num_bytes - 1]
    for back in range(4):  # the last byte of every character, then the one before it, ...
        has = num_bytes > back
        sextets = points[has] >> (6 * back)
        is_lead = num_bytes[has] == back + 1
        data[ends[has] - 1 - back] = np.where(is_lead, lead[has] | sextets, 0x80 | (sextets & 0x3F)).astype(
            np.uint8
        )
    per_char = np.zeros(present.shape, dtype=np.int64)
    per_char[present] = num_bytes
    return _packed(data, per_char.sum(axis=1))


def lone_surrogate(code_point: int) -> DataError:
    """Return the error for text that UTF-8 cannot encode."""
    return DataError(
        f"expected text that UTF-8 can encode, got the lone surrogate U+{code_point:04X}; "
        "decode the source again with the right encoding"
    )
