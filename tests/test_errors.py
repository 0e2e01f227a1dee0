"""Every error is what `hybridhash.errors` promises."""

import builtins

from hybridhash import errors
from hybridhash.errors import HybridHashError


def test_each_is_also_the_built_in_that_a_programmer_expects() -> None:
    """So that ``except ValueError`` goes on working."""
    ours = [kind for kind in vars(errors).values() if isinstance(kind, type) and kind is not HybridHashError]
    assert ours
    for kind in ours:
        ours_first, built_in = kind.__bases__
        assert ours_first is HybridHashError
        assert built_in is getattr(builtins, built_in.__name__)
        assert built_in is not Exception
