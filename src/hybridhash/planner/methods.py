"""The methods: each turns what a table must serve, and may cost, into a table spec."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from hybridhash.errors import BudgetError, InvalidValueError
from hybridhash.hashing import dictionary_words, keys_that_fit, num_positions
from hybridhash.planner.demand import Demand, baseline_buckets, smallest_budget_bytes
from hybridhash.planner.division import at_one_price, in_proportion
from hybridhash.planner.forecast import IMPORTANCE, Forecast, table_of
from hybridhash.planner.tiers import allocate
from hybridhash.spec import KEY_BYTES, Combine, TableSpec


@dataclass(frozen=True)
class Method:
    """A way to give a table its rows at a budget.

    Attributes:
        name: The name as the user types it.
        summary: One line of help.
        budgeted: Whether the table keeps to ``Demand.budget_bytes``; the others are yardsticks.
        table: The function from a demand to the spec of the table.
        importance: The measure by which the head keys are chosen, a name in `hybridhash.vocabulary.IMPORTANCE`.
        divide: Divides a budget over several tables: takes their demands and the bytes, returns the bytes of each.
    """

    name: str
    summary: str
    budgeted: bool
    table: Callable[[Demand], TableSpec]
    importance: str = "frequency"
    divide: Callable[[Sequence[Demand], int], list[int]] = in_proportion


def _full(demand: Demand) -> TableSpec:
    return TableSpec(num_head=demand.num_keys, num_buckets=1, dim=demand.dim, seed=demand.seed)


def _baseline(demand: Demand) -> TableSpec:
    return TableSpec(
        num_head=0, num_buckets=baseline_buckets(demand.num_keys), dim=demand.dim, seed=demand.seed
    )


def _at_budget(demand: Demand, head_share: float, num_hashes: int, combine: Combine) -> TableSpec:
    smallest = smallest_budget_bytes(demand)
    if demand.budget_bytes < smallest:
        raise BudgetError(
            f"budget: expected at least {smallest} bytes (one row of {demand.row_bytes()} bytes for each of "
            f"{demand.num_features} features), got {demand.budget_bytes}; raise the budget or lower the dimension"
        )
    shape = TableSpec(0, 1, demand.dim, num_hashes, combine, demand.seed)  # refuses a bad combination
    bucket_bytes = demand.row_bytes(shape.bucket_dim)
    position_bytes = demand.row_bytes() + KEY_BYTES
    affordable = min(int(head_share * demand.budget_bytes), demand.budget_bytes - bucket_bytes) - KEY_BYTES
    num_head = min(demand.num_keys, keys_that_fit(max(affordable, 0) // position_bytes))
    head_bytes = num_positions(num_head) * demand.row_bytes() + dictionary_words(num_head) * KEY_BYTES
    num_buckets = (demand.budget_bytes - head_bytes) // bucket_bytes
    return TableSpec(num_head, num_buckets, demand.dim, num_hashes, combine, demand.seed)


def _hashed(demand: Demand) -> TableSpec:
    return _at_budget(demand, head_share=0, num_hashes=1, combine="sum")


def _double(demand: Demand) -> TableSpec:
    return _at_budget(demand, head_share=0, num_hashes=2, combine="sum")


def _frequency(demand: Demand) -> TableSpec:
    return _at_budget(demand, head_share=demand.head_share, num_hashes=1, combine="sum")


def _hybrid_sum(demand: Demand) -> TableSpec:
    return _at_budget(demand, head_share=demand.head_share, num_hashes=2, combine="sum")


def _hybrid(demand: Demand) -> TableSpec:
    if demand.num_hashes is not None:
        num_hashes = demand.num_hashes
    elif demand.combine == "concat":
        num_hashes = next(hashes for hashes in (8, 4, 2, 1) if demand.dim % hashes == 0)
    else:
        num_hashes = 2
    return _at_budget(demand, demand.head_share, num_hashes, demand.combine)


def _auto(demand: Demand) -> TableSpec:
    if demand.tiers:
        planned = sum(tier.num_keys for tier in demand.tiers)
        if planned != demand.num_keys:
            raise InvalidValueError(
                f"--plan: expected tiers of {demand.num_keys} keys in all, as the data has, got {planned}; plan again "
                "with hybridhash plan"
            )
        return table_of(demand.tiers, demand.dim, demand.seed)
    found = allocate(_forecast(demand), demand.budget_bytes)
    return table_of(found.tiers, demand.dim, demand.seed)


def _divide(demands: Sequence[Demand], budget_bytes: int) -> list[int]:
    return at_one_price(list(map(_forecast, demands)), budget_bytes)


def _forecast(demand: Demand) -> Forecast:
    if demand.counts is None:
        raise InvalidValueError(
            "counts: expected the counts of the training span, which the planner works from, got none"
        )
    return Forecast.of(demand.counts.outlook, demand.dim, demand.wide)


METHODS: Final[Mapping[str, Method]] = MappingProxyType(
    {
        method.name: method
        for method in (
            Method(
                "full", "one row per key of the training span, one neutral row for all others", False, _full
            ),
            Method(
                "baseline",
                "regular hashing into the next power of two at or above the number of keys",
                False,
                _baseline,
            ),
            Method("hashed", "every key reads one hashed row", True, _hashed),
            Method("double", "every key sums two hashed rows", True, _double),
            Method(
                "frequency",
                "frequent keys have their own rows, the rest read one hashed row",
                True,
                _frequency,
            ),
            Method(
                "hybrid-sum",
                "frequent keys have their own rows, the rest sum two hashed rows",
                True,
                _hybrid_sum,
            ),
            Method(
                "hybrid",
                "frequent keys have their own rows, the rest join several hashed chunks",
                True,
                _hybrid,
            ),
            Method(
                "auto",
                "the planner's choice: rows of 8 to 2 bits, shared rows for rare keys, a dictionary of fingerprints",
                True,
                _auto,
                IMPORTANCE,
                _divide,
            ),
        )
    }
)
