"""Divide the keys of a table into tiers so that a byte budget loses the least."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Final

from hybridhash.errors import BudgetError
from hybridhash.hashing import LOAD, Fingerprints, Ribbon
from hybridhash.planner.table import (
    Allocation,
    Table,
    judge,
    risks,
    smallest_bytes,
    tier_loss,
)
from hybridhash.spec import Tier

PRIVATE_BITS: Final = (2, 3, 4)
BEST_BITS: Final = 8
CODEBOOK_BITS: Final = 8
CODE_BITS: Final = (1, 2, 3, 4, 5, 6, 7, 8, 10)

_SHORTEST: Final = 6  # bits of a fingerprint
_LONGEST: Final = 24
_MOST_CHECK_BITS: Final = 16
_PLACES_LOOKED_AT: Final = 16 * LOAD
_MOST_SLOTS: Final = 1.25  # of a ribbon for a key; more are there for a few keys only
_FEWEST_KEYS: Final = 8  # of a tier
_ROUNDS: Final = 26  # of halving the exponent of a price
_STEP: Final = 2  # bits between two lengths of codes


@dataclass(frozen=True)
class Offer:
    """A way to keep a key: with a row of its own behind a fingerprint, or with a code in a ribbon.

    Attributes:
        bits: Of a stored float; those of the shared rows with codes.
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

_COARSE: Final = (Offer(BEST_BITS), *(Offer(CODEBOOK_BITS, code_bits) for code_bits in (8, 6, 5, 4, 3, 2)))


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
    """Return the best tiers of each set of ways, by rising loss; see `allocate`.

    Raises:
        BudgetError: The budget does not hold the neutral row.
    """
    least = smallest_bytes(table.dim, table.wide)
    if budget_bytes < least:
        raise BudgetError(
            f"budget: expected at least {least} bytes, one row for all keys, got {budget_bytes}; raise the budget"
        )
    singles = [(_at_best_price(table, offers, budget_bytes), offers) for offers in _menus()]
    _, best = min(singles, key=lambda found: found[0].loss)
    pairs = [_at_best_price(table, offers, budget_bytes) for offers in _pairs(best)]
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


def _at_best_price(table: Table, offers: Offers, budget_bytes: int) -> Allocation:
    """Return the tiers at the lowest price that the budget pays, with what is left spent on more and longer keys."""
    costs = [_row_bits(table, offer) for offer in offers]
    cheap, dear = -60.0, 0.0  # powers of two of the price: at the dear end nothing is bought
    tiers: list[Tier] = []
    for _ in range(_ROUNDS):
        middle = (cheap + dear) / 2
        tried = _at_price(table, offers, costs, 2.0**middle)
        if table.spec_bytes(tried) <= budget_bytes:
            dear, tiers = middle, tried
        else:
            cheap = middle
    spent = [
        _with_longer_keys(table, _filled_up(table, first, offers, budget_bytes), budget_bytes)
        for first in (tiers, _with_longer_keys(table, tiers, budget_bytes))
    ]
    return min((judge(table, each) for each in spent), key=lambda allocation: allocation.loss)


def divide(tables: Sequence[Table], budget_bytes: int) -> list[int]:
    """Divide a budget over tables so that the last byte of each saves as much.

    All tables buy at one price per bit and per effect on the predictions, from a coarse set of ways; the price follows
    from the budget.

    Args:
        tables: What must be held.
        budget_bytes: For all of them together.

    Returns:
        Bytes per table, together at most the budget.

    Raises:
        BudgetError: The budget does not hold the neutral row of each table.
    """
    smallest = [smallest_bytes(table.dim, table.wide) for table in tables]
    if budget_bytes < sum(smallest):
        raise BudgetError(
            f"budget: expected at least {sum(smallest)} bytes, one row for all keys of each table, got {budget_bytes}; "
            "raise the budget"
        )
    costs = [[_row_bits(table, offer) for offer in _COARSE] for table in tables]
    everything = sum(table.total for table in tables)
    cheap, dear = -60.0, 0.0  # as in `_at_best_price`, of all effects together
    shares = more = smallest
    for _ in range(_ROUNDS):
        middle = (cheap + dear) / 2
        tried = [
            table.spec_bytes(_at_price(table, _COARSE, cost, 2.0**middle * everything / table.total))
            for table, cost in zip(tables, costs, strict=True)
        ]
        if sum(tried) <= budget_bytes:
            dear, shares = middle, tried
        else:
            cheap, more = middle, tried
    # What is left goes where the next lower price would take it; where nothing more is wanted, in proportion.
    left = budget_bytes - sum(shares)
    wanted = [max(next_share - share, 0) for share, next_share in zip(shares, more, strict=True)]
    wanted = wanted if sum(wanted) else shares
    return [share + left * want // sum(wanted) for share, want in zip(shares, wanted, strict=True)]


def _row_bits(table: Table, offer: Offer) -> float:
    """Return the bits that one more key costs, without its fingerprint."""
    if offer.code_bits:
        return offer.code_bits * _slots_per_key(table)
    pair = [table.spec_bytes([Tier(count, offer.bits, 0, Fingerprints(8))]) for count in (7600, 15200)]
    return 8.0 * (pair[1] - pair[0]) / 7600 - 8.0 / LOAD


def _at_price(table: Table, offers: Offers, costs: Sequence[float], price: float) -> list[Tier]:
    """Return what every key takes at a price per bit."""
    key_bits = [4 if offer.code_bits else 16 for offer in offers]
    bit_costs = [_slots_per_key(table) if offer.code_bits else 1 / LOAD for offer in offers]
    tiers: list[Tier] = []
    for _ in range(2):  # fingerprints and check bits cost too; how many pay follows from the tiers
        with_keys = [cost + bits * each for cost, bits, each in zip(costs, key_bits, bit_costs, strict=True)]
        counts = _takers(table, [offer.loss for offer in offers], with_keys, price)
        tiers = [offer.tier(count, bits) for offer, count, bits in zip(offers, counts, key_bits, strict=True)]
        at_risk = risks(table, tiers)
        key_bits = [
            _key_bits(tier, risk, price * each)
            for tier, risk, each in zip(tiers, at_risk, bit_costs, strict=True)
        ]
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


def _slots_per_key(table: Table) -> float:
    """Return the slots of a ribbon of all keys for each of them, and so the bits of each bit of a code."""
    ribbon = Offer(CODEBOOK_BITS, 1).tier(max(table.num_keys, 1), 0)
    return min(8 * ribbon.dictionary_bytes / ribbon.num_keys, _MOST_SLOTS)


def _key_bits(tier: Tier, risk: float, price: float) -> int:
    """Return the bits of a fingerprint, or check bits, at which one more for every key costs what it saves."""
    shortest, longest = (0, _MOST_CHECK_BITS) if tier.dictionary.holds_codes else (_SHORTEST, _LONGEST)
    if not tier.num_keys:
        return shortest
    places = 1 if tier.dictionary.holds_codes else _PLACES_LOOKED_AT
    saved = risk * places * math.log(2) / (price * tier.num_keys)
    return min(max(round(math.log2(max(saved, 1.0))), shortest), longest)


def _with_longer_keys(table: Table, tiers: list[Tier], budget_bytes: int) -> list[Tier]:
    """Spend the bytes that are left on fingerprints and check bits, bit by bit where a bit saves most."""
    tiers = list(tiers)
    at_risk = risks(table, tiers)

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
        if place + 1 < len(tiers) and offers[place].loss >= offers[place + 1].loss:
            continue  # a long code may lose less than two bits of one's own
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
