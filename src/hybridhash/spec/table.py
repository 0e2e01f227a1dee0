"""What one embedding table is, in numbers."""

from dataclasses import asdict, dataclass, replace
from typing import Any, Final, Literal, get_args

from hybridhash.errors import InvalidValueError
from hybridhash.hashing import MAX_BUCKETS, dictionary_words, num_positions
from hybridhash.spec.ledger import Ledger

Combine = Literal["sum", "mean", "concat"]
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

    Raises:
        InvalidValueError: A number out of range, an unknown combine, or a ``concat`` whose hashes do
            not divide ``dim``.
    """

    num_head: int
    num_buckets: int
    dim: int
    num_hashes: int = 1
    combine: Combine = "sum"
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse numbers that describe no table."""
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

    @property
    def num_rows(self) -> int:
        """Rows of the table, head and tail."""
        return self.num_positions + self.num_buckets

    @property
    def num_positions(self) -> int:
        """Rows of the head: a few per cent more than it has keys, see `hybridhash.hashing.place_keys`."""
        return num_positions(self.num_head)

    @property
    def bucket_dim(self) -> int:
        """Floats in one tail row."""
        return self.dim // self.num_hashes if self.combine == "concat" else self.dim

    def ledger(self) -> Ledger:
        """Return the bytes of the rows and of the dictionary of head keys."""
        return Ledger(
            head_rows=self.num_positions * self.dim * FLOAT_BYTES,
            tail_rows=self.num_buckets * self.bucket_dim * FLOAT_BYTES,
            dictionary=dictionary_words(self.num_head) * KEY_BYTES,
        )

    def companion(self) -> "TableSpec":
        """Return the table of one weight per row that a wide part reads through the same row numbers.

        A key's weight is the combination of its rows' weights; where the vectors are concatenated, a
        single weight cannot be, and the mean is taken.
        """
        return replace(self, dim=1, combine="mean" if self.combine == "concat" else self.combine)

    def as_dict(self) -> dict[str, Any]:
        """Return the fields by name, for JSON."""
        return asdict(self)
