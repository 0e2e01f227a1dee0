"""Keys of whole arrays, by the compiled kernels: the functions of `reference`, with its results."""

import os
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from hybridhash import _native
from hybridhash.errors import DataError
from hybridhash.hashing import text
from hybridhash.hashing.reference import Keys

_FEW_VALUES: Final = 1 << 16  # hashed in less time than it takes to wake another thread
_MOST_THREADS: Final = 4  # which read as fast as the memory of most machines gives


def num_threads(num_values: int) -> int:
    """Return on how many threads this many values are hashed.

    Args:
        num_values: Length of the array.

    Returns:
        1 below 65,536 values, from there on the cores that this process may use, 4 at most.
    """
    if num_values < _FEW_VALUES:
        return 1
    if hasattr(os, "sched_getaffinity"):
        return min(_MOST_THREADS, len(os.sched_getaffinity(0)))
    return min(_MOST_THREADS, os.cpu_count() or 1)


def integer_keys(values: npt.NDArray[Any], salt: int) -> Keys:
    """Return ``mix64(value + salt)`` of each value; as `reference.integer_keys`."""
    wide = np.ascontiguousarray(values, dtype=np.uint64 if values.dtype.kind == "u" else np.int64)
    words: Keys = wide.view(np.int64)
    keys = np.empty(words.size, dtype=np.int64)
    _native.hash_integers(words, keys, salt, num_threads(words.size))
    return keys


def byte_string_keys(strings: text.ByteStrings, salt: int) -> Keys:
    """Return XXH64 of each string; as `reference.byte_string_keys`.

    Raises:
        ValueError: A string does not lie within the buffer.
    """
    keys = np.empty(strings.starts.size, dtype=np.int64)
    _native.hash_slices(strings.data, strings.starts, strings.lengths, keys, salt, num_threads(keys.size))
    return keys


def numpy_bytes_keys(values: npt.NDArray[np.bytes_], salt: int) -> Keys:
    """Return XXH64 of each string of dtype ``S``; as `reference.numpy_bytes_keys`."""
    width = values.dtype.itemsize
    if not width:
        return byte_string_keys(text.from_numpy_bytes(values), salt)
    keys = np.empty(values.size, dtype=np.int64)
    data = np.ascontiguousarray(values).view(np.uint8)
    _native.hash_fixed_bytes(data, width, keys, salt, num_threads(keys.size))
    return keys


def numpy_text_keys(values: npt.NDArray[np.str_], salt: int) -> Keys:
    """Return XXH64 of the UTF-8 of strings of dtype ``U``; as `reference.numpy_text_keys`.

    Raises:
        DataError: A lone surrogate, which UTF-8 cannot encode.
    """
    width = values.dtype.itemsize // 4
    if not width:
        return byte_string_keys(text.from_numpy_text(values), salt)
    keys = np.empty(values.size, dtype=np.int64)
    code_points = np.ascontiguousarray(values, dtype=values.dtype.newbyteorder("=")).view(np.uint32)
    surrogate = _native.hash_fixed_text(code_points, width, keys, salt, num_threads(keys.size))
    if surrogate:
        raise text.lone_surrogate(surrogate)
    return keys


def arrow_string_keys(array: Any, salt: int) -> Keys:
    """Return XXH64 of each string of a pyarrow array; as `reference.arrow_string_keys`.

    Raises:
        DataError: The array is damaged: its offsets fall, or leave the buffer.
    """
    data, offsets = text.arrow_buffers(array)
    keys = np.empty(offsets.size - 1, dtype=np.int64)
    try:
        _native.hash_offsets(data, offsets, keys, salt, num_threads(keys.size))
    except ValueError as error:
        raise DataError(
            f"Arrow {array.type} array: expected offsets that do not fall and stay within the {data.size} bytes "
            f"of the data, got others; call validate(full=True) on what made it"
        ) from error
    return keys
