"""What the commands of all benchmarks have in common: their options, and the runs that these ask for."""

import argparse
from collections.abc import Sequence
from pathlib import Path

import torch
from paper.study import SkippedError

from benchmarks.quality.benchmark import Benchmark
from benchmarks.quality.runs import Folders, run_set
from benchmarks.quality.sets import ROOT, tiny_sets
from benchmarks.quality.summary import Panel, read_panels
from hybridhash.experiments import Silence


def parse(
    arguments: Sequence[str] | None, benchmark: Benchmark, prog: str, description: str
) -> argparse.Namespace:
    """Read the options of a benchmark's command.

    Args:
        arguments: Of the command line; those of the process if None.
        benchmark: What is compared.
        prog: How the command is called.
        description: What it does.

    Returns:
        ``sets`` (the data sets by name), ``only`` (which of them), ``methods``, ``seeds``, ``jobs`` and ``out``.

    Raises:
        SystemExit: An option is not among what it may be; the reason is on standard error.
    """
    parser = argparse.ArgumentParser(prog=prog, description=description)
    parser.add_argument("--tiny", action="store_true", help="a stream of seconds: shows that all runs")
    parser.add_argument(
        "--only", nargs="+", metavar="SET", help=f"which data sets: {', '.join(benchmark.sets())}"
    )
    parser.add_argument(
        "--methods", nargs="+", choices=benchmark.methods, default=benchmark.methods, help="which methods"
    )
    parser.add_argument(
        "--seeds", type=int, help="final runs of each cell (default: as many as the set needs)"
    )
    parser.add_argument("--jobs", type=int, default=2, help="cells at a time (default 2)")
    parser.add_argument("--out", type=Path, help="folder of the results (default benchmarks/results)")
    options = parser.parse_args(arguments)
    options.sets = tiny_sets() if options.tiny else benchmark.sets()
    options.only = list(options.sets) if options.only is None else options.only
    unknown = [name for name in options.only if name not in options.sets]
    if unknown:
        parser.error(f"--only: expected names among {', '.join(options.sets)}, got {', '.join(unknown)}")
    for name in ("seeds", "jobs"):
        if getattr(options, name) is not None and getattr(options, name) < 1:
            parser.error(f"--{name}: expected 1 or more, got {getattr(options, name)}")
    if options.out is None:
        options.out = ROOT / (f"build/{benchmark.name}-tiny" if options.tiny else "benchmarks/results")
    return options


def run(options: argparse.Namespace, benchmark: Benchmark) -> list[Panel]:
    """Run what is asked for and not kept yet; say on standard output what is done and what is skipped.

    Args:
        options: From `parse`.
        benchmark: What is compared.

    Returns:
        All that is kept of the benchmark, which may be more than was asked for.
    """
    folders = Folders(options.out, ROOT / "build" / "quality")
    for folder in (folders.results, folders.work):
        folder.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(options.jobs)  # one for each job
    for name in options.only:
        data = options.sets[name]
        try:
            seeds = options.seeds or benchmark.seeds or data.seeds
            run_set(benchmark, name, data, options.methods, seeds, options.jobs, folders, _Printer())
        except SkippedError as reason:
            print(f"{name}: skipped: {reason}", flush=True)
    return read_panels(folders.results, options.sets, benchmark)


class _Printer(Silence):
    """A listener that prints finished runs and notes."""

    def run_done(self, title: str, summary: str) -> None:
        print(f"{title}: {summary}", flush=True)

    def note(self, text: str) -> None:
        print(f"note: {text}", flush=True)
