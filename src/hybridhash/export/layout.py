"""The names that the parts of a bundle have in its file; writer and reader both read them here."""

import re
from typing import Final

from hybridhash.errors import FileFormatError

FORMAT: Final = "hybridhash-bundle"
VERSION: Final = 2

DENSE: Final = "dense."
DISCRETISER: Final = "discretiser."
SCALES: Final = ".scales"

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


def head_name(part: str, group: int, tier: int) -> str:
    """Name of the rows of a tier of a group; ``part`` is ``deep`` or ``wide``. Packed rows have `SCALES` beside."""
    return f"{part}.{group}.head.{tier}"


def tail_name(part: str, group: int) -> str:
    """Name of the tail rows of a group."""
    return f"{part}.{group}.tail"


def dictionary_name(dictionary: str, tier: int) -> str:
    """Name of the keys, fingerprints or ribbon of a tier of a dictionary."""
    return f"dictionary.{tier}.{dictionary}"


def codes_name(dictionary: str, tier: int) -> str:
    """Name of the codes of a tier of a dictionary."""
    return f"codes.{tier}.{dictionary}"


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
