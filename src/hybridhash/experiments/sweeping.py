"""`sweep`, the procedure of the paper's table 3: the best head first, then the smallest tail that keeps its quality."""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction
from typing import Final, Literal

from hybridhash.errors import DivergedError, InvalidValueError
from hybridhash.experiments.amounts import Amount, parse_amount
from hybridhash.experiments.facts import head_of
from hybridhash.experiments.figures import figures_of
from hybridhash.experiments.output import (
    check_not_an_input,
    check_output_folder,
    input_files,
    output_folder,
    run_store,
)
from hybridhash.experiments.settings import SweepSettings
from hybridhash.files import write_text
from hybridhash.planner import METHODS, FeatureGroup, assemble, baseline_buckets
from hybridhash.report import write_sweep_report
from hybridhash.results import Figures, Sweep, SweepRow
from hybridhash.spec import Combine, ModelSpec, TableSpec
from hybridhash.trials import (
    Diverged,
    Listener,
    Opened,
    Trained,
    Trial,
    TrialRunner,
    Tuned,
    check_group,
    fingerprint,
    open_model,
)

SWEEP_FILE: Final = "sweep.json"
REPORT_FILE: Final = "report.html"
HEAD_BUCKETS: Final = Fraction(1, 2)
"""Share of the baseline's rows that all other keys hash into while the head is chosen; the paper's."""

# What changes neither a trained model nor its figures, and what the tables of a row say.
_NOT_OF_A_RUN: Final = {
    "out",
    "work_dir",
    "top_k",
    "buckets",
    "beside",
    "num_hashes",
    "combine",
    "seeds",
    "jobs",
}

Stage = Literal["head", "tail", "baseline"]


def sweep(
    data: Sequence[str], settings: SweepSettings, listener: Listener, *, version: str, command: str
) -> Sweep:
    """Choose a head and a tail as in the paper's table 3, and set all that was tried side by side.

    First each head of ``top_k`` keys, all others with one hash into half of the baseline's rows. Then, with
    the head that is best on the validation slice of the training span, each tail of ``buckets`` rows with
    ``num_hashes`` hashes. Then the baseline. Beside every row stands regular hashing at the bytes of the row.
    Learning rate and number of passes are chosen per row on the validation slice. The test span is read
    only to be judged by.

    Finished runs are kept in ``out/runs`` by their own settings: a call with another head, tail or seed trains
    only what is new. With several tables a count is divided in proportion to their keys.

    A row whose training diverges is named, with the seed, and ends no other; a head that diverges at every learning
    rate is not chosen.

    Args:
        data: Files, globs or folders.
        settings: What was asked for.
        listener: Hears how far it is.
        version: The version of this package, for the results file.
        command: The command as the user typed it, for the results file.

    Returns:
        What was written to ``out/sweep.json``.

    Raises:
        DivergedError: Every head diverged at every learning rate.
        HybridHashError: The data, the settings or the output folder cannot be used.

    Source: Zhang et al. 2020, section 4.1.4 and table 3.
    """
    heads = [parse_amount("--top-k", text) for text in dict.fromkeys(settings.top_k)]
    tails = [parse_amount("--buckets", text) for text in dict.fromkeys(settings.buckets)]
    if not heads:
        raise InvalidValueError("--top-k: expected one number of keys or more, got none")
    check_output_folder(settings.out)
    check_not_an_input([settings.out / SWEEP_FILE, settings.out / REPORT_FILE], input_files(data))
    with open_model(data, settings, listener) as opened, ExitStack() as held:
        prepared = opened.prepared
        check_group(prepared.dataset.rows, settings.group)
        rows_of = _Rows(opened, settings)
        runner = TrialRunner(prepared.dataset, settings, run_store(settings.out), settings.jobs)
        head_rows = [rows_of.head_row(head) for head in heads]  # refuses a head that is too large
        held.enter_context(output_folder(settings.out))
        best = best_head(
            [row.title for row in head_rows], runner.choose([row.trial for row in head_rows], listener)
        )
        listener.run_done("best head on the validation slice", head_rows[best].title)
        rows = [
            *head_rows,
            *(rows_of.tail_row(heads[best], tail) for tail in tails),
            rows_of.baseline_row(),
        ]
        twins = [rows_of.hashed_twin(row) if rows_of.has_twin(row) else None for row in rows]
        trials = [row.trial for row in (*rows, *twins) if row is not None]
        trained = runner.attempt(trials, listener)
        found = {trial.key: one for trial, one in zip(trials, trained, strict=True)}
        baseline = found[rows[-1].trial.key]
        results = Sweep(
            **head_of(prepared, settings, version, command),
            baseline_bytes=opened.baseline_bytes,
            baseline_rows=opened.baseline_rows,
            seeds=settings.seeds,
            best_head=head_rows[best].title,
            rows=tuple(
                rows_of.describe(row, twin, baseline, found) for row, twin in zip(rows, twins, strict=True)
            ),
        )
        write_text(settings.out / SWEEP_FILE, results.to_json())
        write_sweep_report(results, settings.out / REPORT_FILE)
    return results


def best_head(titles: Sequence[str], tuned: Sequence[Tuned | Diverged]) -> int:
    """Return the place of the highest validation RCE; of equal ones the first.

    Args:
        titles: The titles of the heads.
        tuned: What was tuned, or why nothing could be; such a head is left out.

    Raises:
        DivergedError: All are left out.
    """
    rces = {place: one.validation_rce for place, one in enumerate(tuned) if isinstance(one, Tuned)}
    if not rces:
        reasons = [one.reason for one in tuned if isinstance(one, Diverged)]
        raise DivergedError(
            "; ".join(f"{title}: {reason}" for title, reason in zip(titles, reasons, strict=True))
        )
    return max(rces, key=lambda place: (rces[place], -place))


@dataclass(frozen=True)
class _Row:
    """One line of the sweep.

    Attributes:
        stage: Which part of the procedure it belongs to.
        title: The name that people read.
        tail: Rows of the tail as a share of the baseline's, as written; empty for the baseline.
        trial: What is trained.
    """

    stage: Stage
    title: str
    tail: str
    trial: Trial

    @property
    def spec(self) -> ModelSpec:
        """The tables of the model."""
        return self.trial.blueprint.spec


@dataclass(frozen=True)
class _Rows:
    """Makes the rows of a sweep and describes what became of them."""

    opened: Opened
    settings: SweepSettings

    def head_row(self, head: Amount) -> _Row:
        tail = Amount(str(HEAD_BUCKETS), HEAD_BUCKETS)
        tables = self._tables(head, tail, 1, "sum")
        title = f"K = {sum(table.num_head for table in tables):,}, one hash, {tail.text}"
        return _Row("head", title, tail.text, self._trial(title, tables, validate=True))

    def tail_row(self, head: Amount, tail: Amount) -> _Row:
        hashes, combine = self.settings.num_hashes, self.settings.combine
        tables = self._tables(head, tail, hashes, combine)
        how = "one hash" if hashes == 1 else f"{_NAMES.get(hashes, str(hashes))} hashes, {combine}"
        title = f"K = {sum(table.num_head for table in tables):,}, {how}, {tail.text}"
        return _Row("tail", title, tail.text, self._trial(title, tables))

    def baseline_row(self) -> _Row:
        tables = [METHODS["baseline"].table(group.demand(0)) for group in self.opened.groups]
        return _Row("baseline", "baseline", "1", self._trial("baseline", tables))

    def has_twin(self, row: _Row) -> bool:
        return row.stage != "baseline" and self.settings.beside == "hashed"

    def hashed_twin(self, row: _Row) -> _Row:
        """Return regular hashing at the bytes of a row, table by table."""
        tables = [
            METHODS["hashed"].table(group.demand(table.embedding_bytes(group.carries_wide)))
            for group, table in zip(self.opened.groups, _tables_of(row.spec, self.opened.groups), strict=True)
        ]
        title = f"hashed at the bytes of {row.title}"
        return _Row(row.stage, title, "", self._trial(title, tables))

    def describe(
        self, row: _Row, twin: _Row | None, baseline: Trained, found: dict[str, Trained]
    ) -> SweepRow:
        """Return the figures of a row, with those of its hashed twin."""
        figures = self._figures(row, found)
        whole = None if baseline.diverged else baseline.ledger
        file_share = None
        if whole is not None and figures.file_bytes is not None:
            file_share = figures.file_bytes / whole.total_bytes
        return SweepRow(
            **vars(figures),
            stage=row.stage,
            title=row.title,
            tail=row.tail,
            hashed=None if twin is None else self._figures(twin, found),
            file_share=file_share,
        )

    def _figures(self, row: _Row, found: dict[str, Trained]) -> Figures:
        return figures_of(found[row.trial.key], row.spec, self.settings, self.opened.baseline_bytes)

    def _tables(self, head: Amount, tail: Amount, num_hashes: int, combine: Combine) -> list[TableSpec]:
        tables = []
        for group in self.opened.groups:
            num_keys, num_rows = group.counts.num_keys, baseline_buckets(group.counts.num_keys)
            num_head = head.of(num_keys, sum(item.counts.num_keys for item in self.opened.groups))
            if num_head > num_keys:
                raise InvalidValueError(
                    f"--top-k: expected at most the {num_keys:,} distinct keys of the training span, got {head.text}"
                )
            num_buckets = max(tail.of(num_rows, self.opened.baseline_rows), 1)
            tables.append(TableSpec(num_head, num_buckets, group.dim, num_hashes, group.combine(combine)))
        return tables

    def _trial(self, title: str, tables: Sequence[TableSpec], validate: bool = False) -> Trial:
        blueprint = assemble(self.opened.groups, tables, self.settings.hidden)
        fields = self.settings.model_dump(mode="json", exclude=_NOT_OF_A_RUN)
        key = fingerprint(self.opened.prepared.files, {**fields, "tables": blueprint.spec.as_dict()})
        return Trial(title, key, blueprint, self.settings.seeds, validate=validate)


_NAMES: Final = {2: "two", 3: "three", 4: "four", 8: "eight"}


def _tables_of(spec: ModelSpec, groups: Sequence[FeatureGroup]) -> list[TableSpec]:
    """Return the table of each group of features; wide companions belong to the group that carries them."""
    by_dictionary = {group.dictionary: group.table for group in (*spec.wide, *spec.deep)}
    return [by_dictionary[group.dictionary] for group in groups]
