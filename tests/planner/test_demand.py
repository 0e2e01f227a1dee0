"""What a table must serve: the bytes that follow from it, and the numbers that are none."""

from dataclasses import replace

import pytest

from hybridhash.errors import InvalidValueError
from hybridhash.planner import Demand, baseline_buckets, baseline_bytes, smallest_budget_bytes

DEMAND = Demand(num_keys=1000, num_features=3, dim=8, budget_bytes=4000)


@pytest.mark.parametrize(
    ("num_keys", "rows"),
    [(0, 1), (1, 1), (2, 2), (3, 4), (4, 4), (5, 8), (1023, 1024), (1024, 1024), (1025, 2048)],
)
def test_baseline_buckets_are_the_next_power_of_two(num_keys: int, rows: int) -> None:
    assert baseline_buckets(num_keys) == rows


@pytest.mark.parametrize(("wide", "row_bytes"), [(False, 32), (True, 36)])
def test_baseline_bytes_by_hand(wide: bool, row_bytes: int) -> None:
    demand = replace(DEMAND, wide=wide)
    assert demand.row_bytes() == row_bytes
    assert baseline_bytes(demand) == 1024 * row_bytes
    assert smallest_budget_bytes(demand) == 3 * row_bytes


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"num_keys": -1}, "num_keys: expected 0 or more, got -1"),
        ({"num_features": 0}, "num_features: expected 1 or more, got 0"),
        ({"dim": 0}, "dim: expected 1 or more, got 0"),
        ({"head_share": -0.01}, r"head_share: expected a share in \[0, 1\), got -0.01"),
        ({"head_share": 1.0}, "head_share: .* got 1.0"),
        ({"head_share": float("nan")}, "head_share: .* got nan"),
    ],
)
def test_what_is_no_demand(changes: dict[str, float], message: str) -> None:
    with pytest.raises(InvalidValueError, match=message):
        replace(DEMAND, **changes)  # type: ignore[arg-type]
