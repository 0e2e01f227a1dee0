"""All cells of a data set: which there are, and their runs, kept as they finish."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

from paper.rows import Rows, row_key

from benchmarks.quality.benchmark import Benchmark
from benchmarks.quality.cell import fit, judge, tune, tune_on_grid
from benchmarks.quality.methods import FULL, Span
from benchmarks.quality.sets import DataSet
from hybridhash.data import TRAIN, VALIDATION, KeyedRows
from hybridhash.errors import DivergedError
from hybridhash.experiments import Listener
from hybridhash.trials import (
    RUNS_VERSION,
    TUNING_VERSION,
    FitSettings,
    Prepared,
    Tuned,
    prepare_rows,
    run_jobs,
    work_folder,
)

# Raise it with every change of a peer, a tail or this harness after which the same settings give other numbers.
VERSION: Final = 1


@dataclass(frozen=True)
class Cell:
    """A method on a data set at a budget.

    Attributes:
        method: One of the benchmark's.
        share: Of the full table's bytes; 1 for the full table itself.
        budget_bytes: The same in bytes.
    """

    method: str
    share: float
    budget_bytes: int


def cells_of(methods: Sequence[str], shares: Sequence[float], full_bytes: int) -> list[Cell]:
    """Return the cells: the full table once, every other method at every budget."""
    cells = [Cell(FULL, 1.0, full_bytes)] if FULL in methods else []
    return cells + [
        Cell(method, share, int(share * full_bytes))
        for share in shares
        for method in methods
        if method != FULL
    ]


def run_set(
    benchmark: Benchmark,
    name: str,
    data: DataSet,
    methods: Sequence[str],
    seeds: int,
    jobs: int,
    folders: "Folders",
    listener: Listener,
) -> None:
    """Run what is not kept yet of a data set, and keep it in the benchmark's file.

    Args:
        benchmark: What is compared.
        name: Of the data set.
        data: Its rows and settings.
        methods: Which to run.
        seeds: How often each is trained on the whole training span.
        jobs: Cells at a time.
        folders: Where rows are kept, and where streams are.
        listener: Hears of finished runs.

    Raises:
        SkippedError: The rows are not there.
    """
    files = data.files(folders.work)
    settings = data.settings.model_copy(update={"work_dir": folders.work})
    with work_folder(settings) as work_dir:
        prepared = prepare_rows([files], settings, work_dir, listener)
        rows = prepared.dataset.rows
        full_bytes = Span(rows, (TRAIN, VALIDATION), data.settings).full_bytes
        common = {
            "set": name,
            "title": data.title,
            "full_bytes": full_bytes,
            "rates": data.settings.learning_rate,
            "of": digest(prepared, data.settings, *versions_of(benchmark)),
        }
        path = benchmark.rows_of(folders.results, name)
        work = partial(_run_cell, benchmark.runoff, rows, data.settings, common, seeds, path)
        run_jobs(work, cells_of(methods, benchmark.shares, full_bytes), jobs, listener)


@dataclass(frozen=True)
class Folders:
    """Where things are.

    Attributes:
        results: Of the kept rows.
        work: Of streams and encoded rows, which can be made again.
    """

    results: Path
    work: Path


def versions_of(benchmark: Benchmark) -> tuple[int, ...]:
    """Return what else the rows of a benchmark depend on: the package's way of tuning, where it is followed."""
    return (TUNING_VERSION,) if benchmark.runoff else ()


def digest(prepared: Prepared, settings: FitSettings, *versions: int) -> str:
    """Name all that the rows of a data set depend on, whatever folder the data lies in.

    Args:
        prepared: The data.
        settings: How models read it and are trained.
        versions: Of what these rows depend on beside this harness and the package.
    """
    files = [(Path(file).name, Path(file).stat().st_size) for file in prepared.files]
    # What has come since rows were kept is left out where it is not used, so that these stay valid.
    fields = settings.model_dump(mode="json", exclude={"quote"} if settings.quote is None else None)
    return row_key(files=files, settings=fields, versions=(VERSION, RUNS_VERSION, *versions))


def _run_cell(
    runoff: bool,
    rows: KeyedRows,
    settings: FitSettings,
    common: Mapping[str, Any],
    seeds: int,
    path: Path,
    cell: Cell,
    listener: Listener,
) -> None:
    kept = Rows(path)
    named = {**common, "method": cell.method, "share": cell.share, "budget_bytes": cell.budget_bytes}
    title = f"{common['set']}, {cell.method}, {cell.share:.1%}"
    start = time.perf_counter()
    try:
        asked = {**named, "kind": "tuned"}
        found = kept.get(row_key(**asked))
        if found is None:
            tuning = (tune if runoff else tune_on_grid)(cell.method, rows, settings, cell.budget_bytes)
            record = {"tuned": vars(tuning.tuned), "curves": tuning.curves}
            seconds = {"seconds": time.perf_counter() - start}
            found = kept.keep(row_key(**asked), {**asked, **record, **seconds})
        tuned = Tuned(**found["tuned"])
        # Without a run-off the grid is all there is to know of the choice.
        choice = {"learning_rate": tuned.learning_rate, "epochs": tuned.epochs} if runoff else {}
        for seed in range(seeds):
            run = {**named, **choice, "kind": "judged", "seed": seed}
            if kept.get(row_key(**run)) is None:
                start = time.perf_counter()
                results = judge(fit(cell.method, rows, settings, cell.budget_bytes, tuned, seed), rows)
                seconds = {"seconds": time.perf_counter() - start}
                kept.keep(row_key(**run), {**run, **results, "tuned": vars(tuned), **seconds})
                listener.run_done(f"{title}, seed {seed}", f"RCE {results['rce']:.2f}, {tuned}")
    except DivergedError as error:
        listener.note(f"{title}: {error}")
