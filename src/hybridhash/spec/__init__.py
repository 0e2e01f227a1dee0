"""What a table is and what it costs; frozen dataclasses without torch."""

from hybridhash.spec.demand import Demand, baseline_buckets, baseline_bytes, smallest_budget_bytes
from hybridhash.spec.division import in_proportion
from hybridhash.spec.ledger import Ledger
from hybridhash.spec.methods import METHODS, Method
from hybridhash.spec.model import MODES, GroupSpec, Mode, ModelSpec
from hybridhash.spec.table import COMBINES, FLOAT_BYTES, KEY_BYTES, Combine, TableSpec
from hybridhash.spec.tier import NOT_SHIPPED, Tier, row_layout

__all__ = [
    "COMBINES",
    "FLOAT_BYTES",
    "KEY_BYTES",
    "METHODS",
    "MODES",
    "NOT_SHIPPED",
    "Combine",
    "Demand",
    "GroupSpec",
    "Ledger",
    "Method",
    "Mode",
    "ModelSpec",
    "TableSpec",
    "Tier",
    "baseline_buckets",
    "baseline_bytes",
    "in_proportion",
    "row_layout",
    "smallest_budget_bytes",
]
