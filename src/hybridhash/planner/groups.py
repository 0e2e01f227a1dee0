"""Which features share a table, and what such a table must serve, before it has a size."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from hybridhash.planner.demand import Demand, MethodOptions, baseline_bytes
from hybridhash.planner.methods import METHODS
from hybridhash.spec import Combine
from hybridhash.vocabulary import Counts

Part = Literal["deep", "wide"]
"""What reads a table: the hidden layers, or the wide part alone."""


@dataclass(frozen=True)
class FeatureGroup:
    """Features that share one table, before the table has a size.

    Attributes:
        part: What reads the table.
        dictionary: Name of its head keys.
        features: Names, in schema order.
        counts: The keys of these features in the training span.
        dim: D, floats in a vector.
        carries_wide: Whether each row also carries a wide weight.
    """

    part: Part
    dictionary: str
    features: tuple[str, ...]
    counts: Counts
    dim: int
    carries_wide: bool

    def demand(self, budget_bytes: int, options: MethodOptions | None = None, seed: int = 0) -> Demand:
        """Say what the table must serve, and may cost.

        Args:
            budget_bytes: For rows, dictionary and wide weights.
            options: Choices of the user; the defaults if not given.
            seed: Seed of the bucket hashes.
        """
        chosen = options or MethodOptions()
        return Demand(
            num_keys=self.counts.num_keys,
            num_features=len(self.features),
            dim=self.dim,
            budget_bytes=budget_bytes,
            wide=self.carries_wide,
            head_share=chosen.head_share,
            num_hashes=chosen.num_hashes,
            combine=self.combine(chosen.combine),
            seed=seed,
            counts=self.counts,
            tiers=tuple(chosen.tiers.get(self.dictionary, ())),
        )

    def combine(self, wanted: Combine) -> Combine:
        """Return how hashed rows become one vector: chunks of a single weight cannot be joined."""
        return "mean" if self.dim == 1 and wanted == "concat" else wanted

    @property
    def baseline_bytes(self) -> int:
        """Bytes of the table hashed into as many rows as it has keys, or the next power of two."""
        return baseline_bytes(self.demand(0))

    @property
    def full_bytes(self) -> int:
        """Bytes of the table with a row for every key, its dictionary included."""
        return METHODS["full"].table(self.demand(0)).embedding_bytes(self.carries_wide)


def group_features(
    counts: Counts,
    features: Sequence[str],
    crosses: Sequence[str] = (),
    *,
    dim: int,
    wide: bool,
    joint: bool = True,
) -> tuple[FeatureGroup, ...]:
    """Group the features of a model into tables.

    The wide part has one weight on every row of the tables that the hidden layers read. Where crosses are for the wide
    part alone, it has tables of its own, over all features and crosses.

    Args:
        counts: The keys of the training span.
        features: Names that the hidden layers read, in schema order.
        crosses: Names that the wide part alone reads, behind them in the schema.
        dim: D, floats in a vector.
        wide: Whether the model has a wide part.
        joint: Whether all features share one table; otherwise each has its own.

    Returns:
        The deep tables and, where the wide part stands apart, the wide ones.
    """

    def groups(part: Part, names: Sequence[str], dim: int, carries_wide: bool) -> list[FeatureGroup]:
        sets = {"joint": tuple(names)} if joint else {name: (name,) for name in names}
        return [
            FeatureGroup(part, f"{part}:{title}", of_table, counts.restrict(of_table), dim, carries_wide)
            for title, of_table in sets.items()
        ]

    apart = bool(crosses)
    return (
        *groups("deep", features, dim, carries_wide=wide and not apart),
        *(groups("wide", [*features, *crosses], 1, carries_wide=False) if apart else []),
    )
