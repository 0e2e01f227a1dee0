"""How long work on data tells its caller how far it is."""

from collections.abc import Callable

OnStage = Callable[[str, int, int | None], None]
"""Called with the name of the stage, how much is done, and out of how much (None: unknown)."""
