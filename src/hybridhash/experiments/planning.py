"""`plan`: the tables of a model are planned from the counts of its training span; plans can be tried on its end."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hybridhash.experiments.output import check_not_an_input, check_output_file, input_files
from hybridhash.experiments.settings import PlanSettings
from hybridhash.files import write_text
from hybridhash.planner import (
    FeatureGroup,
    FeatureShares,
    Forecast,
    ModelBlueprint,
    Plan,
    alternatives,
    divide,
    format_loss,
    lay_out,
    plan_groups,
    write_plan,
)
from hybridhash.spec import Tier
from hybridhash.trials import Listener, Prepared, open_model

if TYPE_CHECKING:
    from hybridhash.training import Progress

_NOT_OF_A_FILE: Final = {"out", "work_dir", "tune", "plan"}


@dataclass(frozen=True)
class TriedPlan:
    """A plan that was trained, shipped and judged.

    Attributes:
        plan: A line for each table, as experiment files have them.
        loss: Predicted share of what ids add that is lost, the mean over the tables.
        validation_rce: RCE of the shipped model on the validation slice, in per cent.
    """

    plan: tuple[str, ...]
    loss: float
    validation_rce: float


@dataclass(frozen=True)
class PlannedTier:
    """A tier, and why it is there.

    Attributes:
        num_keys: Keys.
        bits: Bits of a stored float; 0 where the keys are left out of the shipped model.
        num_codes: Rows that keys share by codes; 0 where each has a row of its own.
        dictionary: Kind of the dictionary that knows the keys.
        key_bits: Bits that tell keys apart in it.
        rows: Rows that are shipped.
        bytes: Bytes that are shipped.
        loss: Share of what ids add that is lost in it.
        reason: One sentence.
    """

    num_keys: int
    bits: int
    num_codes: int
    dictionary: str
    key_bits: int
    rows: int
    bytes: int
    loss: float
    reason: str


@dataclass(frozen=True)
class PlannedTable:
    """The plan of one table.

    Attributes:
        name: The dictionary.
        bytes: Bytes that it ships, wide weights included.
        budget_bytes: Bytes that it might ship.
        baseline_bytes: Bytes of the baseline.
        trained_rows: Rows while it is trained, in floats.
        loss: Predicted share of what ids add that is lost.
        loss_by_fingerprints: The part of it that keys lose by reading the row of another.
        tiers: The most important keys first.
        features: For each feature, the shares of its coming traffic.
    """

    name: str
    bytes: int
    budget_bytes: int
    baseline_bytes: int
    trained_rows: int
    loss: float
    loss_by_fingerprints: float
    tiers: tuple[PlannedTier, ...]
    features: tuple[FeatureShares, ...]


@dataclass(frozen=True)
class PlannedModel:
    """The plan of all tables of a model.

    Attributes:
        budget: The budget as it was typed.
        budget_bytes: The same in bytes.
        baseline_bytes: Embedding bytes of the baseline.
        bytes: Bytes that the tables ship.
        full_bytes: Embedding bytes of the full table.
        keys: Distinct keys of the training span.
        unseen: By feature, the share of its values in the test rows that the training span does not have.
        plan: A line for each table, as experiment files have them.
        tried: The plans that were trained, if any.
        tables: The tables.
    """

    budget: str
    budget_bytes: int
    baseline_bytes: int
    bytes: int
    full_bytes: int
    keys: int
    unseen: Mapping[str, float]
    plan: tuple[str, ...]
    tried: tuple[TriedPlan, ...]
    tables: tuple[PlannedTable, ...]


def plan_data(data: Sequence[str], settings: PlanSettings, listener: Listener) -> PlannedModel:
    """Plan every table of a model at a budget, from counts alone, and write an experiment file.

    Args:
        data: Files, globs or folders.
        settings: What was asked for.
        listener: Hears how far it is.

    Raises:
        HybridHashError: The data or the settings cannot be used; a budget that is too small is answered with the
            smallest one.
    """
    if settings.out is not None:
        check_output_file(settings.out)
        check_not_an_input([settings.out], input_files(data))
    if settings.plan:
        listener.note("the plan that was given is not followed: this command plans anew")
    with open_model(data, settings, listener) as opened:
        prepared, groups = opened.prepared, opened.groups
        budget = opened.budget(settings.asked)
        tried: list[JudgedPlan] = []
        if settings.tune:
            tried = try_plans(prepared, groups, budget.bytes, settings, listener)
        best = max(tried, key=lambda one: one.validation_rce).candidate.tiers if tried else None
        plans = plan_groups(groups, budget.bytes, best)
        planned = PlannedModel(
            budget=settings.budget,
            budget_bytes=budget.bytes,
            baseline_bytes=budget.baseline_bytes,
            bytes=sum(found.num_bytes for found in plans.values()),
            full_bytes=budget.full_bytes,
            keys=prepared.counts.num_keys,
            unseen=prepared.counts.unseen_share(prepared.count_test()),
            plan=write_plan({name: found.allocation.tiers for name, found in plans.items()}),
            tried=tuple(map(_tried, tried)),
            tables=tuple(_described(name, found) for name, found in plans.items()),
        )
    if settings.out is not None:
        write_text(settings.out, experiment_text(data, settings, planned.plan))
    return planned


@dataclass(frozen=True)
class Candidate:
    """A plan to try.

    Attributes:
        tiers: Tiers of each table, by the name of its dictionary.
        loss: Predicted share of what ids add that is lost, the mean over the tables.
    """

    tiers: Mapping[str, tuple[Tier, ...]]
    loss: float


@dataclass(frozen=True)
class JudgedPlan:
    """A plan that was trained, shipped and judged.

    Attributes:
        candidate: The plan.
        validation_rce: RCE of the shipped model on the validation slice, in per cent.
    """

    candidate: Candidate
    validation_rce: float


def try_plans(
    prepared: Prepared,
    groups: Sequence[FeatureGroup],
    budget_bytes: int,
    settings: PlanSettings,
    listener: Listener,
) -> list[JudgedPlan]:
    """Train, ship and judge the plans that are predicted best, on the training span alone.

    The learning rate is that of the first plan: the best of those that are given. Each plan is trained for one pass,
    with seed 0.

    Args:
        prepared: The rows.
        groups: The features of each table.
        budget_bytes: The bytes that all tables may take together.
        settings: How many plans, and how they are trained.
        listener: Hears of each.

    Returns:
        One for each.

    Raises:
        DivergedError: Training diverged at every learning rate.
        InvalidValueError: No validation rows of both labels.
    """
    from hybridhash.trials import (
        build_of,
        search,
        validate,
    )  # load torch, which a plan from counts does not need

    candidates = candidates_of(groups, budget_bytes, settings.tune)

    def following(candidate: Candidate) -> ModelBlueprint:
        options = replace(settings.options, tiers=candidate.tiers)
        return lay_out("auto", groups, budget_bytes, settings.hidden, options)

    short = settings.model_copy(update={"epochs": 1})
    rows = prepared.dataset.rows
    rate = search(
        build_of(following(candidates[0]), rows, short),
        rows,
        short,
        lambda what, progress: listener.training(f"plan 1: {what}", progress),
    ).tuned.learning_rate
    tried = []
    for place, candidate in enumerate(candidates, start=1):

        def hear(progress: "Progress", title: str = f"plan {place} of {len(candidates)}") -> None:
            listener.training(title, progress)

        rce = validate(build_of(following(candidate), rows, short), rows, short, rate, hear)
        listener.run_done(
            f"plan {place}", f"predicted loss {format_loss(candidate.loss)}, validation RCE {rce:.3f}"
        )
        tried.append(JudgedPlan(candidate, rce))
    return tried


def candidates_of(groups: Sequence[FeatureGroup], budget_bytes: int, most: int) -> list[Candidate]:
    """Return plans: the first has each table's best tiers, the next its second best."""
    shares = divide("auto", groups, budget_bytes)
    ranked = [
        alternatives(Forecast.of(group.counts.outlook, group.dim, group.carries_wide), share)
        for group, share in zip(groups, shares, strict=True)
    ]
    found = []
    for place in range(min(most, max(map(len, ranked)))):
        chosen = [choices[min(place, len(choices) - 1)] for choices in ranked]
        tiers = {group.dictionary: one.tiers for group, one in zip(groups, chosen, strict=True)}
        found.append(Candidate(tiers, sum(one.loss for one in chosen) / len(chosen)))
    return found


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


def _described(name: str, found: Plan) -> PlannedTable:
    tiers = zip(
        found.allocation.tiers,
        found.bytes_by_tier,
        found.allocation.loss_by_tier,
        found.reasons,
        strict=True,
    )
    return PlannedTable(
        name=name,
        bytes=found.num_bytes,
        budget_bytes=found.budget_bytes,
        baseline_bytes=found.baseline_bytes,
        trained_rows=found.num_trained_rows,
        loss=found.allocation.loss,
        loss_by_fingerprints=found.allocation.loss_by_fingerprints,
        tiers=tuple(
            PlannedTier(
                tier.num_keys,
                tier.bits,
                tier.num_codes,
                tier.dictionary.name,
                tier.key_bits,
                tier.num_rows,
                num_bytes,
                loss,
                reason,
            )
            for tier, num_bytes, loss, reason in tiers
        ),
        features=found.features,
    )


def _tried(one: JudgedPlan) -> TriedPlan:
    return TriedPlan(write_plan(one.candidate.tiers), one.candidate.loss, one.validation_rce)
