"""What one embedding table is, in numbers."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, get_args

from hybridhash.errors import InvalidValueError
from hybridhash.hashing import MAX_BUCKETS
from hybridhash.packing import FLOAT_BITS, ROW_BITS
from hybridhash.spec.ledger import Ledger
from hybridhash.spec.tier import NOT_SHIPPED, Tier, slab_ledger
from hybridhash.theory import Combine

COMBINES: Final = get_args(Combine)
FLOAT_BYTES: Final = 4
KEY_BYTES: Final = 8


@dataclass(frozen=True)
class TableSpec:
    """A head of rows of their own and a tail of shared rows: every method is a point in this space.

    Regular hashing has no head and one hash; double hashing two; frequency hashing a head and one;
    hybrid hashing a head and two (Zhang et al. 2020, sections 3.1-3.3). A full table has every key in
    the head and a tail of one row, which all unseen keys read.

    Attributes:
        num_head: K, keys with a row of their own.
        num_buckets: M, rows of the tail, in [1, 2**31].
        dim: D, floats in the vector of a key.
        num_hashes: H, tail rows that a key reads.
        combine: How a key's tail rows become its vector. With ``concat`` a tail row holds
            ``dim / num_hashes`` floats, and hash h fills chunk h of the vector.
        seed: Seed of the bucket hashes.
        tiers: The head in parts, the most important keys first, each with its dictionary and its format of rows;
            empty for one part of exact keys and float32 rows. While a model is trained, all rows are floats and
            every head key has one of its own; the formats, and which keys share a row, are those of the model
            that is shipped.
        tail_bits: Bits of a stored float of the tail.

    Raises:
        InvalidValueError: A number out of range, an unknown combine, a ``concat`` whose hashes do not divide
            ``dim``, or tiers that do not hold ``num_head`` keys.
    """

    num_head: int
    num_buckets: int
    dim: int
    num_hashes: int = 1
    combine: Combine = "sum"
    seed: int = 0
    tiers: tuple[Tier, ...] = ()
    tail_bits: int = FLOAT_BITS

    def __post_init__(self) -> None:
        if self.num_head < 0:
            raise InvalidValueError(f"num_head: expected 0 or more, got {self.num_head}")
        if not 1 <= self.num_buckets <= MAX_BUCKETS:
            raise InvalidValueError(f"num_buckets: expected an integer in [1, 2**31], got {self.num_buckets}")
        if self.dim < 1:
            raise InvalidValueError(f"dim: expected 1 or more, got {self.dim}")
        if self.num_hashes < 1:
            raise InvalidValueError(f"num_hashes: expected 1 or more, got {self.num_hashes}")
        if self.combine not in COMBINES:
            raise InvalidValueError(f"combine: expected one of {', '.join(COMBINES)}, got {self.combine!r}")
        if self.combine == "concat" and self.dim % self.num_hashes:
            raise InvalidValueError(
                f"combine='concat' gives each hash dim / num_hashes floats: expected a dim that {self.num_hashes} "
                f"divides, got {self.dim}"
            )
        if not 0 <= self.seed < 1 << 64:
            raise InvalidValueError(f"seed: expected an integer in [0, 2**64), got {self.seed}")
        if self.tiers and sum(tier.num_keys for tier in self.tiers) != self.num_head:
            raise InvalidValueError(
                f"tiers: expected {self.num_head} keys in all, as num_head says, got "
                f"{[tier.num_keys for tier in self.tiers]}"
            )
        if self.tail_bits not in ROW_BITS:
            raise InvalidValueError(f"tail_bits: expected one of {ROW_BITS}, got {self.tail_bits}")

    @property
    def num_rows(self) -> int:
        """Rows of the table as it is trained, head and tail."""
        return self.num_positions + self.num_buckets

    @property
    def num_positions(self) -> int:
        """Head rows as they are trained: a few per cent more than keys, see `hybridhash.hashing.place_keys`."""
        return sum(tier.num_positions for tier in self.head_tiers)

    @property
    def head_tiers(self) -> tuple[Tier, ...]:
        """The tiers of the head, with a head that was not divided as a single one."""
        return self.tiers or (Tier(self.num_head),)

    @property
    def is_packed(self) -> bool:
        """Whether the table that is shipped differs from the one that is trained, in its rows or who reads them."""
        return self.tail_bits != FLOAT_BITS or any(
            tier.bits != FLOAT_BITS or tier.num_codes for tier in self.head_tiers
        )

    @property
    def bucket_dim(self) -> int:
        """Floats in one tail row."""
        return self.dim // self.num_hashes if self.combine == "concat" else self.dim

    def ledger(self) -> Ledger:
        """Return the bytes that are shipped: rows, scales, codes and the dictionaries of head keys."""
        total = slab_ledger("tail_rows", self.num_buckets * self.bucket_dim, self.tail_bits)
        for tier in self.head_tiers:
            total += slab_ledger("head_rows", tier.num_rows * self.dim, tier.bits)
            total += Ledger(dictionary=tier.dictionary_bytes, codes=tier.code_bytes)
        return total

    def embedding_bytes(self, wide: bool = False) -> int:
        """Return the bytes that are shipped, with one wide weight beside every row or without."""
        weights = self.companion().ledger() if wide else Ledger()
        return self.ledger().embedding_bytes + weights.head_rows + weights.tail_rows + weights.scales

    def companion(self) -> "TableSpec":
        """Return the table of one weight per row that a wide part reads through the same row numbers.

        A key's weight is the combination of its rows' weights; where the vectors are concatenated, a
        single weight cannot be, and the mean is taken. Weights of rows of a few bits have more bits, see
        `companion_bits`: an error in one of them moves the prediction itself.
        """
        return replace(
            self,
            dim=1,
            combine="mean" if self.combine == "concat" else self.combine,
            tiers=tuple(replace(tier, bits=companion_bits(tier.bits)) for tier in self.tiers),
            tail_bits=companion_bits(self.tail_bits),
        )

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> "TableSpec":
        """Build the spec that `as_dict` described."""
        tiers = tuple(map(Tier.from_dict, fields.get("tiers", ())))
        return cls(**{**fields, "tiers": tiers})

    def as_dict(self) -> dict[str, Any]:
        """Return the fields by name, for JSON."""
        return {**vars(self), "tiers": [tier.as_dict() for tier in self.tiers]}


def companion_bits(bits: int) -> int:
    """Return the bits of a wide weight beside rows of ``bits``: 4 beside 2, 8 beside 3, 4 and 8."""
    if bits in (NOT_SHIPPED, FLOAT_BITS):
        return bits
    return 4 if bits == 2 else 8
