"""A plan as text, one line a table, for experiment files and the command line; losses as people read them."""

import math
import re
from collections.abc import Mapping, Sequence
from typing import Final

from hybridhash.errors import InvalidValueError
from hybridhash.hashing import dictionary_labelled
from hybridhash.spec import Tier

_TIER: Final = re.compile(r"(\d+)/(\d+)(?:x(\d+))?/([a-z]*\d+)")


def write_plan(tables: Mapping[str, Sequence[Tier]]) -> tuple[str, ...]:
    """Return a line for each table: its name, and ``keys/bits/key bits`` of each tier.

    With codes it is ``bits x codes``, and where a ribbon holds them ``ribbon`` stands before its check bits.

    Args:
        tables: The tiers of each dictionary by its name.

    Example:
        >>> from hybridhash.hashing import Fingerprints, Ribbon
        >>> own, shared, omitted = Tier(22, 8, 0, Fingerprints(16)), Tier(900, 4, 128, Ribbon(5)), Tier(50, 0)
        >>> write_plan({"deep:joint": [own, shared, omitted]})
        ('deep:joint = 22/8/16 900/4x128/ribbon5 50/0/64',)
    """
    return tuple(f"{name} = {' '.join(map(_write, tiers))}" for name, tiers in tables.items())


def read_plan(lines: Sequence[str]) -> dict[str, tuple[Tier, ...]]:
    """Read what `write_plan` wrote.

    Args:
        lines: One for each table.

    Returns:
        The tiers by the name of the dictionary.

    Raises:
        InvalidValueError: A line that cannot be read, or numbers that describe no tier.
    """
    return dict(map(_read, lines))


def _write(tier: Tier) -> str:
    codes = f"x{tier.num_codes}" if tier.num_codes else ""
    return f"{tier.num_keys}/{tier.bits}{codes}/{tier.dictionary.label}"


def _read(line: str) -> tuple[str, tuple[Tier, ...]]:
    name, equals, rest = line.rpartition(" = ")
    tiers = [_TIER.fullmatch(text) for text in rest.split()]
    if not equals or not tiers or None in tiers:
        raise InvalidValueError(
            f"--plan: expected a line such as 'deep:joint = 22/8/16 900/4x128/ribbon5', got {line!r}; hybridhash plan "
            "writes them"
        )
    return name.strip(), tuple(
        Tier(int(found[1]), int(found[2]), int(found[3] or 0), dictionary_labelled(found[4]))
        for found in tiers
        if found
    )


def format_loss(share: float) -> str:
    """Return a loss in per cent with two significant digits or more, so that a small one is not called none.

    Args:
        share: In [0, 1].

    Example:
        >>> [format_loss(share) for share in (0.1234, 0.0012, 0.0000035, 0.0)]
        ['12.34%', '0.12%', '0.00035%', '0%']
    """
    if share <= 0:
        return "0%"
    digits = max(2, 1 - math.floor(math.log10(100 * share)))
    return f"{100 * share:.{digits}f}%"
