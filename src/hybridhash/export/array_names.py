"""The names of the arrays of a bundle in its file; the writer and the reader both take them from here."""

import re
from typing import Final

from hybridhash.errors import FileFormatError

FORMAT: Final = "hybridhash-bundle"
VERSION: Final = 3

DENSE: Final = "dense."
DISCRETISER: Final = "discretiser."

_ENTRIES: Final = {
    r"wide\.\d+\.(head\.\d+|tail)(\.scales)?": "wide_weights",
    r"deep\.\d+\.(head\.\d+|tail)\.scales": "scales",
    r"deep\.\d+\.head\.\d+": "head_rows",
    r"deep\.\d+\.tail": "tail_rows",
    r"dictionary\.\d+\..+": "dictionary",
    r"codes\.\d+\..+": "codes",
    r"dense\.\d+\.(weight|bias)": "dense_layers",
    r"discretiser\..+": "discretiser",
}


def rows_prefix(part: str, group: int) -> str:
    """Return what stands before the names of the rows of a group; ``part`` is ``deep`` or ``wide``."""
    return f"{part}.{group}."


def ledger_entry(name: str) -> str:
    """Return the entry of the ledger that a tensor's bytes count for.

    Args:
        name: A tensor's name in the file.

    Returns:
        A field of `hybridhash.spec.Ledger`.

    Raises:
        FileFormatError: A bundle has no tensor of that name.
    """
    for pattern, entry in _ENTRIES.items():
        if re.fullmatch(pattern, name, re.DOTALL):
            return entry
    raise FileFormatError(f"expected the name of an array of a bundle, got {name!r}")
