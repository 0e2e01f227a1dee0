"""What the keys of a table will do, and what tiers of them are predicted to lose."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import accumulate, pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

from hybridhash.spec import NOT_SHIPPED, TableSpec, Tier
from hybridhash.theory import coding_loss, rounding_loss
from hybridhash.vocabulary import Outlook

Floats = npt.NDArray[np.float64]

IMPORTANCE: Final = "effect"
"""The measure that orders the keys, in `hybridhash.vocabulary.IMPORTANCE`."""

LEAST_UNSEEN: Final = 0.05
"""Least share of the coming traffic that is expected to have new keys. Counts predict more of the same traffic, and
what is served is often other traffic (new users, another day). Check bits against new keys cost little; without any,
every new key would read the row of some other key."""

_TINY: Final = 1e-300


@dataclass(frozen=True)
class Allocation:
    """Tiers, and what they are predicted to lose.

    Attributes:
        tiers: The most important keys first; the last one may be trained and not shipped.
        loss: Share of all ids' effects that is lost, in [0, 1].
        loss_by_tier: The part of the loss that rounding, codes and omission make, tier by tier.
        loss_by_fingerprints: The part of the loss of keys that read the row of another key.
    """

    tiers: tuple[Tier, ...]
    loss: float
    loss_by_tier: tuple[float, ...]
    loss_by_fingerprints: float


@dataclass(frozen=True)
class Forecast:
    """What the keys of one table will do, as shares of all; the keys with the greatest effect come first.

    Attributes:
        weights: float64[N], falling: the effect of each key on the coming predictions, as a share of all effects.
        traffic: float64[N], occurrences that are expected of each, as a share of the coming traffic.
        unseen: Share of the coming traffic that has keys not among these.
        dim: D.
        wide: Whether each row carries a wide weight.
        total: All effects together, which say how much this table matters beside others.
    """

    weights: Floats
    traffic: Floats
    unseen: float
    dim: int
    wide: bool
    total: float = 1.0

    @classmethod
    def of(cls, outlook: Outlook, dim: int, wide: bool) -> "Forecast":
        """Build it from what the keys are expected to do, and at least `LEAST_UNSEEN` of new keys.

        Args:
            outlook: What the keys are expected to do, from `hybridhash.vocabulary.Counts.outlook`.
            dim: D.
            wide: Whether each row carries a wide weight.
        """
        coming = max(float(outlook.expected.sum()) + outlook.unseen, _TINY)
        effects = max(float(outlook.effect.sum()), _TINY)
        unseen = max(outlook.unseen / coming, LEAST_UNSEEN)
        return cls(outlook.effect / effects, outlook.expected / coming, unseen, dim, wide, effects)

    @property
    def num_keys(self) -> int:
        """N."""
        return self.weights.size

    def weight_of(self, first: int, last: int) -> float:
        """Return the weights of the keys of ranks [first, last) together."""
        return float(self._sums[0][last] - self._sums[0][first])

    def traffic_of(self, first: int, last: int) -> float:
        """Return the traffic of the keys of ranks [first, last) together."""
        return float(self._sums[1][last] - self._sums[1][first])

    def at_risk(self, first: int, last: int, shipped: int, holds_codes: bool = False) -> float:
        """Return what is lost where every key that can be is taken for one of the ranks [first, last).

        Of two of these keys, the rarer one loses its effect. A later key loses its own, if it would be shipped, and
        gets the effect of a key drawn at random from these; so does a key that was never seen.

        Args:
            first: The first rank.
            last: Behind the last.
            shipped: Behind the last rank of all tiers that are shipped.
            holds_codes: Whether the dictionary holds the codes of these keys, so that none is taken for another.
        """
        if last <= first:
            return 0.0
        _, _, by_rank, strength = (sums[last] - sums[first] for sums in self._sums)
        rarer = 0.0 if holds_codes else (by_rank - first * self.weight_of(first, last)) / (last - first)
        strangers = self.traffic_of(last, self.num_keys) + self.unseen
        return float(rarer + self.weight_of(last, shipped) + strangers * strength / (last - first))

    def reach(self, least: float) -> int:
        """Return how many keys weigh at least so much."""
        return int(np.searchsorted(self._rising, -least, side="right"))

    @cached_property
    def _rising(self) -> Floats:
        return -self.weights

    @cached_property
    def _sums(self) -> tuple[Floats, ...]:
        """Running sums [N + 1] of weights, traffic, weights times rank, and weights by traffic."""
        ranks = np.arange(self.num_keys)
        columns = (
            self.weights,
            self.traffic,
            self.weights * ranks,
            self.weights / np.maximum(self.traffic, _TINY),
        )
        return tuple(np.concatenate([[0.0], np.cumsum(column)]) for column in columns)

    def spec_bytes(self, tiers: Sequence[Tier]) -> int:
        """Return the bytes that a table of these tiers ships, wide weights included."""
        return _spec_bytes((), self.dim, self.wide) + sum(map(self.tier_bytes, tiers))

    def tier_bytes(self, tier: Tier) -> int:
        """Return the bytes that a tier ships: dictionary, codes, rows and wide weights."""
        if not tier.num_keys:
            return 0
        return _spec_bytes((tier,), self.dim, self.wide) - _spec_bytes((), self.dim, self.wide)


@lru_cache(1 << 14)  # a search asks for the same tiers over and over
def _spec_bytes(tiers: tuple[Tier, ...], dim: int, wide: bool) -> int:
    return table_of(tiers, dim).embedding_bytes(wide)


def table_of(tiers: Sequence[Tier], dim: int, seed: int = 0) -> TableSpec:
    """Return the table of a head in tiers, with one neutral row for all other keys.

    Args:
        tiers: The most important keys first.
        dim: D.
        seed: The seed of the bucket hashes.
    """
    shipped = tuple(tier for tier in tiers if tier.num_keys)
    return TableSpec(sum(tier.num_keys for tier in shipped), 1, dim, seed=seed, tiers=shipped)


def smallest_bytes(dim: int, wide: bool) -> int:
    """Return the bytes of a table that ships the neutral row alone."""
    return Forecast(np.ones(1), np.ones(1), 0.0, dim, wide).spec_bytes([])


def judge(forecast: Forecast, tiers: Sequence[Tier]) -> Allocation:
    """Predict what tiers lose.

    Args:
        forecast: What the keys will do.
        tiers: The most important keys first; keys behind the last tier are trained and not shipped.

    Returns:
        The tiers that have keys, and their predicted loss.
    """
    left = max(forecast.num_keys - sum(tier.num_keys for tier in tiers), 0)
    kept = [tier for tier in [*tiers, Tier(left, NOT_SHIPPED)] if tier.num_keys]
    bounds = [0, *accumulate(tier.num_keys for tier in kept)]
    losses = [
        tier_loss(tier) * forecast.weight_of(first, last)
        for tier, (first, last) in zip(kept, pairwise(bounds), strict=True)
    ]
    by_fingerprints = sum(
        risk * tier.dictionary.misreading_rate
        for tier, risk in zip(kept, risks(forecast, kept), strict=True)
        if tier.bits != NOT_SHIPPED
    )
    return Allocation(tuple(kept), sum(losses) + by_fingerprints, tuple(losses), by_fingerprints)


def tier_loss(tier: Tier) -> float:
    """Return the share of a key's effect that is lost in a tier."""
    if tier.bits == NOT_SHIPPED:
        return 1.0
    by_code = coding_loss(tier.code_bits) if tier.num_codes else 0.0
    return min(by_code + rounding_loss(tier.bits), 1.0)


def risks(forecast: Forecast, tiers: Sequence[Tier]) -> list[float]:
    """Return for each tier what is lost where every key that can be is taken for one of it.

    Args:
        forecast: What the keys will do.
        tiers: The most important keys first.
    """
    bounds = [0, *accumulate(tier.num_keys for tier in tiers)]
    shipped = sum(tier.num_keys for tier in tiers if tier.bits != NOT_SHIPPED)
    return [
        forecast.at_risk(first, last, max(shipped, last), tier.dictionary.holds_codes)
        for tier, (first, last) in zip(tiers, pairwise(bounds), strict=True)
    ]
