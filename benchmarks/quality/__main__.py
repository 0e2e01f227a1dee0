"""``python -m benchmarks.quality``: run what is not kept yet, write the tables and the figure."""

import sys
from collections.abc import Sequence
from typing import Final

from benchmarks.quality.benchmark import PEERS_BENCHMARK, Benchmark
from benchmarks.quality.command import parse, run
from benchmarks.quality.plot import rce_against_bytes
from benchmarks.quality.summary import page
from hybridhash.files import write_text
from hybridhash.report import house_style

PROG: Final = "python -m benchmarks.quality"
PNG_DPI: Final = 150


def main(
    arguments: Sequence[str] | None = None, benchmark: Benchmark = PEERS_BENCHMARK, prog: str = PROG
) -> int:
    """Run the cells that are asked for, then write the summary of all that are kept.

    Args:
        arguments: Of the command line; those of the process if not given.
        benchmark: What is compared.
        prog: How the command is called.

    Returns:
        0; 1 where there is nothing to summarise.
    """
    options = parse(arguments, benchmark, prog, "Compare compressed embeddings at equal bytes.")
    panels = run(options, benchmark)
    if not panels:
        sys.stderr.write(
            "benchmarks.quality: expected one data set or more, got none; see the reasons above\n"
        )
        return 1
    write_text(options.out / f"{benchmark.name}.md", page(panels, f"{benchmark.name}.png"))
    figure = rce_against_bytes(panels)
    with house_style():
        for ending in ("png", "svg"):
            figure.savefig(options.out / f"{benchmark.name}.{ending}", dpi=PNG_DPI, facecolor="white")
    print(f"written: {options.out / benchmark.name}.md")
    return 0


if __name__ == "__main__":
    sys.exit(main())
