"""What every array of keys must be before it is used."""

import numpy as np
import numpy.typing as npt

from hybridhash.errors import InvalidTypeError, InvalidValueError

Int64s = npt.NDArray[np.int64]


def as_int64(values: npt.ArrayLike, name: str) -> Int64s:
    """Take a 1-D array of integers as int64 without changing a value.

    Args:
        values: [N] integers; every int64 is legal.
        name: What the caller calls them, for the message.

    Returns:
        int64[N]; the same memory where it already is int64.

    Raises:
        InvalidTypeError: Not integers, or integers that int64 cannot hold.
        InvalidValueError: Not one-dimensional.
    """
    try:
        array = np.asarray(values)
    except ValueError:
        raise InvalidTypeError(
            f"{name}: expected int64, got rows of different lengths; flatten them first"
        ) from None
    if array.ndim != 1:
        raise InvalidValueError(f"{name}: expected a 1-D array, got shape {array.shape}; flatten it first")
    if isinstance(values, list | tuple) and not array.size:
        return np.empty(0, dtype=np.int64)
    if array.dtype.kind not in "iu" or not np.can_cast(array.dtype, np.int64):
        raise InvalidTypeError(
            f"{name}: expected int64, got {array.dtype}; turn values into keys with hash_keys first"
        )
    return array.astype(np.int64, copy=False)
