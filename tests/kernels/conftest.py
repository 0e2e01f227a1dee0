"""What the tests of several engines share."""

from typing import Final

from hybridhash import optim
from hybridhash.optim import FusedOptimizer

OPTIMIZERS: Final[dict[str, type[FusedOptimizer]]] = {
    kind.rule: kind for kind in vars(optim).values() if hasattr(kind, "rule")
}
"""Every optimizer by the name of its rule."""
