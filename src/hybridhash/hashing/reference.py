"""Keys of whole arrays, in numpy: the definition that the compiled form is tested against."""

from typing import Any

import numpy as np
import numpy.typing as npt

from hybridhash.hashing import text
from hybridhash.hashing.mix import mix64_in_place
from hybridhash.hashing.xxh64 import xxh64

Keys = npt.NDArray[np.int64]


def integer_keys(values: npt.NDArray[Any], salt: int) -> Keys:
    """Return ``mix64(value + salt)`` of each value.

    Args:
        values: [N] integers of any width, or booleans.
        salt: The salt, in [0, 2**64).

    Returns:
        int64[N].
    """
    words = values.astype(np.uint64 if values.dtype.kind == "u" else np.int64).view(np.uint64)
    words += np.uint64(salt)
    mix64_in_place(words)
    return words.view(np.int64)


def byte_string_keys(strings: text.ByteStrings, salt: int) -> Keys:
    """Return XXH64 of each string, the salt being the seed.

    Args:
        strings: N strings anywhere in a buffer.
        salt: The salt, in [0, 2**64).

    Returns:
        int64[N].
    """
    return xxh64(strings.data, strings.starts, strings.lengths, salt).view(np.int64)


def numpy_bytes_keys(values: npt.NDArray[np.bytes_], salt: int) -> Keys:
    """Return XXH64 of each string of a numpy array of dtype ``S``; as `byte_string_keys` otherwise."""
    return byte_string_keys(text.from_numpy_bytes(values), salt)


def numpy_text_keys(values: npt.NDArray[np.str_], salt: int) -> Keys:
    """Return XXH64 of the UTF-8 of a numpy array of dtype ``U``; as `byte_string_keys` otherwise.

    Raises:
        DataError: A lone surrogate, which UTF-8 cannot encode.
    """
    return byte_string_keys(text.from_numpy_text(values), salt)


def arrow_string_keys(array: Any, salt: int) -> Keys:
    """Return XXH64 of each string of a pyarrow ``string`` or ``binary`` array; of a null, anything."""
    return byte_string_keys(text.from_arrow(array), salt)
