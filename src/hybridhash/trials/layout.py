"""From counts, a method and a budget to the spec of a model and its vocabularies."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from hybridhash.data import Schema
from hybridhash.errors import InvalidValueError
from hybridhash.planner import METHODS, read_plan
from hybridhash.spec import (
    Combine,
    Demand,
    GroupSpec,
    Ledger,
    ModelSpec,
    TableSpec,
    baseline_bytes,
)
from hybridhash.tables import Blueprint
from hybridhash.trials.settings import ModelSettings, TableSettings
from hybridhash.vocabulary import Counts


@dataclass(frozen=True)
class TablePlan:
    """One table before it has a size.

    Attributes:
        part: ``deep`` or ``wide``: what reads it.
        dictionary: Name of its head keys.
        features: Names, in schema order.
        counts: The keys it serves.
        dim: Floats in a vector.
        carries_wide: Whether each row also carries a wide weight.
    """

    part: Literal["deep", "wide"]
    dictionary: str
    features: tuple[str, ...]
    counts: Counts
    dim: int
    carries_wide: bool

    def plain_demand(self, budget_bytes: int, seed: int = 0) -> Demand:
        """Say what the table must serve, and may cost, to a method without a head or a choice of hashes."""
        return Demand(
            num_keys=self.counts.num_keys,
            num_features=len(self.features),
            dim=self.dim,
            budget_bytes=budget_bytes,
            wide=self.carries_wide,
            seed=seed,
        )

    def demand(self, budget_bytes: int, settings: ModelSettings, seed: int) -> Demand:
        """Say what the table must serve, and may cost, to any method."""
        return replace(
            self.plain_demand(budget_bytes, seed),
            head_share=settings.head_share,
            num_hashes=settings.num_hashes,
            combine=self.combine(settings.combine),
            outlook=lambda: self.counts.outlook,
            tiers=read_plan(settings.plan).get(self.dictionary, ()),
        )

    def combine(self, wanted: Combine) -> Combine:
        """Return how hashed rows become one vector: chunks of a single weight cannot be joined."""
        return "mean" if self.dim == 1 and wanted == "concat" else wanted

    def baseline_bytes(self) -> int:
        """Return the bytes of the table hashed into as many rows as it has keys."""
        return baseline_bytes(self.plain_demand(0))

    def embedding_bytes(self, table: TableSpec) -> int:
        """Return the bytes of a table with its dictionary and the wide weights it carries."""
        wide = table.companion().ledger() if self.carries_wide else Ledger()
        return table.ledger().embedding_bytes + wide.head_rows + wide.tail_rows + wide.scales


@dataclass(frozen=True)
class Layout:
    """A model's spec and the head keys it names.

    Attributes:
        spec: Tables and layers.
        blueprints: The keys of each table, and their features, by dictionary name.
    """

    spec: ModelSpec
    blueprints: dict[str, Blueprint]


def plan_tables(schema: Schema, counts: Counts, settings: TableSettings) -> list[TablePlan]:
    """Group the features into tables.

    The wide part has one weight on every row of the deep tables. Where crosses are for the wide part alone,
    it has tables of its own, over all features and crosses.

    Args:
        schema: The features.
        counts: The keys of the training span.
        settings: The model.

    Returns:
        The deep tables and, where the wide part stands apart, the wide ones.

    Raises:
        InvalidValueError: Crosses for the wide part of a model that has none.
    """
    deep = [item.name for item in schema.features if item.kind != "cross" or settings.crosses == "both"]
    has_wide = settings.model == "wide-deep"
    if not has_wide and len(deep) < len(schema.names):
        raise InvalidValueError(
            f"--cross: expected none, got {', '.join(schema.names[len(deep) :])}: an {settings.model} has no wide "
            "part to read them; use --crosses both or --model wide-deep"
        )
    apart = len(deep) < len(schema.names)

    def plans(
        part: Literal["deep", "wide"], names: Sequence[str], dim: int, carries_wide: bool
    ) -> list[TablePlan]:
        joint = settings.tables == "joint"
        groups = [tuple(names)] if joint else [(name,) for name in names]
        return [
            TablePlan(
                part,
                f"{part}:{'joint' if joint else group[0]}",
                group,
                counts.restrict(group),
                dim,
                carries_wide,
            )
            for group in groups
        ]

    return [
        *plans("deep", deep, settings.dim, carries_wide=has_wide and not apart),
        *(plans("wide", schema.names, 1, carries_wide=False) if apart else []),
    ]


def divide_budget(
    method: str, plans: Sequence[TablePlan], budget_bytes: int, settings: ModelSettings
) -> list[int]:
    """Divide a budget over tables as a method does.

    Args:
        method: A name in `hybridhash.planner.METHODS`.
        plans: The tables.
        budget_bytes: The bytes that all of them may take together.
        settings: The model.

    Returns:
        Bytes per table, together at most the budget.

    Raises:
        BudgetError: The budget is below the smallest tables.
    """
    return METHODS[method].divide([plan.demand(0, settings, seed=0) for plan in plans], budget_bytes)


def lay_out(
    method: str, plans: Sequence[TablePlan], budget_bytes: int, settings: ModelSettings, seed: int
) -> Layout:
    """Give every table its rows.

    The budget is divided as the method does it, see `divide_budget`.

    Args:
        method: A name in `hybridhash.planner.METHODS`.
        plans: The plans of the tables from `plan_tables`.
        budget_bytes: The bytes that all tables may take together.
        settings: The model.
        seed: The seed of the bucket hashes.

    Returns:
        The layout.

    Raises:
        BudgetError: The budget is below the smallest tables.
        InvalidValueError: The settings hold a plan of other tables, or of a table of another number of keys.
    """
    names = [plan.dictionary for plan in plans]
    strange = [name for name in read_plan(settings.plan) if name not in names]
    if strange:
        raise InvalidValueError(
            f"--plan: expected tables among {', '.join(names)}, got {strange[0]!r}; plan again with hybridhash plan "
            "and these flags"
        )
    tables = [
        METHODS[method].table(plan.demand(share_bytes, settings, seed))
        for plan, share_bytes in zip(plans, divide_budget(method, plans, budget_bytes, settings), strict=True)
    ]
    return assemble(plans, tables, settings.hidden, METHODS[method].importance)


def assemble(
    plans: Sequence[TablePlan],
    tables: Sequence[TableSpec],
    hidden: tuple[int, ...],
    importance: str = "frequency",
) -> Layout:
    """Put tables whose sizes are known together into a model.

    Args:
        plans: The plans of the tables from `plan_tables`.
        tables: One for each plan.
        hidden: Widths of the hidden layers.
        importance: The measure by which the head keys are chosen.

    Returns:
        The layout.
    """
    groups: dict[str, list[GroupSpec]] = {"deep": [], "wide": []}
    blueprints: dict[str, Blueprint] = {}
    for plan, table in zip(plans, tables, strict=True):
        blueprints[plan.dictionary] = Blueprint.of_counts(table, plan.counts, importance)
        groups[plan.part].append(GroupSpec(plan.features, table, plan.dictionary))
        if plan.carries_wide:
            groups["wide"].append(GroupSpec(plan.features, table.companion(), plan.dictionary))
    return Layout(ModelSpec(tuple(groups["deep"]), tuple(groups["wide"]), hidden), blueprints)


def why_no_head(
    method: str, plans: Sequence[TablePlan], budget_bytes: int, settings: ModelSettings
) -> str | None:
    """Say that a budget is too small for the head that a method would have, and which budget is not.

    Args:
        method: A name in `hybridhash.planner.METHODS`.
        plans: The plans of the tables from `plan_tables`.
        budget_bytes: The bytes that all tables may take together.
        settings: The model.

    Returns:
        One sentence; None where the method has a head, or would have none at any budget up to the baseline's.
    """

    def has_head(num_bytes: int) -> bool:
        shares = divide_budget(method, plans, num_bytes, settings)
        tables = (
            METHODS[method].table(plan.demand(share_bytes, settings, seed=0))
            for plan, share_bytes in zip(plans, shares, strict=True)
        )
        return any(table.num_head for table in tables)

    too_small, enough = budget_bytes, sum(plan.baseline_bytes() for plan in plans)
    if has_head(budget_bytes) or not has_head(enough):
        return None
    while enough - too_small > 1:
        middle = (too_small + enough) // 2
        too_small, enough = (too_small, middle) if has_head(middle) else (middle, enough)
    return (
        f"{method}: the budget of {budget_bytes:,} bytes buys no row for a frequent key of its own, so all keys share "
        f"rows; the smallest that does is {enough:,} bytes (--budget {enough})"
    )
