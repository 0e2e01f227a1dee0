"""From counts and a budget to specs, with reasons."""

from hybridhash.planner.budget import check_budget, parse_budget
from hybridhash.planner.methods import METHODS
from hybridhash.planner.plan import FeatureShares, Plan, plan
from hybridhash.planner.table import Allocation, Table, judge, table_of
from hybridhash.planner.text import read_plan, write_plan
from hybridhash.planner.tiers import allocate, alternatives, divide

__all__ = [
    "METHODS",
    "Allocation",
    "FeatureShares",
    "Plan",
    "Table",
    "allocate",
    "alternatives",
    "check_budget",
    "divide",
    "judge",
    "parse_budget",
    "plan",
    "read_plan",
    "table_of",
    "write_plan",
]
