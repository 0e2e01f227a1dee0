"""The kinds of dictionary by name: those of the library, and those that are registered from outside.

`docs/howto/add-a-dictionary.md` adds one.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from hybridhash.errors import InvalidValueError
from hybridhash.hashing.dictionary import Dictionary
from hybridhash.hashing.kinds import EXACT, ExactKeys, Fingerprints, Ribbon

_OURS: Final[Mapping[str, type[Dictionary]]] = {kind.name: kind for kind in (ExactKeys, Fingerprints, Ribbon)}
_KINDS: Final[dict[str, type[Dictionary]]] = dict(_OURS)

DICTIONARIES: Final[Mapping[str, type[Dictionary]]] = MappingProxyType(_KINDS)
"""The kinds by name."""


def register_dictionary(kind: type[Dictionary]) -> None:
    """Let tiers, files and plans name a kind of dictionary.

    Compiled look-ups do not read it: a table with such a tier is read by `Dictionary.find`.

    Args:
        kind: Made with its bits: ``kind(key_bits)``. It replaces a kind of the same name that was registered before.

    Raises:
        InvalidValueError: The name is that of a kind of the library, or has other characters than small letters.
    """
    _check_name(kind.name)
    _KINDS[kind.name] = kind


def remove_dictionary(name: str) -> None:
    """Forget a kind that `register_dictionary` made known.

    Raises:
        InvalidValueError: The name is that of a kind of the library.
    """
    _check_name(name)
    _KINDS.pop(name, None)


def _check_name(name: str) -> None:
    if name in _OURS or not re.fullmatch("[a-z]+", name):
        raise InvalidValueError(
            f"dictionary: expected a name of small letters other than {', '.join(_OURS)}, got {name!r}"
        )


def dictionary_of(name: str, key_bits: int) -> Dictionary:
    """Return a kind of dictionary by its name in a file.

    Args:
        name: A name in `DICTIONARIES`.
        key_bits: Its bits.

    Raises:
        InvalidValueError: There is no kind of that name, or it cannot have these bits.
    """
    if name not in DICTIONARIES:
        raise InvalidValueError(f"dictionary: expected one of {', '.join(DICTIONARIES)}, got {name!r}")
    return DICTIONARIES[name](key_bits)  # type: ignore[call-arg]


def dictionary_labelled(label: str) -> Dictionary:
    """Return a kind of dictionary by its label in a plan: ``64``, ``16`` (of a fingerprint) or ``ribbon5``.

    Args:
        label: The label from `Dictionary.label`.

    Raises:
        InvalidValueError: The label names no kind, or bits that are no number.

    Example:
        >>> dictionary_labelled("ribbon5"), dictionary_labelled("16"), dictionary_labelled("64").name
        (Ribbon(key_bits=5), Fingerprints(key_bits=16), 'exact')
    """
    name = label.rstrip("0123456789")
    digits = label[len(name) :]
    if not digits:
        raise InvalidValueError(f"dictionary: expected a label such as 16, 64 or ribbon5, got {label!r}")
    if not name:
        name = ExactKeys.name if label == EXACT.label else Fingerprints.name
    return dictionary_of(name, int(digits))
