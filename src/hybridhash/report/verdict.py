"""The result of a comparison in one sentence."""

from hybridhash.report.formatting import format_bytes, format_share, format_spread
from hybridhash.results import ComparedMethod, Comparison


def verdict_of(comparison: Comparison) -> str:
    """Return which compressed method is best, and how far it is from the baseline.

    A distance counts only where it is larger than the two standard deviations together. Where the baseline was not
    run, the full table stands in its place.

    Args:
        comparison: The run.

    Returns:
        One sentence of plain text.
    """
    budget = comparison.budget
    ranked = comparison.best_compressed()
    if not ranked:
        return f"At a budget of {budget.asked} ({format_bytes(budget.bytes)}) no compressed method gave a result."
    best = ranked[0]
    size = (
        f"{format_bytes(best.embedding_bytes)}, {format_share(best.embedding_bytes / budget.baseline_bytes)} of the "
        f"baseline and {format_share(best.embedding_bytes / budget.full_bytes)} of the full table"
    )
    text = f"At a budget of {budget.asked}, {best.name} is best ({size}): RCE {_rce(best)}"
    finished = {method.name: method for method in comparison.methods if method.rce_mean is not None}
    yardstick = finished.get("baseline", finished.get("full"))
    if yardstick is None:
        return f"{text}."
    title = "the baseline" if yardstick.name == "baseline" else "the full table"
    return f"{text}, beside {_rce(yardstick)} of {title}: {_distance(best, yardstick)}."


def _rce(method: ComparedMethod) -> str:
    return format_spread(method.rce_mean, method.spread)


def _distance(best: ComparedMethod, yardstick: ComparedMethod) -> str:
    lead = (best.rce_mean or 0.0) - (yardstick.rce_mean or 0.0)
    text = f"{abs(lead):.2f} {'below' if lead < 0 else 'above'}"
    if best.spread is None or yardstick.spread is None:
        return f"{text}, and one seed does not tell whether that is more than chance"
    if abs(lead) > best.spread + yardstick.spread:
        return f"{text}, more than the spread of the seeds"
    return f"{text}, within the spread of the seeds, so there is no clear difference"
