"""``python -m benchmarks.quality``: run what is not kept yet, write the tables and the figure."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import torch
from paper.study import SkippedError

from benchmarks.quality.methods import METHODS
from benchmarks.quality.plot import rce_against_bytes
from benchmarks.quality.runs import Folders, run_set
from benchmarks.quality.sets import ROOT, data_sets, tiny_sets
from benchmarks.quality.shapes import shape_sets
from benchmarks.quality.summary import page, read_panels
from hybridhash.experiments import Silence
from hybridhash.files import write_text
from hybridhash.report import house_style

PNG_DPI: Final = 150
OF_SHAPES: Final = ("full", "hashed", "hybrid", "auto")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the cells that are asked for, then write the summary of all that are kept.

    Args:
        arguments: Of the command line; those of the process if not given.

    Returns:
        0; 1 where there is nothing to summarise.
    """
    options = _parse(arguments)
    folders = Folders(options.out, ROOT / "build" / "quality")
    for folder in (folders.results, folders.work):
        folder.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(options.jobs)  # one for each job
    for name in options.only:
        try:
            run_set(
                name, options.sets[name], options.methods, options.seeds, options.jobs, folders, _Printer()
            )
        except SkippedError as reason:
            print(f"{name}: skipped: {reason}", flush=True)
    panels = read_panels(folders.results, options.sets)
    if not panels:
        sys.stderr.write(
            "benchmarks.quality: expected one data set or more, got none; see the reasons above\n"
        )
        return 1
    write_text(folders.results / f"{options.name}.md", page(panels, f"{options.name}.png"))
    figure = rce_against_bytes(panels)
    with house_style():
        for ending in ("png", "svg"):
            figure.savefig(folders.results / f"{options.name}.{ending}", dpi=PNG_DPI, facecolor="white")
    print(f"written: {folders.results / options.name}.md")
    return 0


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.quality", description="Compare compressed embeddings at equal bytes."
    )
    parser.add_argument("--tiny", action="store_true", help="a stream of seconds: shows that all runs")
    parser.add_argument(
        "--shapes", action="store_true", help=f"on streams of other shapes: {', '.join(shape_sets())}"
    )
    parser.add_argument("--only", nargs="+", metavar="SET", help=f"which data sets: {', '.join(data_sets())}")
    parser.add_argument("--methods", nargs="+", choices=METHODS, help="which methods")
    parser.add_argument("--seeds", type=int, default=3, help="final runs of each cell (default 3)")
    parser.add_argument("--jobs", type=int, default=2, help="cells at a time (default 2)")
    parser.add_argument("--out", type=Path, help="folder of the results (default benchmarks/results)")
    options = parser.parse_args(arguments)
    options.name = "shapes" if options.shapes else "quality"
    options.sets = tiny_sets() if options.tiny else shape_sets() if options.shapes else data_sets()
    if options.methods is None:
        options.methods = OF_SHAPES if options.shapes else METHODS
    options.only = list(options.sets) if options.only is None else options.only
    unknown = [name for name in options.only if name not in options.sets]
    if unknown:
        parser.error(f"--only: expected names among {', '.join(options.sets)}, got {', '.join(unknown)}")
    for name in ("seeds", "jobs"):
        if getattr(options, name) < 1:
            parser.error(f"--{name}: expected 1 or more, got {getattr(options, name)}")
    if options.out is None:
        options.out = ROOT / ("build/quality-tiny" if options.tiny else "benchmarks/results")
    return options


class _Printer(Silence):
    """A listener that prints finished runs and notes."""

    def run_done(self, title: str, summary: str) -> None:
        print(f"{title}: {summary}", flush=True)

    def note(self, text: str) -> None:
        print(f"note: {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
