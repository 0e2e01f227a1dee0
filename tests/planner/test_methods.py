"""The methods spend a budget to within a row of it and never over it."""

import re
from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from hybridhash.errors import BudgetError, InvalidValueError
from hybridhash.planner import METHODS, Demand, smallest_budget_bytes
from hybridhash.spec import Combine, TableSpec

BUDGETED = ["hashed", "double", "frequency", "hybrid-sum", "hybrid"]
DEMAND = Demand(num_keys=1000, num_features=3, dim=8, budget_bytes=4000, seed=5)

demands = st.builds(
    Demand,
    num_keys=st.integers(0, 10_000),
    num_features=st.integers(1, 5),
    dim=st.sampled_from([2, 3, 4, 8, 16, 24]),
    budget_bytes=st.integers(0, 10**6),
    wide=st.booleans(),
    head_share=st.floats(0, 1, exclude_max=True),
    combine=st.sampled_from(["sum", "mean", "concat"]),
    seed=st.integers(0, 2**64 - 1),
)


def spent_bytes(table: TableSpec, demand: Demand) -> int:
    """Bytes of rows, dictionary and wide weights, counted row by row; a dictionary ends with its salt."""
    per_head = 4 * table.dim + 8 + 4 * demand.wide
    per_bucket = 4 * table.bucket_dim + 4 * demand.wide
    positions = (
        8 * (-(-5 * table.num_head // 38) + 2) if table.num_head else 0
    )  # 7.6 keys in 8, 2 buckets more
    return positions * per_head + 8 * (positions > 0) + table.num_buckets * per_bucket


def test_the_names() -> None:
    assert list(METHODS) == ["full", "baseline", *BUDGETED, "auto"]
    assert [name for name, method in METHODS.items() if method.budgeted] == [*BUDGETED, "auto"]
    assert all(method.name == name and method.summary for name, method in METHODS.items())


def test_the_yardsticks_ignore_the_budget() -> None:
    demand = replace(DEMAND, budget_bytes=0)
    assert METHODS["full"].table(demand) == TableSpec(1000, 1, 8, seed=5)
    assert METHODS["baseline"].table(demand) == TableSpec(0, 1024, 8, seed=5)


@pytest.mark.parametrize(
    ("name", "table"),
    [
        ("hashed", TableSpec(0, 125, 8, seed=5)),
        ("double", TableSpec(0, 125, 8, 2, "sum", seed=5)),
        ("frequency", TableSpec(7, 94, 8, seed=5)),
        ("hybrid-sum", TableSpec(7, 94, 8, 2, "sum", seed=5)),
        ("hybrid", TableSpec(7, 758, 8, 8, "concat", seed=5)),
    ],
)
def test_tables_by_hand(name: str, table: TableSpec) -> None:
    """4000 bytes: 125 rows of 32. Or a head of at most 1200, of which 8 are the salt: 1192 // 40 = 29 positions,
    so 3 lines of 8, which 7 keys fill, and 4000 - 8 - 24 * 40 = 3032 bytes of rows of 32 or 4.
    """
    assert METHODS[name].table(DEMAND) == table


def test_the_head_holds_no_more_than_all_keys() -> None:
    demand = replace(DEMAND, num_keys=7, head_share=0.9)
    assert METHODS["hybrid-sum"].table(demand) == TableSpec(
        7, (4000 - 8 - 24 * 40) // 32, 8, 2, "sum", seed=5
    )


@pytest.mark.parametrize(("dim", "num_hashes"), [(16, 8), (8, 8), (12, 4), (6, 2), (3, 1), (1, 1)])
def test_hybrid_takes_the_most_chunks_that_divide(dim: int, num_hashes: int) -> None:
    table = METHODS["hybrid"].table(replace(DEMAND, dim=dim))
    assert (table.num_hashes, table.combine) == (num_hashes, "concat")


@pytest.mark.parametrize(
    ("num_hashes", "combine", "table"),
    [
        (None, "sum", TableSpec(7, 94, 8, 2, "sum", seed=5)),
        (None, "mean", TableSpec(7, 94, 8, 2, "mean", seed=5)),
        (4, "sum", TableSpec(7, 94, 8, 4, "sum", seed=5)),
        (4, "concat", TableSpec(7, 379, 8, 4, "concat", seed=5)),
    ],
)
def test_hybrid_does_as_it_is_told(num_hashes: int | None, combine: Combine, table: TableSpec) -> None:
    assert METHODS["hybrid"].table(replace(DEMAND, num_hashes=num_hashes, combine=combine)) == table


@pytest.mark.parametrize("name", BUDGETED)
@given(demand=demands)
def test_the_budget_is_kept_and_used_up_to_one_row(name: str, demand: Demand) -> None:
    assume(demand.budget_bytes >= smallest_budget_bytes(demand))
    table = METHODS[name].table(demand)
    assert demand.budget_bytes - demand.row_bytes() < spent_bytes(table, demand) <= demand.budget_bytes
    assert table.num_head <= demand.num_keys
    assert table.seed == demand.seed


@pytest.mark.parametrize("name", BUDGETED)
@given(demand=demands)
def test_the_smallest_budget_is_named_and_works(name: str, demand: Demand) -> None:
    smallest = smallest_budget_bytes(demand)
    with pytest.raises(BudgetError, match="raise the budget or lower the dimension") as caught:
        METHODS[name].table(replace(demand, budget_bytes=smallest - 1))
    named = re.search(r"at least (\d+) bytes", str(caught.value))
    assert named is not None
    table = METHODS[name].table(replace(demand, budget_bytes=int(named[1])))
    assert spent_bytes(table, demand) <= smallest


@pytest.mark.parametrize(
    ("num_hashes", "combine", "message"),
    [(3, "concat", "a dim that 3 divides, got 8"), (0, "sum", "num_hashes: expected 1 or more, got 0")],
)
def test_hashes_that_make_no_table_are_refused(num_hashes: int, combine: Combine, message: str) -> None:
    with pytest.raises(InvalidValueError, match=message):
        METHODS["hybrid"].table(replace(DEMAND, num_hashes=num_hashes, combine=combine))
