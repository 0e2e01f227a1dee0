"""A part of the head: how its keys are known, how its rows are stored, and whether keys share them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from hybridhash.errors import InvalidValueError
from hybridhash.hashing import (
    MAX_CHECK_BITS,
    MAX_FINGERPRINT_BITS,
    MAX_RIBBON_BITS,
    MIN_FINGERPRINT_BITS,
    dictionary_words,
    fingerprint_bytes,
    num_positions,
    ribbon_words,
)
from hybridhash.packing import FLOAT_BITS, ROW_BITS, packed_bytes, scale_bytes
from hybridhash.spec.ledger import Ledger

EXACT: Final = 64
NOT_SHIPPED: Final = 0
MAX_CODES: Final = 1 << 16


@dataclass(frozen=True)
class Tier:
    """Some keys of the head, of about equal importance.

    Attributes:
        num_keys: Keys.
        bits: Of a stored float: 32, or 8, 4, 3, 2 or 1 with a scale per block (`hybridhash.packing`). With 0 the
            tier is trained and not shipped: its keys have rows of their own while the model learns, so that they
            disturb no other row, and read the tail once it serves.
        num_codes: 0: every key has a row of its own. Otherwise that many rows, and every key has a code that
            says which of them it reads: the rows and codes are found by clustering the trained rows.
        key_bits: 64: the dictionary holds the keys. Fewer: it holds fingerprints of so many bits
            (`hybridhash.hashing.place_fingerprints`), and a few keys that are not in it read a row of it.
        ribbon: Whether the dictionary that is shipped holds codes and no keys, which takes the fewest bytes
            (`hybridhash.hashing.build_ribbon`); ``key_bits`` are its check bits, 0 to 24. While the model learns, the
            dictionary of such a tier holds the keys.

    Raises:
        InvalidValueError: A number out of range.
    """

    num_keys: int
    bits: int = FLOAT_BITS
    num_codes: int = 0
    key_bits: int = EXACT
    ribbon: bool = False

    def __post_init__(self) -> None:
        """Refuse numbers that describe no tier."""
        if self.num_keys < 0:
            raise InvalidValueError(f"num_keys: expected 0 or more, got {self.num_keys}")
        if self.bits not in (NOT_SHIPPED, *ROW_BITS):
            raise InvalidValueError(f"bits: expected {NOT_SHIPPED} or one of {ROW_BITS}, got {self.bits}")
        if not (self.num_codes == 0 or 2 <= self.num_codes <= MAX_CODES):
            raise InvalidValueError(f"num_codes: expected 0, or 2 to {MAX_CODES}, got {self.num_codes}")
        if self.ribbon:
            self._check_ribbon()
        elif self.key_bits != EXACT and not MIN_FINGERPRINT_BITS <= self.key_bits <= MAX_FINGERPRINT_BITS:
            raise InvalidValueError(
                f"key_bits: expected {EXACT} for exact keys, or {MIN_FINGERPRINT_BITS} to {MAX_FINGERPRINT_BITS} "
                f"for fingerprints, got {self.key_bits}"
            )

    def _check_ribbon(self) -> None:
        if not self.num_codes or self.bits == NOT_SHIPPED:
            raise InvalidValueError(
                "ribbon: expected a tier that is shipped and has codes, got "
                f"bits={self.bits}, num_codes={self.num_codes}"
            )
        if not 0 <= self.key_bits <= min(MAX_CHECK_BITS, MAX_RIBBON_BITS - self.code_bits):
            raise InvalidValueError(
                f"key_bits: expected 0 to {MAX_CHECK_BITS} check bits of a ribbon, and at most {MAX_RIBBON_BITS} with "
                f"those of a code, got {self.key_bits} and {self.code_bits}"
            )

    @property
    def num_positions(self) -> int:
        """Places in the dictionary, and rows while the model is trained."""
        return num_positions(self.num_keys)

    @property
    def key_bits_in_training(self) -> int:
        """Bits of a key in the dictionary while the model is trained, when no key has a code yet."""
        return EXACT if self.ribbon else self.key_bits

    @property
    def num_rows(self) -> int:
        """Rows that are shipped."""
        if self.bits == NOT_SHIPPED:
            return 0
        return min(self.num_codes, self.num_positions) if self.num_codes else self.num_positions

    @property
    def code_bits(self) -> int:
        """Bits of a code; 0 without codes."""
        return (self.num_codes - 1).bit_length() if self.num_codes else 0

    @property
    def code_bytes(self) -> int:
        """Bytes of the codes, one per position, where the dictionary does not hold them."""
        coded = self.num_codes and self.bits != NOT_SHIPPED and not self.ribbon
        return packed_bytes(self.num_positions, self.code_bits) if coded else 0

    @property
    def dictionary_bytes(self) -> int:
        """Bytes of the dictionary."""
        if self.bits == NOT_SHIPPED:
            return 0
        if self.ribbon:
            return 8 * ribbon_words(self.num_keys, self.code_bits + self.key_bits)
        if self.key_bits == EXACT:
            return 8 * dictionary_words(self.num_keys)
        return fingerprint_bytes(self.num_keys, self.key_bits)


def row_layout(tiers: Sequence[Tier]) -> tuple[tuple[int, ...], ...]:
    """Return what tables must have in common to read the same rows, whatever the bits of a stored float."""
    return tuple(
        (tier.num_keys, tier.key_bits, tier.num_codes, tier.ribbon, tier.bits == NOT_SHIPPED)
        for tier in tiers
    )


def slab_ledger(part: str, num_floats: int, bits: int) -> Ledger:
    """Return the bytes of some rows, and of their scales.

    Args:
        part: The field of the ledger that the rows belong to.
        num_floats: In all rows.
        bits: Of a stored float.
    """
    if bits == NOT_SHIPPED:
        return Ledger()
    return Ledger(**{part: packed_bytes(num_floats, bits)}, scales=scale_bytes(num_floats, bits))
