"""Windows: equal spans of time, one after another, in rows that stand in the order of time."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hybridhash.data.durations import unit_hint
from hybridhash.errors import DataError, InvalidValueError

Int64s = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Window:
    """The rows of a span of time.

    Attributes:
        start: Its first moment, in the unit of the times.
        first: Its first row.
        end: The row behind its last one; equal to ``first`` where no row falls into it.
    """

    start: float
    first: int
    end: int

    @property
    def num_rows(self) -> int:
        """How many rows fall into it."""
        return self.end - self.first

    @property
    def rows(self) -> Int64s:
        """The numbers of its rows, int64[num_rows]."""
        return np.arange(self.first, self.end, dtype=np.int64)


def cut_windows(times: npt.NDArray[np.float64], first_row: int, length: float) -> list[Window]:
    """Cut rows into windows of equal length, the first of which starts at the time of ``first_row``.

    The last window ends with the rows and may be filled only in part; one that no row falls into is there too.

    Args:
        times: float64[N], rising.
        first_row: The first row that is used, in [0, N).
        length: The length of a window, in the unit of the times.

    Returns:
        The windows in order; together they hold every row from ``first_row`` on, once.

    Raises:
        InvalidValueError: ``length`` is not above 0.
        DataError: There would be more windows than rows.

    Example:
        >>> [window.num_rows for window in cut_windows(np.array([0.0, 5.0, 6.0, 31.0]), 1, length=10)]
        [2, 0, 1]
    """
    if not length > 0:
        raise InvalidValueError(f"window: expected a length above 0, got {length}")
    start, num_rows = float(times[first_row]), times.size - first_row
    num_windows = int((float(times[-1]) - start) // length) + 1
    if num_windows > num_rows:
        raise DataError(
            f"window: expected a row or more in each on average, got {num_windows:,} windows of {length:g} for "
            f"{num_rows:,} rows; use longer ones; "
            f"{unit_hint(start, length) or 'numbers in a time column count as seconds'}"
        )
    starts = start + length * np.arange(num_windows)
    firsts = first_row + np.searchsorted(times[first_row:], starts, side="left")
    ends = [*firsts[1:].tolist(), times.size]
    return [Window(*window) for window in zip(starts.tolist(), firsts.tolist(), ends, strict=True)]
