"""Divide the keys of a table into tiers so that a byte budget loses the least."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import accumulate, combinations, pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

from hybridhash.errors import BudgetError
from hybridhash.spec import EXACT, NOT_SHIPPED, TableSpec, Tier
from hybridhash.theory import Outlook, coding_loss, false_positive_rate, rounding_loss

Floats = npt.NDArray[np.float64]

PRIVATE_BITS: Final = (2, 3, 4)
BEST_BITS: Final = 8
CODEBOOK_BITS: Final = 4
CODE_BITS: Final = (2, 3, 4, 5, 6, 7, 8, 10, 12, 14)
IMPORTANCE: Final = "effect"
"""The measure that orders the keys, in `hybridhash.vocabulary.IMPORTANCE`."""

_LOAD: Final = 0.95
_SHORTEST: Final = 6  # bits of a fingerprint
_LONGEST: Final = 24
_PLACES_LOOKED_AT: Final = 16 * _LOAD
_FEWEST_KEYS: Final = 8  # of a tier
_ROUNDS: Final = 40
_STEP: Final = 2  # bits between two lengths of codes
_TINY: Final = 1e-300


@dataclass(frozen=True)
class Allocation:
    """Tiers, and what they are predicted to lose.

    Attributes:
        tiers: The most important keys first; the last one may be trained and not shipped.
        loss: Share of all ids' effects that is lost, in [0, 1].
        loss_by_tier: Of it, what rounding, codes and omission lose, tier by tier.
        loss_by_fingerprints: Of it, what keys lose that read a row of another.
    """

    tiers: tuple[Tier, ...]
    loss: float
    loss_by_tier: tuple[float, ...]
    loss_by_fingerprints: float


@dataclass(frozen=True)
class Offer:
    """A way to keep a key.

    Attributes:
        bits: Of a stored float; those of the shared rows with codes.
        code_bits: 0 for a row of its own.
    """

    bits: int
    code_bits: int = 0

    @property
    def loss(self) -> float:
        """Share of a key's effect that is lost."""
        return tier_loss(self.tier(1, EXACT))

    def tier(self, num_keys: int, key_bits: int) -> Tier:
        """Return a tier of keys kept this way."""
        return Tier(num_keys, self.bits, (1 << self.code_bits) if self.code_bits else 0, key_bits)


Offers = tuple[Offer, ...]


@dataclass(frozen=True)
class Table:
    """What a table must hold; the keys with the greatest effect come first.

    Attributes:
        weights: float64[N], falling: the effect of each key on the coming predictions, as a share of all effects.
        traffic: float64[N], occurrences that are expected of each, as a share of the coming traffic.
        unseen: Share of the coming traffic that has keys not among these.
        dim: D.
        wide: Whether each row carries a wide weight.
    """

    weights: Floats
    traffic: Floats
    unseen: float
    dim: int
    wide: bool

    @classmethod
    def of(cls, outlook: Outlook, dim: int, wide: bool) -> "Table":
        """Build it from what the keys are expected to do.

        Args:
            outlook: As `hybridhash.vocabulary.Counts.outlook` says it.
            dim: D.
            wide: Whether each row carries a wide weight.
        """
        coming = max(float(outlook.expected.sum()) + outlook.unseen, _TINY)
        effects = max(float(outlook.effect.sum()), _TINY)
        return cls(outlook.effect / effects, outlook.expected / coming, outlook.unseen / coming, dim, wide)

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

    def at_risk(self, first: int, last: int, shipped: int) -> float:
        """Return what is lost where every key that can be is taken for one of the ranks [first, last).

        Of two of these keys, the rarer one loses its effect. A later key loses its own, if it would be shipped, and
        gets the effect of a key drawn at random from these; so does a key that was never seen.

        Args:
            first: The first rank.
            last: Behind the last.
            shipped: Behind the last rank of all tiers that are shipped.
        """
        if last <= first:
            return 0.0
        _, _, by_rank, strength = (sums[last] - sums[first] for sums in self._sums)
        rarer = (by_rank - first * self.weight_of(first, last)) / (last - first)
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
        spec = table_of(tiers, self.dim)
        num_bytes = spec.ledger().embedding_bytes
        if self.wide:
            rows = spec.companion().ledger()
            num_bytes += rows.head_rows + rows.tail_rows + rows.scales
        return num_bytes

    def row_bits(self, offer: Offer) -> float:
        """Return the bits that one more key costs, without its fingerprint."""
        if offer.code_bits:
            return offer.code_bits / _LOAD
        pair = [self.spec_bytes([Tier(count, offer.bits, 0, 8)]) for count in (7600, 15200)]
        return 8.0 * (pair[1] - pair[0]) / 7600 - 8.0 / _LOAD


def table_of(tiers: Sequence[Tier], dim: int, seed: int = 0) -> TableSpec:
    """Return the table of a head in tiers, with one neutral row for all other keys.

    Args:
        tiers: The most important keys first.
        dim: D.
        seed: Of the bucket hashes.
    """
    shipped = tuple(tier for tier in tiers if tier.num_keys)
    return TableSpec(sum(tier.num_keys for tier in shipped), 1, dim, seed=seed, tiers=shipped)


def smallest_bytes(dim: int, wide: bool) -> int:
    """Return the bytes of a table that ships the neutral row alone."""
    return Table(np.ones(1), np.ones(1), 0.0, dim, wide).spec_bytes([])


def allocate(table: Table, budget_bytes: int) -> Allocation:
    """Find the tiers that lose the least at a budget.

    A key kept some way loses a share of its effect and costs bits. At a price per bit every key takes the way with the
    least loss plus cost; as effects fall with the rank of a key, the ways are ranges of ranks. The price is
    found by bisection, so that the bytes meet the budget, for every number of codes and bits on offer.

    Args:
        table: What must be held.
        budget_bytes: For rows, scales, dictionaries, codes and wide weights.

    Returns:
        The tiers, their predicted loss.

    Raises:
        BudgetError: The budget does not hold the neutral row.
    """
    return alternatives(table, budget_bytes)[0]


def alternatives(table: Table, budget_bytes: int) -> list[Allocation]:
    """Return the best tiers for each number of codes and bits on offer, by rising loss; see `allocate`.

    Raises:
        BudgetError: The budget does not hold the neutral row.
    """
    least = smallest_bytes(table.dim, table.wide)
    if budget_bytes < least:
        raise BudgetError(
            f"budget: expected at least {least} bytes, one row for all keys, got {budget_bytes}; raise the budget"
        )
    singles = [_at_best_price(table, offers, budget_bytes) for offers in _menus()]
    best = min(singles, key=lambda found: found[0].loss)
    pairs = [_at_best_price(table, offers, budget_bytes) for offers in _pairs(best[1])]
    different = {allocation.tiers: allocation for allocation, _ in [*singles, *pairs]}
    return sorted(different.values(), key=lambda allocation: allocation.loss)


def _menus() -> Iterator[Offers]:
    """Yield the sets of ways that are tried first, the dearest first: rows of one's own, and codes of one length."""
    for bits in PRIVATE_BITS:
        private = (Offer(BEST_BITS), Offer(bits))
        yield private
        for code_bits in CODE_BITS:
            yield (*private, Offer(CODEBOOK_BITS, code_bits))


def _pairs(best: Offers) -> Iterator[Offers]:
    """Yield sets with the private rows of the best one, and codes of two lengths."""
    private = tuple(offer for offer in best if not offer.code_bits)
    for long, short in combinations(reversed(CODE_BITS), 2):
        if long - short >= _STEP:
            yield (*private, Offer(CODEBOOK_BITS, long), Offer(CODEBOOK_BITS, short))


def _at_best_price(table: Table, offers: Offers, budget_bytes: int) -> tuple[Allocation, Offers]:
    costs = [table.row_bits(offer) for offer in offers]
    cheap, dear = -60.0, 0.0  # powers of two of the price: at the dear end nothing is bought
    tiers: list[Tier] = []
    for _ in range(_ROUNDS):
        middle = (cheap + dear) / 2
        tried = _at_price(table, offers, costs, 2.0**middle)
        if table.spec_bytes(tried) <= budget_bytes:
            dear, tiers = middle, tried
        else:
            cheap = middle
    filled = _filled_up(table, tiers, offers, budget_bytes)
    return judge(table, _with_longer_keys(table, filled, budget_bytes)), offers


def _at_price(table: Table, offers: Offers, costs: Sequence[float], price: float) -> list[Tier]:
    """Return what every key takes at a price per bit."""
    key_bits = [16] * len(offers)
    tiers: list[Tier] = []
    for _ in range(2):  # fingerprints cost bits too; their length follows from the tiers
        with_keys = [cost + bits / _LOAD for cost, bits in zip(costs, key_bits, strict=True)]
        counts = _takers(table, [offer.loss for offer in offers], with_keys, price)
        tiers = [offer.tier(count, bits) for offer, count, bits in zip(offers, counts, key_bits, strict=True)]
        risks = _risks(table, tiers)
        key_bits = [_key_bits(tier, risk, price) for tier, risk in zip(tiers, risks, strict=True)]
    return [
        offer.tier(tier.num_keys, bits) for offer, tier, bits in zip(offers, tiers, key_bits, strict=True)
    ]


def _takers(table: Table, losses: Sequence[float], costs: Sequence[float], price: float) -> list[int]:
    """Return how many keys take each way, when the last one is to leave a key out.

    Args:
        table: What must be held.
        losses: Share of it that each way loses.
        costs: Bits of each way, falling.
        price: Of a bit.

    Returns:
        The takers of each way: a range of ranks behind those of the way before.
    """
    counts = []
    done = 0
    for place, (loss, cost) in enumerate(zip(losses, costs, strict=True)):
        reach = table.num_keys
        cheaper = zip([*losses[place + 1 :], 1.0], [*costs[place + 1 :], 0.0], strict=True)
        for cheaper_loss, cheaper_cost in cheaper:
            gain, extra = cheaper_loss - loss, price * (cost - cheaper_cost)
            reach = min(reach, table.reach(extra / gain)) if gain > 0 else 0
        count = max(reach - done, 0)
        counts.append(count if count >= _FEWEST_KEYS else 0)
        done += counts[-1]
    return counts


def _key_bits(tier: Tier, risk: float, price: float) -> int:
    """Return the length at which one more bit of every fingerprint costs what it saves."""
    if not tier.num_keys:
        return 8
    saved = risk * _PLACES_LOOKED_AT * math.log(2) * _LOAD / (price * tier.num_keys)
    return min(max(round(math.log2(max(saved, 1.0))), _SHORTEST), _LONGEST)


def _risks(table: Table, tiers: Sequence[Tier]) -> list[float]:
    """Return for each tier what is lost where every key that can be is taken for one of it."""
    bounds = [0, *accumulate(tier.num_keys for tier in tiers)]
    shipped = sum(tier.num_keys for tier in tiers if tier.bits != NOT_SHIPPED)
    return [table.at_risk(first, last, max(shipped, last)) for first, last in pairwise(bounds)]


def _with_longer_keys(table: Table, tiers: list[Tier], budget_bytes: int) -> list[Tier]:
    """Spend the bytes that are left on fingerprints, bit by bit where a bit saves most."""
    tiers = list(tiers)
    risks = _risks(table, tiers)

    def gain(place: int) -> float:
        bits = tiers[place].key_bits
        saved = false_positive_rate(bits, _LOAD) - false_positive_rate(bits + 1, _LOAD)
        return risks[place] * saved / tiers[place].num_positions

    while True:
        can = [place for place, tier in enumerate(tiers) if tier.num_keys and tier.key_bits < _LONGEST]
        for place in sorted(can, key=gain, reverse=True):
            longer = [*tiers]
            longer[place] = replace(tiers[place], key_bits=tiers[place].key_bits + 1)
            if table.spec_bytes(longer) <= budget_bytes:
                tiers = longer
                break
        else:
            return tiers


def _filled_up(table: Table, tiers: list[Tier], offers: Offers, budget_bytes: int) -> list[Tier]:
    """Give the bytes that are left to the last tier, then to the ones before.

    Some are left, as keys of equal counts move together.
    """
    for place in reversed(range(len(tiers))):
        taken = sum(tier.num_keys for tier in tiers)
        later = tiers[place + 1].num_keys if place + 1 < len(tiers) else table.num_keys - taken
        low, high = 0, later
        while low < high:
            middle = (low + high + 1) // 2
            if table.spec_bytes(_moved(tiers, offers, place, middle)) <= budget_bytes:
                low = middle
            else:
                high = middle - 1
        tiers = _moved(tiers, offers, place, low)
    return tiers


def _moved(tiers: list[Tier], offers: Offers, place: int, count: int) -> list[Tier]:
    """Return the tiers with keys moved into one of them from the next, or from those that are left out."""
    moved = list(tiers)
    moved[place] = offers[place].tier(tiers[place].num_keys + count, tiers[place].key_bits)
    if place + 1 < len(tiers):
        following = tiers[place + 1]
        moved[place + 1] = offers[place + 1].tier(following.num_keys - count, following.key_bits)
    return moved


def judge(table: Table, tiers: Sequence[Tier]) -> Allocation:
    """Predict what tiers lose.

    Args:
        table: What is held.
        tiers: The most important keys first; keys behind the last tier are trained and not shipped.

    Returns:
        The tiers that have keys, and their predicted loss.
    """
    left = max(table.num_keys - sum(tier.num_keys for tier in tiers), 0)
    kept = [tier for tier in [*tiers, Tier(left, NOT_SHIPPED)] if tier.num_keys]
    bounds = [0, *accumulate(tier.num_keys for tier in kept)]
    losses = [
        tier_loss(tier) * table.weight_of(first, last)
        for tier, (first, last) in zip(kept, pairwise(bounds), strict=True)
    ]
    by_fingerprints = sum(
        risk * false_positive_rate(tier.key_bits, _LOAD)
        for tier, risk in zip(kept, _risks(table, kept), strict=True)
        if tier.bits != NOT_SHIPPED and tier.key_bits != EXACT
    )
    return Allocation(tuple(kept), sum(losses) + by_fingerprints, tuple(losses), by_fingerprints)


def tier_loss(tier: Tier) -> float:
    """Return the share of a key's effect that is lost in a tier."""
    if tier.bits == NOT_SHIPPED:
        return 1.0
    by_code = coding_loss(tier.code_bits) if tier.num_codes else 0.0
    return min(by_code + rounding_loss(tier.bits), 1.0)
