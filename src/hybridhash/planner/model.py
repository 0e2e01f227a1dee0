"""From groups of features, a method and a budget to the tables of a model with their keys."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from hybridhash.errors import InvalidValueError
from hybridhash.planner.demand import MethodOptions
from hybridhash.planner.groups import FeatureGroup
from hybridhash.planner.methods import METHODS
from hybridhash.spec import GroupSpec, ModelSpec, TableSpec
from hybridhash.tables import Blueprint


@dataclass(frozen=True)
class ModelBlueprint:
    """A model before it has values.

    Attributes:
        spec: Tables and layers.
        blueprints: The keys of each table, and their features, by the name of the dictionary.
    """

    spec: ModelSpec
    blueprints: Mapping[str, Blueprint]

    @property
    def has_head(self) -> bool:
        """Whether a key has a row of its own."""
        return any(blueprint.num_keys for blueprint in self.blueprints.values())

    def with_seed(self, seed: int) -> "ModelBlueprint":
        """Return the same tables with the hash functions of another seed."""

        def reseeded(groups: Sequence[GroupSpec]) -> tuple[GroupSpec, ...]:
            return tuple(replace(group, table=replace(group.table, seed=seed)) for group in groups)

        return ModelBlueprint(
            replace(self.spec, deep=reseeded(self.spec.deep), wide=reseeded(self.spec.wide)),
            {
                name: replace(blueprint, spec=replace(blueprint.spec, seed=seed))
                for name, blueprint in self.blueprints.items()
            },
        )


def divide(
    method: str, groups: Sequence[FeatureGroup], budget_bytes: int, options: MethodOptions | None = None
) -> list[int]:
    """Divide a budget over tables as a method does.

    Args:
        method: A name in `hybridhash.planner.METHODS`.
        groups: The features of each table.
        budget_bytes: The bytes that all tables may take together.
        options: Choices of the user; the defaults if not given.

    Returns:
        Bytes per table, together at most the budget.

    Raises:
        BudgetError: The budget is below the smallest tables.
    """
    return METHODS[method].divide([group.demand(0, options) for group in groups], budget_bytes)


def lay_out(
    method: str,
    groups: Sequence[FeatureGroup],
    budget_bytes: int,
    hidden: tuple[int, ...],
    options: MethodOptions | None = None,
    seed: int = 0,
) -> ModelBlueprint:
    """Give every table its rows.

    The budget is divided as the method does it, see `divide`.

    Args:
        method: A name in `hybridhash.planner.METHODS`.
        groups: The features of each table.
        budget_bytes: The bytes that all tables may take together.
        hidden: Widths of the hidden layers.
        options: Choices of the user; the defaults if not given.
        seed: Seed of the bucket hashes.

    Returns:
        The model before it has values.

    Raises:
        BudgetError: The budget is below the smallest tables.
        InvalidValueError: The options hold a plan of other tables, or of a table of another number of keys.
    """
    names = [group.dictionary for group in groups]
    strange = [name for name in (options.tiers if options else ()) if name not in names]
    if strange:
        raise InvalidValueError(
            f"--plan: expected tables among {', '.join(names)}, got {strange[0]!r}; plan again with hybridhash plan "
            "and these flags"
        )
    tables = _tables(method, groups, budget_bytes, options, seed)
    return assemble(groups, tables, hidden, METHODS[method].importance)


def assemble(
    groups: Sequence[FeatureGroup],
    tables: Sequence[TableSpec],
    hidden: tuple[int, ...],
    importance: str = "frequency",
) -> ModelBlueprint:
    """Put tables whose sizes are known together into a model.

    Args:
        groups: The features of each table.
        tables: One for each group.
        hidden: Widths of the hidden layers.
        importance: The measure by which the head keys are chosen.

    Returns:
        The model before it has values.
    """
    specs: dict[str, list[GroupSpec]] = {"deep": [], "wide": []}
    blueprints: dict[str, Blueprint] = {}
    for group, table in zip(groups, tables, strict=True):
        blueprints[group.dictionary] = Blueprint.of_counts(table, group.counts, importance)
        specs[group.part].append(GroupSpec(group.features, table, group.dictionary))
        if group.carries_wide:
            specs["wide"].append(GroupSpec(group.features, table.companion(), group.dictionary))
    return ModelBlueprint(ModelSpec(tuple(specs["deep"]), tuple(specs["wide"]), hidden), blueprints)


def why_no_head(
    method: str, groups: Sequence[FeatureGroup], budget_bytes: int, options: MethodOptions | None = None
) -> str | None:
    """Say that a budget is too small for the head that a method would have, and which budget is not.

    Args:
        method: A name in `hybridhash.planner.METHODS`.
        groups: The features of each table.
        budget_bytes: The bytes that all tables may take together.
        options: Choices of the user; the defaults if not given.

    Returns:
        One sentence; None where the method has a head, or would have none at any budget up to the baseline's.
    """

    def has_head(num_bytes: int) -> bool:
        return any(table.num_head for table in _tables(method, groups, num_bytes, options, seed=0))

    too_small, enough = budget_bytes, sum(group.baseline_bytes for group in groups)
    if has_head(budget_bytes) or not has_head(enough):
        return None
    while enough - too_small > 1:
        middle = (too_small + enough) // 2
        too_small, enough = (too_small, middle) if has_head(middle) else (middle, enough)
    return (
        f"{method}: the budget of {budget_bytes:,} bytes buys no row for a frequent key of its own, so all keys share "
        f"rows; the smallest that does is {enough:,} bytes (--budget {enough})"
    )


def _tables(
    method: str,
    groups: Sequence[FeatureGroup],
    budget_bytes: int,
    options: MethodOptions | None,
    seed: int,
) -> list[TableSpec]:
    shares = divide(method, groups, budget_bytes, options)
    return [
        METHODS[method].table(group.demand(share, options, seed))
        for group, share in zip(groups, shares, strict=True)
    ]
