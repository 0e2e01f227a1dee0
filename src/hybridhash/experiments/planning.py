"""Plan the tables of a model from the counts of its training span, and try plans on its end."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from hybridhash.experiments.layout import TablePlan, plan_tables, share_budget
from hybridhash.experiments.prepare import prepare_rows, work_folder
from hybridhash.experiments.progress import Listener
from hybridhash.experiments.settings import PlanSettings
from hybridhash.files import write_text
from hybridhash.planner import Plan, parse_budget, plan, write_plan

_NOT_OF_A_FILE: Final = {"out", "work_dir", "tune", "plan"}


def plan_data(data: Sequence[str], settings: PlanSettings, listener: Listener) -> dict[str, Any]:
    """Plan every table of a model at a budget, from counts alone, and write an experiment file.

    Args:
        data: Files, globs or folders.
        settings: What was asked for.
        listener: Hears how far it is.

    Returns:
        ``budget_bytes``, ``bytes``, ``baseline_bytes``, ``loss`` and the plan of each table: tiers, reasons, and the
        shares of each feature's coming traffic.

    Raises:
        HybridHashError: The data or the settings cannot be used; a budget that is too small is answered with the
            smallest one.
    """
    with work_folder(settings) as work_dir:
        prepared = prepare_rows(data, settings, work_dir, listener)
        tables = plan_tables(prepared.dataset.schema, prepared.counts, settings)
        baseline_bytes = sum(table.baseline_bytes() for table in tables)
        budget_bytes = parse_budget(settings.budget, baseline_bytes)
        plans = plan_each(tables, budget_bytes)
        lines = write_plan({name: found.allocation.tiers for name, found in plans.items()})
        result = {
            "budget": settings.budget,
            "budget_bytes": budget_bytes,
            "baseline_bytes": baseline_bytes,
            "bytes": sum(found.num_bytes for found in plans.values()),
            "keys": prepared.counts.num_keys,
            "plan": list(lines),
            "tables": [_describe(name, found) for name, found in plans.items()],
        }
    if settings.out is not None:
        write_text(settings.out, experiment_text(data, settings, lines))
    return result


def plan_each(tables: Sequence[TablePlan], budget_bytes: int) -> dict[str, Plan]:
    """Plan tables that share a budget.

    Args:
        tables: From `plan_tables`.
        budget_bytes: For all of them, divided as `share_budget` does.

    Returns:
        The plans by the name of the dictionary.

    Raises:
        BudgetError: The budget is too small.
    """
    shares = share_budget(tables, budget_bytes)
    return {
        table.dictionary: plan(table.counts, budget=share, dim=table.dim, wide=table.carries_wide)
        for table, share in zip(tables, shares, strict=True)
    }


def experiment_text(data: Sequence[str], settings: PlanSettings, lines: Sequence[str]) -> str:
    """Return an experiment file (TOML) with the settings that were given, the method ``auto`` and its plan.

    Args:
        data: Files, globs or folders, which are written as whole paths.
        settings: What was asked for.
        lines: The plan.
    """
    given = settings.model_dump(mode="json", exclude_unset=True, exclude=_NOT_OF_A_FILE)
    content = {
        "data": [str(Path(item).absolute()) for item in data],
        **given,
        "budget": settings.budget,
        "method": "auto",
    }
    # What JSON writes of text, numbers and lists of them is TOML too.
    entries = [
        f"{name.replace('_', '-')} = {json.dumps(value, ensure_ascii=False)}"
        for name, value in content.items()
    ]
    entries += ["plan = [", *(f"  {json.dumps(line, ensure_ascii=False)}," for line in lines), "]"]
    return "\n".join(entries) + "\n"


def _describe(name: str, found: Plan) -> dict[str, Any]:
    return {
        "name": name,
        "bytes": found.num_bytes,
        "budget_bytes": found.budget_bytes,
        "baseline_bytes": found.baseline_bytes,
        "trained_rows": found.num_trained_rows,
        "loss": found.allocation.loss,
        "loss_by_fingerprints": found.allocation.loss_by_fingerprints,
        "tiers": [
            {**asdict(tier), "rows": tier.num_rows, "loss": loss, "reason": reason}
            for tier, loss, reason in zip(
                found.allocation.tiers, found.allocation.loss_by_tier, found.reasons, strict=True
            )
        ],
        "features": [asdict(feature) for feature in found.features],
    }
