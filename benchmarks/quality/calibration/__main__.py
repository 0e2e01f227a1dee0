"""``python -m benchmarks.quality.calibration``: measure what is not kept yet, write the record."""

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import torch
from paper.rows import Row, Rows, row_key
from paper.study import SkippedError

from benchmarks.quality.calibration.full_table import FullTable
from benchmarks.quality.calibration.measure import bands, coding, directions, rounding, unseen
from benchmarks.quality.calibration.page import page
from benchmarks.quality.runs import digest
from benchmarks.quality.sets import ROOT, DataSet, data_sets, tiny_sets
from hybridhash.experiments import Silence
from hybridhash.files import write_text
from hybridhash.trials import prepare_rows, work_folder


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure each data set with each seed, then write ``calibration.md`` from all that is kept.

    Args:
        arguments: Of the command line; those of the process if not given.

    Returns:
        0; 1 where there is no data set.
    """
    options = _parse(arguments)
    work = ROOT / "build" / "quality"
    for folder in (options.out, work):
        folder.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    kept = Rows(options.out / "calibration.jsonl")
    rows: list[Row] = []
    for name, data in (tiny_sets() if options.tiny else data_sets()).items():
        try:
            rows += _measured(name, data, options.seeds, kept, work)
        except SkippedError as reason:
            print(f"{name}: skipped: {reason}", flush=True)
    if not rows:
        sys.stderr.write("benchmarks.quality.calibration: expected one data set or more, got none\n")
        return 1
    write_text(options.out / "calibration.md", page(rows))
    print(f"written: {options.out / 'calibration.md'}")
    return 0


def _measured(name: str, data: DataSet, seeds: int, kept: Rows, work: Path) -> Iterator[dict[str, Any]]:
    """Yield the rows of a data set."""
    settings = data.settings.model_copy(update={"work_dir": work})
    with work_folder(settings) as work_dir:
        prepared = prepare_rows([data.files(work)], settings, work_dir, Silence())
        for seed in range(seeds):
            named = {"set": name, "seed": seed, "of": digest(prepared, data.settings)}
            found = kept.get(row_key(**named))
            if found is None:
                start = time.perf_counter()
                full = FullTable(prepared.dataset.rows, data.settings, seed)
                measures = chain(bands(full), [unseen(full)], rounding(full), coding(full), directions(full))
                found = kept.keep(row_key(**named), {**named, "rce": full.rce, "measures": list(measures)})
                print(f"{name}, seed {seed}: {time.perf_counter() - start:.0f} s", flush=True)
            yield from ({"set": name, "title": data.title, "seed": seed, **row} for row in found["measures"])


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.quality.calibration",
        description="Measure the constants of the planner's losses on validation slices.",
    )
    parser.add_argument("--tiny", action="store_true", help="a stream of seconds: shows that all runs")
    parser.add_argument("--seeds", type=int, default=3, help="models of each data set (default 3)")
    parser.add_argument("--out", type=Path, help="folder of the record (default benchmarks/results)")
    options = parser.parse_args(arguments)
    if options.seeds < 1:
        parser.error(f"--seeds: expected 1 or more, got {options.seeds}")
    if options.out is None:
        options.out = ROOT / ("build/quality-tiny" if options.tiny else "benchmarks/results")
    return options


if __name__ == "__main__":
    sys.exit(main())
