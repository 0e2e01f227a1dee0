"""The kinds of dictionary, behind one face: what they cost, how they are built, how keys are found.

A dictionary says which keys belong to a tier of a table and which row each of them reads. This is the one place that
names the kinds; `docs/howto/add-a-dictionary.md` adds one from outside with `register_dictionary`.
"""

import math
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar, Final

import numpy as np
import numpy.typing as npt

from hybridhash.errors import InvalidValueError
from hybridhash.hashing.exact import Int64s, dictionary_words, find_positions, num_positions, place_keys
from hybridhash.hashing.fingerprints import (
    MAX_FINGERPRINT_BITS,
    MIN_FINGERPRINT_BITS,
    find_fingerprints,
    fingerprint_bytes,
    place_fingerprints,
)
from hybridhash.hashing.ribbon import (
    MAX_CHECK_BITS,
    MAX_RIBBON_BITS,
    build_ribbon,
    find_in_ribbon,
    ribbon_words,
)
from hybridhash.theory import false_positive_rate

Array = npt.NDArray[Any]
Codes = npt.NDArray[np.uint32]

LOAD: Final = 0.95
"""Share of the places of a dictionary of many keys that hold a key."""

_KEY_BITS: Final = 64


class Dictionary(ABC):
    """A kind of dictionary with its number of bits; immutable, compared by value.

    Attributes:
        name: The kind in files and in the registry `DICTIONARIES`.
        dtype: The type of the array of a dictionary.
        holds_codes: Whether the array maps a key to its code; otherwise it maps a key to a position.
        key_bits: Bits that tell keys apart: of a key, of a fingerprint, or check bits.
    """

    name: ClassVar[str]
    dtype: ClassVar[type[np.generic]]
    holds_codes: ClassVar[bool] = False
    key_bits: int

    @property
    def label(self) -> str:
        """The kind and its bits in the lines of a plan."""
        return f"{self.name}{self.key_bits}"

    @property
    def in_training(self) -> "Dictionary":
        """The dictionary of the same keys while a table is trained, when no key has a code yet.

        Where it is of another kind, the keys are put into this one when the table is packed.
        """
        return self

    @property
    def known_by(self) -> str:
        """How the keys are known, in the sentences of a plan."""
        return f"behind {self.name} keys"

    @abstractmethod
    def check(self, code_bits: int) -> None:
        """Refuse bits that this kind cannot have.

        Args:
            code_bits: Bits of the codes of the tier; 0 without codes.

        Raises:
            InvalidValueError: The bits are out of range.
        """

    def num_positions(self, num_keys: int) -> int:
        """Return the rows of ``num_keys`` keys, where each has one of its own: all positions are below it."""
        return num_positions(num_keys)

    @abstractmethod
    def length(self, num_keys: int, code_bits: int) -> int:
        """Return the length of the array that holds ``num_keys`` keys."""

    def num_bytes(self, num_keys: int, code_bits: int) -> int:
        """Return the bytes of the array that holds ``num_keys`` keys."""
        return self.length(num_keys, code_bits) * np.dtype(self.dtype).itemsize

    @abstractmethod
    def build(self, keys: Int64s, codes: Codes | None = None, code_bits: int = 0) -> Array:
        """Build the array.

        Args:
            keys: int64[K], distinct, the most important first.
            codes: uint32[K], the code of each key, for a kind that holds codes; other kinds do not read it.
            code_bits: Bits of a code.

        Returns:
            An array of `dtype` of `length`.

        Raises:
            InvalidValueError: The keys are not distinct.
        """

    @abstractmethod
    def find(self, keys: Int64s, array: Array, code_bits: int = 0) -> Int64s:
        """Look keys up.

        Args:
            keys: int64[N].
            array: The array from `build`.
            code_bits: Bits of a code.

        Returns:
            int64[N], the position of each key, or its code where the kind holds codes; -1 for a key that is not found.
        """

    @property
    @abstractmethod
    def misreading_rate(self) -> float:
        """Probability that a key is found which was not put in (a false positive)."""

    def with_bits(self, key_bits: int) -> "Dictionary":
        """Return this kind with other bits."""
        return dictionary_of(self.name, key_bits)

    def as_dict(self) -> dict[str, Any]:
        """Return name and bits, for JSON."""
        return {"name": self.name, "key_bits": self.key_bits}


@dataclass(frozen=True)
class ExactKeys(Dictionary):
    """The keys themselves, 8 bytes a position; see `hybridhash.hashing.place_keys`."""

    key_bits: int = _KEY_BITS

    name = "exact"
    dtype = np.int64

    @property
    def label(self) -> str:
        return str(_KEY_BITS)

    def check(self, code_bits: int) -> None:
        if self.key_bits != _KEY_BITS:
            raise InvalidValueError(f"key_bits: expected {_KEY_BITS} of exact keys, got {self.key_bits}")

    def length(self, num_keys: int, code_bits: int) -> int:
        return dictionary_words(num_keys)

    def build(self, keys: Int64s, codes: Codes | None = None, code_bits: int = 0) -> Array:
        return place_keys(keys)

    def find(self, keys: Int64s, array: Array, code_bits: int = 0) -> Int64s:
        return find_positions(keys, array)

    @property
    def misreading_rate(self) -> float:
        return 0.0


@dataclass(frozen=True)
class Fingerprints(Dictionary):
    """A few bits of a hash of each key; see `hybridhash.hashing.place_fingerprints`.

    A few keys that were not put in are found (false positives).

    Attributes:
        key_bits: The bits of a fingerprint, 4 to 32.
    """

    key_bits: int

    name = "fingerprints"
    dtype = np.uint8

    @property
    def label(self) -> str:
        return str(self.key_bits)

    @property
    def known_by(self) -> str:
        return f"behind fingerprints of {self.key_bits} bits"

    def check(self, code_bits: int) -> None:
        if not MIN_FINGERPRINT_BITS <= self.key_bits <= MAX_FINGERPRINT_BITS:
            raise InvalidValueError(
                f"key_bits: expected {_KEY_BITS} for exact keys, or {MIN_FINGERPRINT_BITS} to {MAX_FINGERPRINT_BITS} "
                f"for fingerprints, got {self.key_bits}"
            )

    def length(self, num_keys: int, code_bits: int) -> int:
        return fingerprint_bytes(num_keys, self.key_bits)

    def build(self, keys: Int64s, codes: Codes | None = None, code_bits: int = 0) -> Array:
        return place_fingerprints(keys, self.key_bits)

    def find(self, keys: Int64s, array: Array, code_bits: int = 0) -> Int64s:
        return find_fingerprints(keys, array, self.key_bits)

    @property
    def misreading_rate(self) -> float:
        return false_positive_rate(self.key_bits, LOAD)


@dataclass(frozen=True)
class Ribbon(Dictionary):
    """The code of each key and no keys, which takes the fewest bytes; see `hybridhash.hashing.build_ribbon`.

    While a table is trained, exact keys stand in its place: no key has a code yet.

    Attributes:
        key_bits: Check bits, 0 to 24: the share ``2**-key_bits`` of the keys that were not put in is found all the
            same.
    """

    key_bits: int

    name = "ribbon"
    dtype = np.int64
    holds_codes = True

    @property
    def in_training(self) -> Dictionary:
        return ExactKeys()

    @property
    def known_by(self) -> str:
        return f"in a ribbon with {self.key_bits} check bits"

    def check(self, code_bits: int) -> None:
        if not code_bits:
            raise InvalidValueError("ribbon: expected a tier that has codes, got one without")
        if not 0 <= self.key_bits <= min(MAX_CHECK_BITS, MAX_RIBBON_BITS - code_bits):
            raise InvalidValueError(
                f"key_bits: expected 0 to {MAX_CHECK_BITS} check bits of a ribbon, and at most {MAX_RIBBON_BITS} with "
                f"those of a code, got {self.key_bits} and {code_bits}"
            )

    def length(self, num_keys: int, code_bits: int) -> int:
        return ribbon_words(num_keys, code_bits + self.key_bits)

    def build(self, keys: Int64s, codes: Codes | None = None, code_bits: int = 0) -> Array:
        if codes is None:
            raise InvalidValueError("codes: expected the code of each key of a ribbon, got none")
        return build_ribbon(keys, codes, code_bits, self.key_bits)

    def find(self, keys: Int64s, array: Array, code_bits: int = 0) -> Int64s:
        return find_in_ribbon(keys, array, code_bits, self.key_bits)

    @property
    def misreading_rate(self) -> float:
        return math.ldexp(1.0, -self.key_bits)


EXACT: Final = ExactKeys()

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
