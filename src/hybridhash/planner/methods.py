"""All methods: those that a budget alone lays out, and the planner's, which looks at the counts."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from hybridhash.errors import InvalidValueError
from hybridhash.planner.table import IMPORTANCE, Table, table_of
from hybridhash.planner.tiers import allocate, divide
from hybridhash.spec import METHODS as OF_A_BUDGET
from hybridhash.spec import Demand, Method, TableSpec


def _auto(demand: Demand) -> TableSpec:
    if demand.tiers:
        planned = sum(tier.num_keys for tier in demand.tiers)
        if planned != demand.num_keys:
            raise InvalidValueError(
                f"--plan: expected tiers of {demand.num_keys} keys in all, as the data has, got {planned}; plan again "
                "with hybridhash plan"
            )
        return table_of(demand.tiers, demand.dim, demand.seed)
    found = allocate(_held(demand), demand.budget_bytes)
    return table_of(found.tiers, demand.dim, demand.seed)


def _divide(demands: Sequence[Demand], budget_bytes: int) -> list[int]:
    return divide([_held(demand) for demand in demands], budget_bytes)


def _held(demand: Demand) -> Table:
    """Return what a table must hold."""
    if demand.outlook is None:
        raise InvalidValueError(
            "outlook: expected what each key will do, got none; the planner works from it: give lambda: counts.outlook"
        )
    return Table.of(demand.outlook(), demand.dim, demand.wide)


METHODS: Final[Mapping[str, Method]] = MappingProxyType(
    {
        **OF_A_BUDGET,
        "auto": Method(
            "auto",
            "the planner's choice: rows of 8 to 2 bits, shared rows for rare keys, a dictionary of fingerprints",
            True,
            _auto,
            IMPORTANCE,
            _divide,
        ),
    }
)
