import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridhash.data import Window, cut_windows
from hybridhash.errors import DataError, InvalidValueError


def test_windows_by_hand() -> None:
    times = np.array([0.0, 1.0, 9.0, 10.0, 18.9, 19.0, 20.0, 45.0, 46.0])
    assert cut_windows(times, 2, 10.0) == [
        Window(9.0, 2, 5),
        Window(19.0, 5, 7),
        Window(29.0, 7, 7),
        Window(39.0, 7, 9),
    ]
    assert cut_windows(times, 2, 10.0)[0].rows.tolist() == [2, 3, 4]
    assert cut_windows(times, 8, 10.0) == [Window(46.0, 8, 9)]


@given(
    st.lists(st.integers(0, 30), min_size=1, max_size=30),
    st.integers(0, 29),
    st.sampled_from([1.0, 2.5, 40.0]),
)
def test_every_row_is_in_the_window_of_its_time(values: list[int], first: int, length: float) -> None:
    times = np.sort(np.array(values, dtype=np.float64))
    first %= times.size
    try:
        windows = cut_windows(times, first, length)
    except DataError:
        assert (times[-1] - times[first]) / length + 1 > times.size - first
        return
    assert [row for window in windows for row in window.rows] == list(range(first, times.size))
    for window in windows:
        inside = times[window.first : window.end]
        assert ((inside >= window.start) & (inside < window.start + length)).all()
    assert windows[-1].num_rows > 0


def test_refuses_a_length_that_fits_no_rows() -> None:
    with pytest.raises(
        DataError,
        match=r"got 1,001 windows of 1 for 2 rows; use longer ones; numbers in a time column count as seconds",
    ):
        cut_windows(np.array([0.0, 1000.0]), 0, 1.0)
    for length in (0.0, -1.0, float("nan")):
        with pytest.raises(InvalidValueError, match="expected a length above 0"):
            cut_windows(np.array([0.0, 1000.0]), 0, length)
