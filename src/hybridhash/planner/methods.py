"""All methods: those that a budget alone lays out, and the planner's, which looks at the counts."""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from hybridhash.errors import InvalidValueError
from hybridhash.planner.tiers import IMPORTANCE, Table, allocate, table_of
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
    if demand.outlook is None:
        raise InvalidValueError(
            "outlook: expected what each key will do, got none; the planner works from it: give lambda: counts.outlook"
        )
    found = allocate(Table.of(demand.outlook(), demand.dim, demand.wide), demand.budget_bytes)
    return replace(table_of(found.tiers, demand.dim), seed=demand.seed)


METHODS: Final[Mapping[str, Method]] = MappingProxyType(
    {
        **OF_A_BUDGET,
        "auto": Method(
            "auto",
            "the planner's choice: rows of 8 to 2 bits, shared rows for rare keys, a dictionary of fingerprints",
            True,
            _auto,
            IMPORTANCE,
        ),
    }
)
