"""Pickling memory-mapped arrays by the name of their file, so that another process opens the file instead of a copy."""

import io
import pickle
from typing import Any

import numpy as np


def pickle_mapped(value: Any) -> bytes:
    """Pickle a value; an array that is a whole memory-mapped file goes as its path and is not copied.

    ``pickle.loads`` opens such arrays for reading only, so their files have to be there still.

    Args:
        value: Any value that holds arrays, such as `hybridhash.data.KeyedRows`.

    Returns:
        Bytes for ``pickle.loads``.
    """
    buffer = io.BytesIO()
    _Pickler(buffer, protocol=pickle.HIGHEST_PROTOCOL).dump(value)
    return buffer.getvalue()


class _Pickler(pickle.Pickler):
    def reducer_override(self, value: Any) -> Any:
        """Return how to open the array again; all else goes the usual way."""
        file = value.base if isinstance(value, np.ndarray) else None
        if isinstance(file, np.memmap) and file.filename is not None and file.shape == value.shape:
            return _open, (str(file.filename), value.dtype, file.offset, value.shape)
        return NotImplemented


def _open(path: str, dtype: np.dtype[Any], offset: int, shape: tuple[int, ...]) -> np.ndarray[Any, Any]:
    return np.asarray(np.memmap(path, dtype, "r", offset, shape))
