"""The many containers in which a column of values arrives, brought to three: a list, a numpy array, an Arrow array."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from hybridhash.errors import InvalidTypeError

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Column:
    """One column of values.

    Attributes:
        values: A list of Python objects, among which nulls may stand; a numpy array of any type but ``object``; or
            a pyarrow array or chunked array.
        is_null: bool of the shape of the numpy array, true at nulls, whatever stands there; None for no nulls.
        array_shape: The shape of the array of Python objects that the list was made of; None otherwise.
    """

    values: Any
    is_null: Bools | None = None
    array_shape: tuple[int, ...] | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the values; (N,) but for arrays of several dimensions."""
        if self.is_array:
            return tuple(self.values.shape)
        return self.array_shape or (len(self.values),)

    @property
    def is_list(self) -> bool:
        """Whether the values are Python objects."""
        return isinstance(self.values, list)

    @property
    def is_array(self) -> bool:
        """Whether the values are a numpy array."""
        return isinstance(self.values, np.ndarray)


def as_column(values: Any) -> Column:
    """Bring a column to one of the three forms, without a copy where the container allows it.

    Args:
        values: A Python sequence or other iterable; a numpy array, masked or not; a pyarrow array or chunked array; a
            pandas series, index or array of any dtype; a Polars series; or what numpy reads by ``__array__``, such as
            a tensor. None of these libraries is imported.

    Returns:
        The column. Arrays keep their shape.

    Raises:
        InvalidTypeError: A table or mapping, one value alone, or an object that numpy cannot read.
    """
    if isinstance(values, Column):
        return values
    if type(values) is list:
        return Column(values)
    if isinstance(values, np.ndarray):
        return _numpy_column(values)
    # A lazy frame, which has collect(), warns when it is asked for its columns.
    if isinstance(values, Mapping) or hasattr(values, "collect") or hasattr(values, "columns"):
        raise InvalidTypeError(
            f"expected one column of values, got a {type(values).__name__}; pass the column alone"
        )
    if is_arrow(values) and not hasattr(values, "as_py"):  # which one value has
        return Column(values)
    if hasattr(values, "to_arrow"):  # Polars
        return Column(values.to_arrow())
    if hasattr(values, "to_numpy"):  # pandas
        return _pandas_column(values)
    if hasattr(values, "__array__") and not isinstance(values, np.generic):
        return _numpy_column(_read_by_numpy(values))
    if isinstance(values, str | bytes) or not isinstance(values, Iterable):
        raise _one_value(values)
    return Column(list(values))


def is_arrow(values: Any) -> bool:
    """Tell a pyarrow object without importing pyarrow."""
    return type(values).__module__.partition(".")[0] == "pyarrow"


def is_missing(value: object) -> bool:
    """Say whether a Python object is one of the ways in which data libraries write a null: None, NaN, NA, NaT."""
    if isinstance(value, float | np.floating):
        return bool(np.isnan(value))
    return may_be_missing(type(value))


def may_be_missing(kind: type) -> bool:
    """Say whether an object of a type may be a null."""
    return (
        kind is type(None)
        or issubclass(kind, float | np.floating)
        or kind.__name__ in ("NAType", "NaTType")  # of pandas
    )


def _numpy_column(values: npt.NDArray[Any]) -> Column:
    if not values.ndim:
        raise _one_value(values)
    is_null = np.ma.getmaskarray(values) if isinstance(values, np.ma.MaskedArray) else None
    array = np.asarray(values)
    if array.dtype.kind not in "OT":
        return Column(array, is_null)
    if is_null is not None:
        array = array.astype(object)  # a copy
        array[is_null] = None
    return Column(array.reshape(-1).tolist(), array_shape=array.shape)


def _pandas_column(values: Any) -> Column:
    dtype = getattr(values, "dtype", None)
    if isinstance(dtype, np.dtype) or dtype is None:
        return _numpy_column(values.to_numpy())
    array = getattr(values, "array", values)
    if hasattr(array, "codes"):  # of categories
        codes = np.asarray(array.codes)
        return _take(as_column(array.categories), codes)
    if hasattr(array, "__arrow_array__") and (
        hasattr(dtype, "pyarrow_dtype") or getattr(dtype, "storage", None) == "pyarrow"
    ):
        return Column(array.__arrow_array__())
    if isinstance(
        getattr(dtype, "numpy_dtype", None), np.dtype
    ):  # Int64, Float64, boolean: values and a mask
        is_null = np.asarray(values.isna())
        dense = values.to_numpy(dtype=dtype.numpy_dtype, na_value=dtype.numpy_dtype.type(0))
        return Column(dense, is_null if is_null.any() else None)
    return _numpy_column(values.to_numpy())


def _take(column: Column, places: npt.NDArray[Any]) -> Column:
    """Return the values at some places of a column, with a null at a place below 0."""
    is_null = places < 0
    if is_arrow(column.values):
        column = Column(column.values.to_pylist())
    if column.is_list:
        with_null = np.empty(len(column.values) + 1, dtype=object)
        with_null[:-1] = column.values
        return Column(with_null[places].tolist())  # the null stands last, at -1
    if column.is_null is not None:
        is_null = is_null | column.is_null[places]
    if not len(column.values):
        return Column([None] * len(places))
    return Column(column.values[places], is_null if is_null.any() else None)


def _read_by_numpy(values: Any) -> npt.NDArray[Any]:
    try:
        return np.asarray(values)
    except (TypeError, ValueError, RuntimeError, BufferError) as error:
        raise InvalidTypeError(
            f"expected values that numpy reads, got a {type(values).__name__}: {str(error).splitlines()[0]}"
        ) from error


def _one_value(value: Any) -> InvalidTypeError:
    return InvalidTypeError(
        f"expected a sequence of values, got one {type(value).__name__}; put a single value in a list"
    )
