"""The names that the parts of a bundle have in its file; writer and reader both read them here."""

from typing import Final

FORMAT: Final = "hybridhash-bundle"
VERSION: Final = 1

DICTIONARY: Final = "dictionary."
DENSE: Final = "dense."
DISCRETISER: Final = "discretiser."


def head_name(part: str, group: int) -> str:
    """Name of the head rows of a group; ``part`` is ``deep`` or ``wide``."""
    return f"{part}.{group}.head"


def tail_name(part: str, group: int) -> str:
    """Name of the tail rows of a group."""
    return f"{part}.{group}.tail"


def ledger_part(name: str) -> str:
    """Return the part of the ledger that a tensor's bytes belong to.

    Args:
        name: A tensor's name in the file.

    Returns:
        A field of `hybridhash.spec.Ledger`.
    """
    if name.startswith("wide."):
        return "wide_weights"
    if name.startswith("deep."):
        return "head_rows" if name.endswith(".head") else "tail_rows"
    prefixes = {DICTIONARY: "dictionary", DENSE: "dense_layers", DISCRETISER: "discretiser"}
    return next(part for prefix, part in prefixes.items() if name.startswith(prefix))
