"""What one table must serve and may cost, before it has a size."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from hybridhash.errors import InvalidValueError
from hybridhash.spec import FLOAT_BYTES, Combine, Tier
from hybridhash.vocabulary import Counts


@dataclass(frozen=True)
class MethodOptions:
    """What a user may choose of the methods.

    Attributes:
        head_share: Share of the budget for the head, of the methods that have one.
        num_hashes: Tail rows that a key reads under ``hybrid``; None for two, or for ``concat`` the largest
            of 8, 4, 2 and 1 that divides the dimension.
        combine: How those rows become one vector under ``hybrid``.
        tiers: Tiers of a plan that was made before, by the name of the dictionary, which ``auto`` follows; it plans
            those that are not there.

    """

    head_share: float = 0.3
    num_hashes: int | None = None
    combine: Combine = "concat"
    tiers: Mapping[str, tuple[Tier, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Demand:
    """What one table must serve and may cost.

    Attributes:
        num_keys: N, distinct keys of the training span.
        num_features: Features that the table serves.
        dim: D, floats in the vector of a key.
        budget_bytes: Bytes for rows, dictionary and wide weights.
        wide: Whether each row also carries one wide weight.
        head_share: The head share, as in `MethodOptions`.
        num_hashes: The number of hashes, as in `MethodOptions`.
        combine: The way to combine rows, as in `MethodOptions`.
        seed: Seed of the bucket hashes.
        counts: Counts of the keys; None where only methods are asked that do not look at them.
        tiers: Tiers of a plan that was made before, for the method that follows one.

    Raises:
        InvalidValueError: A number out of range.
    """

    num_keys: int
    num_features: int
    dim: int
    budget_bytes: int
    wide: bool = False
    head_share: float = 0.3
    num_hashes: int | None = None
    combine: Combine = "concat"
    seed: int = 0
    counts: Counts | None = field(default=None, compare=False, repr=False)
    tiers: tuple[Tier, ...] = ()

    def __post_init__(self) -> None:
        if self.num_keys < 0:
            raise InvalidValueError(f"num_keys: expected 0 or more, got {self.num_keys}")
        if self.num_features < 1:
            raise InvalidValueError(f"num_features: expected 1 or more, got {self.num_features}")
        if self.dim < 1:
            raise InvalidValueError(f"dim: expected 1 or more, got {self.dim}")
        if not 0 <= self.head_share < 1:
            raise InvalidValueError(f"head_share: expected a share in [0, 1), got {self.head_share}")

    def row_bytes(self, row_dim: int | None = None) -> int:
        """Bytes of one row of ``row_dim`` floats (default ``dim``) with its wide weight."""
        return FLOAT_BYTES * ((self.dim if row_dim is None else row_dim) + self.wide)


def baseline_buckets(num_keys: int) -> int:
    """Return the rows of the baseline: the next power of two at or above the number of keys."""
    return 1 << max(num_keys - 1, 0).bit_length()


def baseline_bytes(demand: Demand) -> int:
    """Return the embedding bytes of the baseline, which a budget in per cent is a share of."""
    return baseline_buckets(demand.num_keys) * demand.row_bytes()


def smallest_budget_bytes(demand: Demand) -> int:
    """Return the fewest bytes that a hashed table may have: one row for each feature it serves."""
    return demand.num_features * demand.row_bytes()
