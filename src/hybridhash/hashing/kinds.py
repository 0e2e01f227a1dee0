"""The kinds of dictionary that the library has: exact keys, fingerprints and ribbons."""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from hybridhash.errors import InvalidValueError
from hybridhash.hashing.dictionary import Array, Codes, Dictionary
from hybridhash.hashing.exact import Int64s, dictionary_words, find_positions, place_keys
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

LOAD: Final = 0.95
"""Share of the places of a dictionary of many keys that hold a key."""

_KEY_BITS: Final = 64


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
