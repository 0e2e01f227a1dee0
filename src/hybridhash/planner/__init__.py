"""From counts and a budget to blueprints, with reasons."""

from hybridhash.planner.budget import Budget
from hybridhash.planner.demand import (
    Demand,
    MethodOptions,
    baseline_buckets,
    baseline_bytes,
    smallest_budget_bytes,
)
from hybridhash.planner.division import at_one_price, in_proportion
from hybridhash.planner.forecast import Allocation, Forecast, judge, table_of
from hybridhash.planner.groups import FeatureGroup, group_features
from hybridhash.planner.methods import METHODS, Method
from hybridhash.planner.model import ModelBlueprint, assemble, divide, lay_out, why_no_head
from hybridhash.planner.plan import FeatureShares, Plan, plan, plan_groups
from hybridhash.planner.text import format_loss, read_plan, write_plan
from hybridhash.planner.tiers import allocate, alternatives

__all__ = [
    "METHODS",
    "Allocation",
    "Budget",
    "Demand",
    "FeatureGroup",
    "FeatureShares",
    "Forecast",
    "Method",
    "MethodOptions",
    "ModelBlueprint",
    "Plan",
    "allocate",
    "alternatives",
    "assemble",
    "at_one_price",
    "baseline_buckets",
    "baseline_bytes",
    "divide",
    "format_loss",
    "group_features",
    "in_proportion",
    "judge",
    "lay_out",
    "plan",
    "plan_groups",
    "read_plan",
    "smallest_budget_bytes",
    "table_of",
    "why_no_head",
    "write_plan",
]
