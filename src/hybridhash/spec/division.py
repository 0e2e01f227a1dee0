"""How tables that share a byte budget divide it, where nothing but their sizes is known."""

from collections.abc import Sequence

from hybridhash.errors import BudgetError
from hybridhash.spec.demand import Demand, baseline_bytes, smallest_budget_bytes


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
