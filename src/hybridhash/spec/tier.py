"""A part of the head: how its keys are known, how its rows are stored, and whether keys share them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from hybridhash.errors import InvalidValueError
from hybridhash.hashing import EXACT, Dictionary, dictionary_of
from hybridhash.packing import FLOAT_BITS, ROW_BITS, packed_bytes, scale_bytes
from hybridhash.spec.ledger import Ledger

NOT_SHIPPED: Final = 0
MAX_CODES: Final = 1 << 16


@dataclass(frozen=True)
class Tier:
    """Some keys of the head, of about equal importance.

    Attributes:
        num_keys: Keys.
        bits: The bits of a stored float: 32, or 8, 4, 3 or 2 with a scale per block (`hybridhash.packing`). With 0
            the tier is trained and not shipped: its keys have rows of their own while the model learns, so that they
            disturb no other row, and read the tail once it serves.
        num_codes: 0: every key has a row of its own. Otherwise that many rows, and every key has a code that
            says which of them it reads: the rows and codes are found by clustering the trained rows.
        dictionary: How the shipped table knows the keys: the keys themselves, fingerprints, or a ribbon, which holds
            the codes (`hybridhash.hashing.Dictionary`).

    Raises:
        InvalidValueError: A number out of range.
    """

    num_keys: int
    bits: int = FLOAT_BITS
    num_codes: int = 0
    dictionary: Dictionary = EXACT

    def __post_init__(self) -> None:
        if self.num_keys < 0:
            raise InvalidValueError(f"num_keys: expected 0 or more, got {self.num_keys}")
        if self.bits not in (NOT_SHIPPED, *ROW_BITS):
            raise InvalidValueError(f"bits: expected {NOT_SHIPPED} or one of {ROW_BITS}, got {self.bits}")
        if not (self.num_codes == 0 or 2 <= self.num_codes <= MAX_CODES):
            raise InvalidValueError(f"num_codes: expected 0, or 2 to {MAX_CODES}, got {self.num_codes}")
        if self.dictionary.holds_codes and not self.is_shipped:
            raise InvalidValueError(
                f"{self.dictionary.name}: expected a tier that is shipped, got bits={self.bits}"
            )
        self.dictionary.check(self.code_bits)

    @property
    def is_shipped(self) -> bool:
        """Whether the keys are in the table that is shipped."""
        return self.bits != NOT_SHIPPED

    @property
    def key_bits(self) -> int:
        """Bits that tell keys apart in the dictionary."""
        return self.dictionary.key_bits

    @property
    def num_positions(self) -> int:
        """Rows while the model is trained: a place in the dictionary for each."""
        return self.dictionary.in_training.num_positions(self.num_keys)

    @property
    def shipped_positions(self) -> int:
        """Places in the dictionary that is shipped."""
        return self.dictionary.num_positions(self.num_keys) if self.is_shipped else 0

    @property
    def num_rows(self) -> int:
        """Rows that are shipped."""
        return min(self.num_codes, self.shipped_positions) if self.num_codes else self.shipped_positions

    @property
    def code_bits(self) -> int:
        """Bits of a code; 0 without codes."""
        return (self.num_codes - 1).bit_length() if self.num_codes else 0

    @property
    def code_bytes(self) -> int:
        """Bytes of the codes, one per position, where the dictionary does not hold them."""
        coded = self.num_codes and self.is_shipped and not self.dictionary.holds_codes
        return packed_bytes(self.shipped_positions, self.code_bits) if coded else 0

    @property
    def dictionary_bytes(self) -> int:
        """Bytes of the dictionary."""
        return self.dictionary.num_bytes(self.num_keys, self.code_bits) if self.is_shipped else 0

    def as_dict(self) -> dict[str, Any]:
        """Return the fields by name, for JSON."""
        return {
            "num_keys": self.num_keys,
            "bits": self.bits,
            "num_codes": self.num_codes,
            "dictionary": self.dictionary.as_dict(),
        }

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> "Tier":
        """Build the tier that `as_dict` described.

        Raises:
            InvalidValueError: The fields describe no tier.
        """
        return cls(**{**fields, "dictionary": dictionary_of(**fields["dictionary"])})


def row_numbering(tiers: Sequence[Tier]) -> tuple[tuple[object, ...], ...]:
    """Return what tables must have in common to read the same rows, whatever the bits of a stored float."""
    return tuple((tier.num_keys, tier.dictionary, tier.num_codes, tier.is_shipped) for tier in tiers)


def slab_ledger(part: str, num_floats: int, bits: int) -> Ledger:
    """Return the bytes of some rows, and of their scales.

    Args:
        part: The field of the ledger that the rows belong to.
        num_floats: The number of floats in all rows.
        bits: The bits of a stored float.
    """
    if bits == NOT_SHIPPED:
        return Ledger()
    return Ledger(**{part: packed_bytes(num_floats, bits)}, scales=scale_bytes(num_floats, bits))
