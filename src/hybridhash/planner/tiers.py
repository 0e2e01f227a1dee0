"""Divide the keys of a table into tiers so that a byte budget loses the least."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Final

from hybridhash.errors import BudgetError
from hybridhash.hashing import LOAD, Fingerprints, Ribbon
from hybridhash.planner.forecast import (
    Allocation,
    Forecast,
    judge,
    risks,
    smallest_bytes,
    tier_loss,
)
from hybridhash.spec import Tier

PRIVATE_BITS: Final = (2, 3, 4)
BEST_BITS: Final = 8
CODEBOOK_BITS: Final = 8
ROUNDS: Final = 26  # of halving the range of the exponent of a price
CHEAPEST: Final = -60.0  # exponent of two of a price at which everything is bought
CODE_BITS: Final = (1, 2, 3, 4, 5, 6, 7, 8, 10)

_SHORTEST: Final = 6  # bits of a fingerprint
_LONGEST: Final = 24
_MOST_CHECK_BITS: Final = 16
_PLACES_LOOKED_AT: Final = 16 * LOAD
_MOST_SLOTS: Final = 1.25  # of a ribbon for a key; more are there for a few keys only
_FEWEST_KEYS: Final = 8  # of a tier
_STEP: Final = 2  # bits between two lengths of codes


@dataclass(frozen=True)
class Offer:
    """A way to keep a key: with a row of its own behind a fingerprint, or with a code in a ribbon.

    Attributes:
        bits: The bits of a stored float; those of the shared rows with codes.
        code_bits: 0 for a row of its own.
    """

    bits: int
    code_bits: int = 0

    @property
    def loss(self) -> float:
        """Share of a key's effect that is lost."""
        return tier_loss(self.tier(1, _SHORTEST))

    def tier(self, num_keys: int, key_bits: int) -> Tier:
        """Return a tier of keys kept this way."""
        if self.code_bits:
            return Tier(num_keys, self.bits, 1 << self.code_bits, Ribbon(key_bits))
        return Tier(num_keys, self.bits, 0, Fingerprints(key_bits))


Offers = tuple[Offer, ...]


def allocate(forecast: Forecast, budget_bytes: int) -> Allocation:
    """Find the tiers that lose the least at a budget.

    A key kept some way loses a share of its effect and costs bits. At a price per bit every key takes the way with the
    least loss plus cost; as effects fall with the rank of a key, the ways are ranges of ranks. The price is
    found by bisection, so that the bytes meet the budget, for every number of codes and bits on offer.

    Args:
        forecast: What the keys will do.
        budget_bytes: The bytes that there are for rows, scales, dictionaries, codes and wide weights.

    Returns:
        The tiers, their predicted loss.

    Raises:
        BudgetError: The budget does not hold the neutral row.
    """
    return alternatives(forecast, budget_bytes)[0]


def alternatives(forecast: Forecast, budget_bytes: int) -> list[Allocation]:
    """Return the best tiers of each set of ways, by rising loss; see `allocate`.

    Raises:
        BudgetError: The budget does not hold the neutral row.
    """
    least = smallest_bytes(forecast.dim, forecast.wide)
    if budget_bytes < least:
        raise BudgetError(
            f"budget: expected at least {least} bytes, one row for all keys, got {budget_bytes}; raise the budget"
        )
    singles = [(_at_best_price(forecast, offers, budget_bytes), offers) for offers in _menus()]
    _, best = min(singles, key=lambda found: found[0].loss)
    pairs = [_at_best_price(forecast, offers, budget_bytes) for offers in _pairs(best)]
    different = {found.tiers: found for found in [*(found for found, _ in singles), *pairs]}
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


def _at_best_price(forecast: Forecast, offers: Offers, budget_bytes: int) -> Allocation:
    """Return the tiers at the lowest price that the budget pays, with what is left spent on more and longer keys."""
    costs = [row_bits(forecast, offer) for offer in offers]
    cheap, dear = CHEAPEST, 0.0  # powers of two of the price: at the dear end nothing is bought
    tiers: list[Tier] = []
    for _ in range(ROUNDS):
        middle = (cheap + dear) / 2
        tried = at_price(forecast, offers, costs, 2.0**middle)
        if forecast.spec_bytes(tried) <= budget_bytes:
            dear, tiers = middle, tried
        else:
            cheap = middle
    spent = [
        _with_longer_keys(forecast, _filled_up(forecast, first, offers, budget_bytes), budget_bytes)
        for first in (tiers, _with_longer_keys(forecast, tiers, budget_bytes))
    ]
    return min((judge(forecast, each) for each in spent), key=lambda allocation: allocation.loss)


def row_bits(forecast: Forecast, offer: Offer) -> float:
    """Return the bits that one more key costs, without its fingerprint."""
    if offer.code_bits:
        return offer.code_bits * _slots_per_key(forecast)
    pair = [forecast.spec_bytes([Tier(count, offer.bits, 0, Fingerprints(8))]) for count in (7600, 15200)]
    return 8.0 * (pair[1] - pair[0]) / 7600 - 8.0 / LOAD


def at_price(forecast: Forecast, offers: Offers, costs: Sequence[float], price: float) -> list[Tier]:
    """Return what every key takes at a price per bit."""
    key_bits = [4 if offer.code_bits else 16 for offer in offers]
    bit_costs = [_slots_per_key(forecast) if offer.code_bits else 1 / LOAD for offer in offers]
    tiers: list[Tier] = []
    for _ in range(2):  # fingerprints and check bits cost too; how many pay follows from the tiers
        with_keys = [cost + bits * each for cost, bits, each in zip(costs, key_bits, bit_costs, strict=True)]
        counts = _takers(forecast, [offer.loss for offer in offers], with_keys, price)
        tiers = [offer.tier(count, bits) for offer, count, bits in zip(offers, counts, key_bits, strict=True)]
        at_risk = risks(forecast, tiers)
        key_bits = [
            _key_bits(tier, risk, price * each)
            for tier, risk, each in zip(tiers, at_risk, bit_costs, strict=True)
        ]
    return [
        offer.tier(tier.num_keys, bits) for offer, tier, bits in zip(offers, tiers, key_bits, strict=True)
    ]


def _takers(forecast: Forecast, losses: Sequence[float], costs: Sequence[float], price: float) -> list[int]:
    """Return how many keys take each way, when the last one is to leave a key out.

    Args:
        forecast: What the keys will do.
        losses: Share of it that each way loses.
        costs: Bits of each way, falling.
        price: The price of a bit.

    Returns:
        The takers of each way: a range of ranks behind those of the way before.
    """
    counts = []
    done = 0
    for place, (loss, cost) in enumerate(zip(losses, costs, strict=True)):
        reach = forecast.num_keys
        cheaper = zip([*losses[place + 1 :], 1.0], [*costs[place + 1 :], 0.0], strict=True)
        for cheaper_loss, cheaper_cost in cheaper:
            gain, extra = cheaper_loss - loss, price * (cost - cheaper_cost)
            reach = min(reach, forecast.reach(extra / gain)) if gain > 0 else 0
        count = max(reach - done, 0)
        counts.append(count if count >= _FEWEST_KEYS else 0)
        done += counts[-1]
    return counts


def _slots_per_key(forecast: Forecast) -> float:
    """Return the slots of a ribbon of all keys for each of them, and so the bits of each bit of a code."""
    ribbon = Offer(CODEBOOK_BITS, 1).tier(max(forecast.num_keys, 1), 0)
    return min(8 * ribbon.dictionary_bytes / ribbon.num_keys, _MOST_SLOTS)


def _key_bits(tier: Tier, risk: float, price: float) -> int:
    """Return the bits of a fingerprint, or check bits, at which one more for every key costs what it saves."""
    shortest, longest = (0, _MOST_CHECK_BITS) if tier.dictionary.holds_codes else (_SHORTEST, _LONGEST)
    if not tier.num_keys:
        return shortest
    places = 1 if tier.dictionary.holds_codes else _PLACES_LOOKED_AT
    saved = risk * places * math.log(2) / (price * tier.num_keys)
    return min(max(round(math.log2(max(saved, 1.0))), shortest), longest)


def _with_longer_keys(forecast: Forecast, tiers: list[Tier], budget_bytes: int) -> list[Tier]:
    """Spend the bytes that are left on fingerprints and check bits, bit by bit where a bit saves most."""
    tiers = list(tiers)
    at_risk = risks(forecast, tiers)

    def longer_keys(tier: Tier) -> Tier:
        return replace(tier, dictionary=tier.dictionary.with_bits(tier.key_bits + 1))

    def gain(place: int) -> float:
        tier, longer = tiers[place], longer_keys(tiers[place])
        saved = tier.dictionary.misreading_rate - longer.dictionary.misreading_rate
        return at_risk[place] * saved / (longer.dictionary_bytes - tier.dictionary_bytes)

    while True:
        can = [
            place
            for place, tier in enumerate(tiers)
            if tier.num_keys
            and tier.key_bits < (_MOST_CHECK_BITS if tier.dictionary.holds_codes else _LONGEST)
        ]
        for place in sorted(can, key=gain, reverse=True):
            longer = [*tiers]
            longer[place] = longer_keys(tiers[place])
            if forecast.spec_bytes(longer) <= budget_bytes:
                tiers = longer
                break
        else:
            return tiers


def _filled_up(forecast: Forecast, tiers: list[Tier], offers: Offers, budget_bytes: int) -> list[Tier]:
    """Give the bytes that are left to the last tier, then to the ones before.

    Some are left, as keys of equal counts move together.
    """
    for place in reversed(range(len(tiers))):
        if place + 1 < len(tiers) and offers[place].loss >= offers[place + 1].loss:
            continue  # a long code may lose less than two bits of one's own
        taken = sum(tier.num_keys for tier in tiers)
        later = tiers[place + 1].num_keys if place + 1 < len(tiers) else forecast.num_keys - taken
        low, high = 0, later
        while low < high:
            middle = (low + high + 1) // 2
            if forecast.spec_bytes(_moved(tiers, offers, place, middle)) <= budget_bytes:
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
