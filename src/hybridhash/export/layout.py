"""The names that the parts of a bundle have in its file; writer and reader both read them here."""

import re
from typing import Final

from hybridhash.errors import FileFormatError

FORMAT: Final = "hybridhash-bundle"
VERSION: Final = 1

DICTIONARY: Final = "dictionary."
DENSE: Final = "dense."
DISCRETISER: Final = "discretiser."

_PARTS: Final = {
    r"wide\.\d+\.(head|tail)": "wide_weights",
    r"deep\.\d+\.head": "head_rows",
    r"deep\.\d+\.tail": "tail_rows",
    r"dictionary\..+": "dictionary",
    r"dense\.\d+\.(weight|bias)": "dense_layers",
    r"discretiser\..+": "discretiser",
}


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

    Raises:
        FileFormatError: A bundle has no tensor of that name.
    """
    for pattern, part in _PARTS.items():
        if re.fullmatch(pattern, name, re.DOTALL):
            return part
    raise FileFormatError(f"expected the name of a part of a bundle, got {name!r}")
