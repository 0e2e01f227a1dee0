"""A data set, read and counted, and the tables of a model on it: where every command begins."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from hybridhash.data import Schema
from hybridhash.errors import InvalidValueError
from hybridhash.planner import (
    Budget,
    FeatureGroup,
    ModelBlueprint,
    baseline_buckets,
    group_features,
    lay_out,
    why_no_head,
)
from hybridhash.results import BudgetFacts
from hybridhash.trials.prepare import Prepared, prepare_rows, work_folder
from hybridhash.trials.progress import Listener
from hybridhash.trials.settings import ModelSettings, OpeningSettings, TableSettings
from hybridhash.vocabulary import Counts


@dataclass(frozen=True)
class LaidOut:
    """Methods at a budget.

    Attributes:
        budget: What the embeddings may take.
        blueprints: The blueprints by method, the model before it has values, with the hash functions of seed 0.
        notes: What a reader should know of them.
    """

    budget: BudgetFacts
    blueprints: Mapping[str, ModelBlueprint]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Opened:
    """A data set, and the tables of a model on it before they have a size.

    Attributes:
        prepared: The rows and the counts.
        groups: The features of each table.
    """

    prepared: Prepared
    groups: tuple[FeatureGroup, ...]

    @property
    def baseline_bytes(self) -> int:
        """Embedding bytes of the baseline."""
        return sum(group.baseline_bytes for group in self.groups)

    @property
    def baseline_rows(self) -> int:
        """Rows of the baseline."""
        return sum(baseline_buckets(group.counts.num_keys) for group in self.groups)

    @property
    def full_bytes(self) -> int:
        """Embedding bytes of the full tables, dictionaries included."""
        return sum(group.full_bytes for group in self.groups)

    def budget(self, asked: Budget) -> BudgetFacts:
        """Say how many bytes a budget is here.

        Args:
            asked: The budget as it was read.

        Raises:
            BudgetError: The budget is less than one byte, or more than the baseline.
        """
        num_bytes = asked.in_bytes(self.baseline_bytes, self.full_bytes)
        return BudgetFacts(asked.text, num_bytes, self.baseline_bytes, self.full_bytes)

    def lay_out(self, methods: Sequence[str], settings: ModelSettings, listener: Listener) -> LaidOut:
        """Lay out methods at the budget of the settings.

        Args:
            methods: Names in `hybridhash.planner.METHODS`.
            settings: The model and the budget.
            listener: Hears the notes.

        Raises:
            BudgetError: The budget is below the smallest tables.
        """
        budget = self.budget(settings.asked)
        blueprints = {
            method: lay_out(method, self.groups, budget.bytes, settings.hidden, settings.options)
            for method in methods
        }
        reasons = (
            why_no_head(method, self.groups, budget.bytes, settings.options)
            for method, blueprint in blueprints.items()
            if not blueprint.has_head
        )
        notes = tuple(reason for reason in reasons if reason is not None)
        for note in notes:
            listener.note(note)
        return LaidOut(budget, blueprints, notes)


@contextmanager
def open_model(data: Sequence[str], settings: OpeningSettings, listener: Listener) -> Iterator[Opened]:
    """Read and count a data set, and group its features into tables.

    Args:
        data: Files, globs or folders.
        settings: Columns, split, model.
        listener: Hears how far it is.

    Yields:
        The rows and the tables; the keys of the rows, which lie in the work folder, are removed afterwards.

    Raises:
        HybridHashError: The data or the settings cannot be used.
    """
    with work_folder(settings) as work_dir:
        prepared = prepare_rows(data, settings, work_dir, listener)
        yield Opened(prepared, groups_of(prepared.dataset.schema, prepared.counts, settings))


def groups_of(schema: Schema, counts: Counts, settings: TableSettings) -> tuple[FeatureGroup, ...]:
    """Group the features of a schema into tables as the settings say.

    Args:
        schema: The features.
        counts: The keys of the training span.
        settings: The model.

    Returns:
        As `hybridhash.planner.group_features` does.

    Raises:
        InvalidValueError: Crosses for the wide part of a model that has none.
    """
    both = settings.crosses == "both"
    deep = [item.name for item in schema.features if item.kind != "cross" or both]
    crosses = [name for name in schema.names if name not in deep]
    if crosses and settings.model != "wide-deep":
        raise InvalidValueError(
            f"--cross: expected none, got {', '.join(crosses)}: an {settings.model} has no wide part to read them; use "
            "--crosses both or --model wide-deep"
        )
    return group_features(
        counts,
        deep,
        crosses,
        dim=settings.dim,
        wide=settings.model == "wide-deep",
        joint=settings.tables == "joint",
    )
