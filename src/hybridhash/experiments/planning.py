"""Plan the tables of a model from the counts of its training span, and try plans on its end."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from hybridhash.experiments.output import check_not_an_input, check_output_file, input_files
from hybridhash.experiments.settings import PlanSettings
from hybridhash.files import write_text
from hybridhash.planner import Plan, Table, alternatives, divide, parse_budget, plan, read_plan, write_plan
from hybridhash.spec import Tier
from hybridhash.trials import (
    Layout,
    Listener,
    Prepared,
    TablePlan,
    lay_out,
    plan_tables,
    prepare_rows,
    work_folder,
)

if TYPE_CHECKING:
    from hybridhash.training import Progress

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
    if settings.out is not None:
        check_output_file(settings.out)
        check_not_an_input([settings.out], input_files(data))
    if settings.plan:
        listener.note("the plan that was given is not followed: this command plans anew")
    with work_folder(settings) as work_dir:
        prepared = prepare_rows(data, settings, work_dir, listener)
        tables = plan_tables(prepared.dataset.schema, prepared.counts, settings)
        baseline_bytes = sum(table.baseline_bytes() for table in tables)
        budget_bytes = parse_budget(settings.budget, baseline_bytes)
        plans = plan_each(tables, budget_bytes)
        tried = []
        if settings.tune:
            tried = try_plans(prepared, tables, budget_bytes, settings, listener)
            chosen = max(tried, key=lambda one: one["validation_rce"])
            plans = plan_each(tables, budget_bytes, read_plan(chosen["plan"]))
        lines = write_plan({name: found.allocation.tiers for name, found in plans.items()})
        result = {
            "budget": settings.budget,
            "budget_bytes": budget_bytes,
            "baseline_bytes": baseline_bytes,
            "bytes": sum(found.num_bytes for found in plans.values()),
            "keys": prepared.counts.num_keys,
            "plan": list(lines),
            "tried": tried,
            "tables": [_describe(name, found) for name, found in plans.items()],
        }
    if settings.out is not None:
        write_text(settings.out, experiment_text(data, settings, lines))
    return result


def try_plans(
    prepared: Prepared,
    tables: Sequence[TablePlan],
    budget_bytes: int,
    settings: PlanSettings,
    listener: Listener,
) -> list[dict[str, Any]]:
    """Train, ship and judge the plans that are predicted best, on the training span alone.

    The learning rate is that of the first plan: the best of those that are given. Each plan is trained for one pass,
    with seed 0.

    Args:
        prepared: The rows.
        tables: From `plan_tables`.
        budget_bytes: For all of them.
        settings: How many plans, and how they are trained.
        listener: Hears of each.

    Returns:
        ``plan`` (its lines), ``loss`` (predicted) and ``validation_rce`` of each.

    Raises:
        DivergedError: Training diverged at every learning rate.
        InvalidValueError: No validation rows of both labels.
    """
    from hybridhash.trials import (
        build_of,
        search,
        validate,
    )  # load torch, which a plan from counts does not need

    candidates = _candidates(tables, budget_bytes, settings.tune)

    def laid_out(lines: Sequence[str]) -> Layout:
        following = settings.model_copy(update={"plan": tuple(lines)})
        return lay_out("auto", tables, budget_bytes, following, seed=0)

    short = settings.model_copy(update={"epochs": 1})
    rows = prepared.dataset.rows
    rate = search(
        build_of(laid_out(candidates[0][0]), rows, short),
        rows,
        short,
        lambda what, progress: listener.training(f"plan 1: {what}", progress),
    ).tuned.learning_rate
    tried = []
    for place, (lines, loss) in enumerate(candidates, start=1):

        def hear(progress: "Progress", title: str = f"plan {place} of {len(candidates)}") -> None:
            listener.training(title, progress)

        rce = validate(build_of(laid_out(lines), rows, short), rows, short, rate, hear)
        listener.run_done(f"plan {place}", f"predicted loss {loss:.2%}, validation RCE {rce:.3f}")
        tried.append({"plan": list(lines), "loss": loss, "validation_rce": rce})
    return tried


def _candidates(
    tables: Sequence[TablePlan], budget_bytes: int, most: int
) -> list[tuple[tuple[str, ...], float]]:
    """Return lines and predicted loss of plans: the first has each table's best tiers, the next its second best."""
    held = _held(tables)
    ranked = [
        alternatives(table, share) for table, share in zip(held, divide(held, budget_bytes), strict=True)
    ]
    found = []
    for place in range(min(most, max(map(len, ranked)))):
        chosen = [choices[min(place, len(choices) - 1)] for choices in ranked]
        lines = write_plan({table.dictionary: one.tiers for table, one in zip(tables, chosen, strict=True)})
        found.append((lines, sum(one.loss for one in chosen) / len(chosen)))
    return found


def plan_each(
    tables: Sequence[TablePlan], budget_bytes: int, given: Mapping[str, Sequence[Tier]] | None = None
) -> dict[str, Plan]:
    """Plan tables that share a budget.

    Args:
        tables: From `plan_tables`.
        budget_bytes: For all of them, divided as `hybridhash.planner.divide` does.
        given: Tiers to describe in place of the best ones, by the name of the dictionary.

    Returns:
        The plans by the name of the dictionary.

    Raises:
        BudgetError: The budget is too small.
    """
    shares = divide(_held(tables), budget_bytes)
    return {
        table.dictionary: plan(
            table.counts,
            budget=share,
            dim=table.dim,
            wide=table.carries_wide,
            tiers=(given or {}).get(table.dictionary, ()),
        )
        for table, share in zip(tables, shares, strict=True)
    }


def _held(tables: Sequence[TablePlan]) -> list[Table]:
    return [Table.of(table.counts.outlook, table.dim, table.carries_wide) for table in tables]


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
            {**tier.as_dict(), "rows": tier.num_rows, "loss": loss, "reason": reason}
            for tier, loss, reason in zip(
                found.allocation.tiers, found.allocation.loss_by_tier, found.reasons, strict=True
            )
        ],
        "features": [asdict(feature) for feature in found.features],
    }
