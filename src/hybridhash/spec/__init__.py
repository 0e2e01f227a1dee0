"""What a table is and what it costs; frozen dataclasses without torch."""

from hybridhash.spec.ledger import Ledger
from hybridhash.spec.model import MODES, GroupSpec, Mode, ModelSpec
from hybridhash.spec.table import COMBINES, FLOAT_BYTES, KEY_BYTES, TableSpec
from hybridhash.spec.tier import NOT_SHIPPED, Tier, row_numbering
from hybridhash.theory import Combine

__all__ = [
    "COMBINES",
    "FLOAT_BYTES",
    "KEY_BYTES",
    "MODES",
    "NOT_SHIPPED",
    "Combine",
    "GroupSpec",
    "Ledger",
    "Mode",
    "ModelSpec",
    "TableSpec",
    "Tier",
    "row_numbering",
]
