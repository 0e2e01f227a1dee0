from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize

from hybridhash.report.placement import spread_out

positions = st.lists(st.floats(-100, 100), min_size=1, max_size=6)


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
