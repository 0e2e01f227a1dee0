from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize

from hybridhash.report.placement import Mark, place_marks, spread_out

positions = st.lists(st.floats(-100, 100), min_size=1, max_size=6)


def mark(x: float, y: float, half: float = 5) -> Mark:
    return Mark(x, y, y - half, y + half)


@given(positions, st.floats(0, 30))
def test_spread_out_keeps_the_gap_and_the_order(at: list[float], gap: float) -> None:
    moved = spread_out(at, gap)
    order = np.argsort(at, kind="stable")
    assert all(upper - lower >= gap - 1e-9 for lower, upper in pairwise(np.array(moved)[order]))
    if all(upper - lower >= gap for lower, upper in pairwise(np.array(at)[order])):
        assert moved == pytest.approx(at)


@pytest.mark.parametrize("at", [[0.0, 1.0, 2.0], [5.0, 0.0, 5.5, 30.0], [3.0, 3.0, 3.0, 3.0, 9.0]])
def test_spread_out_moves_as_little_as_possible(at: list[float]) -> None:
    # The same least-squares problem solved by scipy.
    order = np.argsort(at, kind="stable")
    gaps = {"type": "ineq", "fun": lambda x: np.diff(x[order]) - 4.0}
    solution = minimize(lambda x: ((x - at) ** 2).sum(), np.array(at), constraints=gaps, method="SLSQP")
    assert spread_out(at, 4.0) == pytest.approx(solution.x, abs=1e-4)


def test_a_lone_mark_stays_with_its_name_to_the_right() -> None:
    (place,) = place_marks([mark(50, 50)], label_width=60, line_height=12)
    assert (place.shift, place.label_x, place.label_y, place.to_left) == (0, 8, 0, False)


def test_marks_that_cover_each_other_stand_side_by_side_from_the_highest() -> None:
    low, high, far = place_marks([mark(50, 50), mark(51, 55), mark(50, 90)], label_width=60, line_height=12)
    assert (low.shift, high.shift, far.shift) == (-5, 5, 0) or (high.shift, low.shift, far.shift) == (
        -5,
        5,
        0,
    )
    assert low.label_x == high.label_x == 13


def test_bars_that_touch_through_a_third_are_one_group() -> None:
    places = place_marks([mark(0, 0, 10), mark(0, 60, 10), mark(0, 30, 15)], label_width=60, line_height=12)
    assert [place.shift for place in places] == [10, -10, 0]


def test_a_name_goes_left_where_the_next_mark_is_near() -> None:
    places = place_marks([mark(0, 0), mark(40, 0), mark(200, 0)], label_width=60, line_height=12)
    assert [place.to_left for place in places] == [True, False, False]
    assert places[0].label_x == -8


def test_names_of_one_column_do_not_overlap() -> None:
    marks = [mark(0, y, 0) for y in (0, 1, 2, 100)]
    places = place_marks(marks, label_width=60, line_height=12)
    heights = sorted(m.y + place.label_y for m, place in zip(marks, places, strict=True))
    assert heights == pytest.approx([-11, 1, 13, 100])
