"""The methods: each turns what a table must serve, and may cost, into a table spec."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from hybridhash.errors import BudgetError, InvalidValueError
from hybridhash.hashing import dictionary_words, keys_that_fit, num_positions
from hybridhash.spec.table import FLOAT_BYTES, KEY_BYTES, Combine, TableSpec
from hybridhash.spec.tier import Tier
from hybridhash.theory import Outlook


@dataclass(frozen=True)
class Demand:
    """What a table must serve and may cost.

    Attributes:
        num_keys: N, distinct keys of the training span.
        num_features: Features that the table serves.
        dim: D, floats in the vector of a key.
        budget_bytes: Bytes for rows, dictionary and wide weights.
        wide: Whether each row also carries one wide weight.
        head_share: Share of the budget that goes to the head, for the methods that have one.
        num_hashes: Tail rows that a key reads under ``hybrid``; None for two, or for ``concat`` the largest
            of 8, 4, 2 and 1 that divides ``dim``.
        combine: How those rows become one vector under ``hybrid``.
        seed: Seed of the bucket hashes.
        outlook: Returns what each key is expected to do; None where only methods are asked that do not look at it.
        tiers: The tiers of a plan that was made before, for the method that follows one.

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
    outlook: Callable[[], Outlook] | None = field(default=None, compare=False, repr=False)
    tiers: tuple[Tier, ...] = ()

    def __post_init__(self) -> None:
        """Refuse numbers that no table can serve."""
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


@dataclass(frozen=True)
class Method:
    """A way to lay out a table.

    Attributes:
        name: As the user types it.
        summary: One line of help.
        budgeted: Whether the table keeps to ``Demand.budget_bytes``; the others are yardsticks.
        table: The layout.
        importance: The measure by which the head keys are chosen, a name in `hybridhash.vocabulary.IMPORTANCE`.
    """

    name: str
    summary: str
    budgeted: bool
    table: Callable[[Demand], TableSpec]
    importance: str = "frequency"


def baseline_buckets(num_keys: int) -> int:
    """Return the rows of the baseline: the next power of two at or above the number of keys."""
    return 1 << max(num_keys - 1, 0).bit_length()


def baseline_bytes(demand: Demand) -> int:
    """Return the embedding bytes of the baseline, which a budget in per cent is a share of."""
    return baseline_buckets(demand.num_keys) * demand.row_bytes()


def smallest_budget_bytes(demand: Demand) -> int:
    """Return the fewest bytes a table may have: one row for each feature it serves."""
    return demand.num_features * demand.row_bytes()


def _full(demand: Demand) -> TableSpec:
    return TableSpec(num_head=demand.num_keys, num_buckets=1, dim=demand.dim, seed=demand.seed)


def _baseline(demand: Demand) -> TableSpec:
    return TableSpec(
        num_head=0, num_buckets=baseline_buckets(demand.num_keys), dim=demand.dim, seed=demand.seed
    )


def _at_budget(demand: Demand, head_share: float, num_hashes: int, combine: Combine) -> TableSpec:
    smallest = smallest_budget_bytes(demand)
    if demand.budget_bytes < smallest:
        raise BudgetError(
            f"budget: expected at least {smallest} bytes (one row of {demand.row_bytes()} bytes for each of "
            f"{demand.num_features} features), got {demand.budget_bytes}; raise the budget or lower the dimension"
        )
    shape = TableSpec(0, 1, demand.dim, num_hashes, combine, demand.seed)  # refuses a bad combination
    bucket_bytes = demand.row_bytes(shape.bucket_dim)
    position_bytes = demand.row_bytes() + KEY_BYTES
    affordable = min(int(head_share * demand.budget_bytes), demand.budget_bytes - bucket_bytes) - KEY_BYTES
    num_head = min(demand.num_keys, keys_that_fit(max(affordable, 0) // position_bytes))
    head_bytes = num_positions(num_head) * demand.row_bytes() + dictionary_words(num_head) * KEY_BYTES
    num_buckets = (demand.budget_bytes - head_bytes) // bucket_bytes
    return TableSpec(num_head, num_buckets, demand.dim, num_hashes, combine, demand.seed)


def _hashed(demand: Demand) -> TableSpec:
    return _at_budget(demand, head_share=0, num_hashes=1, combine="sum")


def _double(demand: Demand) -> TableSpec:
    return _at_budget(demand, head_share=0, num_hashes=2, combine="sum")


def _frequency(demand: Demand) -> TableSpec:
    return _at_budget(demand, head_share=demand.head_share, num_hashes=1, combine="sum")


def _hybrid_sum(demand: Demand) -> TableSpec:
    return _at_budget(demand, head_share=demand.head_share, num_hashes=2, combine="sum")


def _hybrid(demand: Demand) -> TableSpec:
    if demand.num_hashes is not None:
        num_hashes = demand.num_hashes
    elif demand.combine == "concat":
        num_hashes = next(hashes for hashes in (8, 4, 2, 1) if demand.dim % hashes == 0)
    else:
        num_hashes = 2
    return _at_budget(demand, demand.head_share, num_hashes, demand.combine)


METHODS: Final[Mapping[str, Method]] = MappingProxyType(
    {
        method.name: method
        for method in (
            Method(
                "full", "one row per key of the training span, one neutral row for all others", False, _full
            ),
            Method(
                "baseline",
                "regular hashing into the next power of two at or above the number of keys",
                False,
                _baseline,
            ),
            Method("hashed", "every key reads one hashed row", True, _hashed),
            Method("double", "every key sums two hashed rows", True, _double),
            Method(
                "frequency",
                "frequent keys have their own rows, the rest read one hashed row",
                True,
                _frequency,
            ),
            Method(
                "hybrid-sum",
                "frequent keys have their own rows, the rest sum two hashed rows",
                True,
                _hybrid_sum,
            ),
            Method(
                "hybrid",
                "frequent keys have their own rows, the rest join several hashed chunks",
                True,
                _hybrid,
            ),
        )
    }
)
