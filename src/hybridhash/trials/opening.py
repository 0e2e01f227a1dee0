"""A data set, read and counted, and the tables of a model on it: where every command begins."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from hybridhash.planner import parse_budget
from hybridhash.results import BudgetFacts
from hybridhash.spec import baseline_buckets
from hybridhash.trials.layout import Layout, TablePlan, lay_out, plan_tables, why_no_head
from hybridhash.trials.prepare import Prepared, prepare_rows, work_folder
from hybridhash.trials.progress import Listener
from hybridhash.trials.settings import ModelSettings, OpeningSettings


@dataclass(frozen=True)
class LaidOut:
    """Methods at a budget.

    Attributes:
        budget: What the embeddings may take.
        layouts: By method, the layout of each seed.
        notes: What a reader should know of them.
    """

    budget: BudgetFacts
    layouts: Mapping[str, tuple[Layout, ...]]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Opened:
    """A data set, and the tables of a model on it before they have a size.

    Attributes:
        prepared: The rows and the counts.
        tables: What the tables must hold.
    """

    prepared: Prepared
    tables: tuple[TablePlan, ...]

    @property
    def baseline_bytes(self) -> int:
        """Embedding bytes of the baseline."""
        return sum(table.baseline_bytes() for table in self.tables)

    @property
    def baseline_rows(self) -> int:
        """Rows of the baseline."""
        return sum(baseline_buckets(table.counts.num_keys) for table in self.tables)

    def budget(self, asked: str) -> BudgetFacts:
        """Read a budget.

        Args:
            asked: A share of the baseline's bytes, such as ``10%``, or a size.

        Raises:
            BudgetError: The text says no size, less than one byte, or more than the baseline.
        """
        return BudgetFacts(asked, parse_budget(asked, self.baseline_bytes), self.baseline_bytes)

    def lay_out(
        self, methods: Sequence[str], settings: ModelSettings, seeds: Sequence[int], listener: Listener
    ) -> LaidOut:
        """Lay out methods at the budget of the settings.

        Args:
            methods: Names in `hybridhash.planner.METHODS`.
            settings: The model and the budget.
            seeds: Seeds of the bucket hashes.
            listener: Hears the notes.

        Raises:
            BudgetError: The budget is below the smallest tables, or cannot be read.
        """
        budget = self.budget(settings.budget)
        layouts = {
            method: tuple(lay_out(method, self.tables, budget.bytes, settings, seed) for seed in seeds)
            for method in methods
        }
        reasons = (why_no_head(method, self.tables, budget.bytes, settings) for method in methods)
        notes = tuple(reason for reason in reasons if reason is not None)
        for note in notes:
            listener.note(note)
        return LaidOut(budget, layouts, notes)


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
        yield Opened(prepared, tuple(plan_tables(prepared.dataset.schema, prepared.counts, settings)))
