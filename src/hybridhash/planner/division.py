"""How tables that share a byte budget divide it: in proportion to their sizes, or at one price for all."""

from collections.abc import Sequence
from typing import Final

from hybridhash.errors import BudgetError
from hybridhash.planner.demand import Demand, baseline_bytes, smallest_budget_bytes
from hybridhash.planner.forecast import Forecast, smallest_bytes
from hybridhash.planner.tiers import BEST_BITS, CHEAPEST, CODEBOOK_BITS, ROUNDS, Offer, at_price, row_bits

_COARSE: Final = (Offer(BEST_BITS), *(Offer(CODEBOOK_BITS, code_bits) for code_bits in (8, 6, 5, 4, 3, 2)))


def in_proportion(demands: Sequence[Demand], budget_bytes: int) -> list[int]:
    """Divide a budget over tables in proportion to their baseline bytes, one row per feature at least.

    A table whose proportional share is below one row per feature gets just that, and the others divide the
    rest: a feature of three values can have a table of its own at a tenth of the bytes.

    Args:
        demands: What each table must serve.
        budget_bytes: The bytes that all of them may take together.

    Returns:
        Bytes per table, together at most the budget.

    Raises:
        BudgetError: The budget is below one row for every feature of every table.
    """
    smallest = [smallest_budget_bytes(demand) for demand in demands]
    if budget_bytes < sum(smallest):
        raise BudgetError(
            f"budget: expected at least {sum(smallest)} bytes, one row for each feature of each table, got "
            f"{budget_bytes}; raise the budget or lower --dim"
        )
    weights = [baseline_bytes(demand) for demand in demands]
    shares = list(smallest)
    open_tables = set(range(len(demands)))
    while open_tables:
        left_bytes = budget_bytes - sum(
            shares[index] for index in range(len(demands)) if index not in open_tables
        )
        total = sum(weights[index] for index in open_tables)
        short = {index for index in open_tables if left_bytes * weights[index] // total < smallest[index]}
        if not short:
            for index in open_tables:
                shares[index] = left_bytes * weights[index] // total
            break
        open_tables -= short
    return shares


def at_one_price(forecasts: Sequence[Forecast], budget_bytes: int) -> list[int]:
    """Divide a budget over tables so that the last byte of each saves as much.

    All tables buy at one price per bit and per effect on the predictions, from a coarse set of ways; the price follows
    from the budget.

    Args:
        forecasts: What the keys of each table will do.
        budget_bytes: The bytes that all of them may take together.

    Returns:
        Bytes per table, together at most the budget.

    Raises:
        BudgetError: The budget does not hold the neutral row of each table.
    """
    smallest = [smallest_bytes(forecast.dim, forecast.wide) for forecast in forecasts]
    if budget_bytes < sum(smallest):
        raise BudgetError(
            f"budget: expected at least {sum(smallest)} bytes, one row for all keys of each table, got {budget_bytes}; "
            "raise the budget"
        )
    costs = [[row_bits(forecast, offer) for offer in _COARSE] for forecast in forecasts]
    everything = sum(forecast.total for forecast in forecasts)
    cheap, dear = CHEAPEST, 0.0  # powers of two of the price of all effects together
    shares = more = smallest
    for _ in range(ROUNDS):
        middle = (cheap + dear) / 2
        tried = [
            forecast.spec_bytes(at_price(forecast, _COARSE, cost, 2.0**middle * everything / forecast.total))
            for forecast, cost in zip(forecasts, costs, strict=True)
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
