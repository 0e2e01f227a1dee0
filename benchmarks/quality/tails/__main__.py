"""``python -m benchmarks.quality.tails``: run what is not kept yet, write the verdict and the tables."""

import sys
from collections.abc import Sequence
from typing import Final

from benchmarks.quality.benchmark import TAILS_BENCHMARK
from benchmarks.quality.command import parse, run
from benchmarks.quality.sets import REAL_SETS
from benchmarks.quality.verdict import page
from hybridhash.files import write_text

PROG: Final = "python -m benchmarks.quality.tails"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the cells that are asked for, then write the verdict on all that are kept.

    Args:
        arguments: Of the command line; those of the process if not given.

    Returns:
        0; 1 where there is nothing to judge.
    """
    options = parse(arguments, TAILS_BENCHMARK, PROG, "Compare tails below one head at equal bytes.")
    panels = run(options, TAILS_BENCHMARK)
    if not panels:
        sys.stderr.write(
            "benchmarks.quality.tails: expected one data set or more, got none; see the reasons above\n"
        )
        return 1
    real = [options.sets[name].title for name in REAL_SETS if name in options.sets]
    write_text(options.out / "tails.md", page(panels, real))
    print(f"written: {options.out / 'tails.md'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
