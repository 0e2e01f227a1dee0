"""The names that the parts of a bundle have in its file; writer and reader both read them here."""

import re
from typing import Final

from hybridhash.errors import FileFormatError

FORMAT: Final = "hybridhash-bundle"
VERSION: Final = 3

DENSE: Final = "dense."
DISCRETISER: Final = "discretiser."

_PARTS: Final = {
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


def ledger_part(name: str) -> str:
    """Return the part of the ledger that a tensor's bytes belong to.

    Args:
        name: A tensor's name in the file.

    Returns:
        A field of `hybridhash.spec.Ledger`.

    Raises:
        FileFormatError: A bundle has no tensor of that name.
    """
    for pattern, part in _PARTS.items():
        if re.fullmatch(pattern, name, re.DOTALL):
            return part
    raise FileFormatError(f"expected the name of a part of a bundle, got {name!r}")
