"""The plan of a table from counts and a budget, with what it is predicted to do and why."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from hybridhash.errors import InvalidValueError
from hybridhash.planner.budget import Budget
from hybridhash.planner.demand import Demand, baseline_bytes
from hybridhash.planner.forecast import IMPORTANCE, Allocation, Forecast, judge, table_of
from hybridhash.planner.groups import FeatureGroup
from hybridhash.planner.methods import METHODS
from hybridhash.planner.model import divide
from hybridhash.planner.text import format_loss
from hybridhash.planner.tiers import allocate
from hybridhash.spec import NOT_SHIPPED, TableSpec, Tier
from hybridhash.tables import Blueprint
from hybridhash.vocabulary import Counts, Vocabulary, recurrence


@dataclass(frozen=True)
class FeatureShares:
    """Where the coming traffic of a feature is predicted to go; the four shares add up to 1.

    Attributes:
        feature: Its name.
        num_keys: Distinct keys.
        exclusive: Keys with a row of their own.
        shared: Keys that read the row of their code.
        omitted: Keys that were seen and read the neutral row.
        unseen: Keys that were not seen; they read the neutral row as well.
    """

    feature: str
    num_keys: int
    exclusive: float
    shared: float
    omitted: float
    unseen: float


@dataclass(frozen=True)
class Plan:
    """One table, planned.

    Attributes:
        allocation: Its tiers and predicted losses.
        num_bytes: The bytes that ship, wide weights included.
        bytes_by_tier: The bytes of each tier; the rest is the neutral row.
        budget_bytes: The bytes that might ship.
        baseline_bytes: The bytes of regular hashing into as many rows as there are keys, or the next power of two.
        num_trained_rows: Rows while it is trained, in floats.
        blueprint: The table with its keys, the one with the greatest effect first; `hybridhash.EmbeddingBag` is built
            from it.
        features: Predicted shares, feature by feature.
        reasons: A sentence for each tier.
    """

    allocation: Allocation
    num_bytes: int
    bytes_by_tier: tuple[int, ...]
    budget_bytes: int
    baseline_bytes: int
    num_trained_rows: int
    blueprint: Blueprint
    features: tuple[FeatureShares, ...]
    reasons: tuple[str, ...]

    @property
    def spec(self) -> TableSpec:
        """The table in numbers."""
        return self.blueprint.spec

    @property
    def vocabulary(self) -> Vocabulary:
        """The keys of the head, the one with the greatest effect first."""
        return self.blueprint.vocabulary

    def __str__(self) -> str:
        """Say tiers, bytes and reasons in a few lines."""
        lines = [
            f"{self.num_bytes:,} bytes of {self.budget_bytes:,} allowed; the baseline has {self.baseline_bytes:,}",
            f"predicted loss {format_loss(self.allocation.loss)} of what ids add; "
            f"{self.num_trained_rows:,} rows in training",
        ]
        tiers = zip(self.bytes_by_tier, self.reasons, strict=True)
        return "\n".join([*lines, *(f"- {num_bytes:,} bytes: {reason}" for num_bytes, reason in tiers)])


def plan(
    counts: Counts,
    *,
    budget: str | int,
    dim: int = 16,
    wide: bool = False,
    seed: int = 0,
    tiers: Sequence[Tier] = (),
) -> Plan:
    """Plan one joint table for all counted features.

    Args:
        counts: How often each key occurs in the training span.
        budget: Bytes, or text such as ``10%`` (of the baseline), ``10%-of-full`` or ``40MB``.
        dim: D, floats in the vector of a key.
        wide: Whether each row also carries one wide weight.
        seed: The seed of the bucket hashes.
        tiers: Tiers to describe in place of the best ones.

    Returns:
        The plan; `hybridhash.EmbeddingBag` takes it, and ``print(plan)`` says its tiers, bytes and reasons.

    Raises:
        BudgetError: The budget cannot be read, is above the baseline, or holds no row.
        InvalidValueError: Tiers of more keys than were counted.

    Example:
        >>> import hybridhash as hh
        >>> found = hh.plan(hh.count("clicks.parquet", features=["user_id", "site"]), budget="5%")
        >>> found.num_bytes <= found.budget_bytes
        True
    """
    planned = sum(tier.num_keys for tier in tiers)
    if planned > counts.num_keys:
        raise InvalidValueError(
            f"tiers: expected at most {counts.num_keys} keys in all, as were counted, got {planned}; leave tiers out "
            "to have the best ones found"
        )
    demand = Demand(counts.num_keys, len(counts.feature_names), dim, 0, wide)
    baseline, full = baseline_bytes(demand), METHODS["full"].table(demand).embedding_bytes(wide)
    budget_bytes = Budget.parse(budget).in_bytes(baseline, full) if isinstance(budget, str) else budget
    forecast = Forecast.of(counts.outlook, dim, wide)
    found = judge(forecast, tiers) if tiers else allocate(forecast, budget_bytes)
    spec = replace(table_of(found.tiers, dim), seed=seed)
    blueprint = Blueprint.of_counts(spec, counts, IMPORTANCE)
    return Plan(
        allocation=found,
        num_bytes=forecast.spec_bytes(found.tiers),
        bytes_by_tier=tuple(map(forecast.tier_bytes, found.tiers)),
        budget_bytes=budget_bytes,
        baseline_bytes=baseline,
        num_trained_rows=spec.num_rows,
        blueprint=blueprint,
        features=_feature_shares(counts, blueprint.vocabulary, found.tiers),
        reasons=tuple(_reasons(forecast, found)),
    )


def plan_groups(
    groups: Sequence[FeatureGroup], budget_bytes: int, given: Mapping[str, Sequence[Tier]] | None = None
) -> dict[str, Plan]:
    """Plan tables that share a budget, which is divided as the method ``auto`` does it.

    Args:
        groups: The features of each table.
        budget_bytes: The bytes that all tables may take together.
        given: Tiers to describe in place of the best ones, by the name of the dictionary.

    Returns:
        The plans by the name of the dictionary.

    Raises:
        BudgetError: The budget is too small.
    """
    shares = divide("auto", groups, budget_bytes)
    return {
        group.dictionary: plan(
            group.counts,
            budget=share,
            dim=group.dim,
            wide=group.carries_wide,
            tiers=(given or {}).get(group.dictionary, ()),
        )
        for group, share in zip(groups, shares, strict=True)
    }


def _feature_shares(
    counts: Counts, vocabulary: Vocabulary, tiers: Sequence[Tier]
) -> tuple[FeatureShares, ...]:
    bounds = np.cumsum([tier.num_keys for tier in tiers])
    tier_of = np.searchsorted(bounds, vocabulary.lookup(counts.keys), side="right")
    kinds = np.array([_kind(tier) for tier in tiers] or [2])
    expected = recurrence(counts)
    shares = []
    for index, name in enumerate(counts.feature_names):
        mine = counts.feature == index
        kind = kinds[np.minimum(tier_of[mine], kinds.size - 1)]
        of_kind = np.append(np.bincount(kind, expected[mine], minlength=3), (counts.counts[mine] == 1).sum())
        of_all = (of_kind / max(float(of_kind.sum()), 1e-300)).tolist()
        shares.append(FeatureShares(name, int(mine.sum()), *of_all))
    return tuple(shares)


def _kind(tier: Tier) -> int:
    """Return 0 for rows of their own, 1 for shared rows, 2 for none."""
    if tier.bits == NOT_SHIPPED:
        return 2
    return 1 if tier.num_codes else 0


def _reasons(forecast: Forecast, found: Allocation) -> list[str]:
    """Say what each tier is for."""
    reasons = []
    first = 0
    for tier, share in zip(found.tiers, found.loss_by_tier, strict=True):
        part, loss = slice(first, first + tier.num_keys), format_loss(share)
        first += tier.num_keys
        traffic = float(forecast.traffic[part].sum())
        of_all = _share_of_effects(forecast.weights[part])
        head = (
            f"{tier.num_keys:,} keys with {traffic:.1%} of the coming traffic and {of_all} of what is learned"
        )
        if tier.bits == NOT_SHIPPED:
            reasons.append(
                f"{head}: left out when the model is shipped, as their bytes do more elsewhere; costs {loss}"
            )
        elif tier.num_codes:
            reasons.append(
                f"{head}: each reads one of {tier.num_rows:,} shared rows, by a code of {tier.code_bits} bits "
                f"{tier.dictionary.known_by}; loses {loss}"
            )
        else:
            reasons.append(
                f"{head}: rows of their own at {tier.bits} bits a float, {tier.dictionary.known_by}; loses {loss}"
            )
    return reasons


def _share_of_effects(weights: npt.NDArray[np.float64]) -> str:
    return f"{float(weights.sum()):.1%}"
