"""``python -m benchmarks.quality``: run what is not kept yet, write the tables and the figure."""

import sys
from collections.abc import Sequence
from typing import Final

from benchmarks.quality.command import parse, run
from benchmarks.quality.plot import rce_against_bytes
from benchmarks.quality.study import PEERS_STUDY
from benchmarks.quality.summary import page
from hybridhash.files import write_text
from hybridhash.report import house_style

PROG: Final = "python -m benchmarks.quality"
PNG_DPI: Final = 150


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the cells that are asked for, then write the summary of all that are kept.

    Args:
        arguments: Of the command line; those of the process if not given.

    Returns:
        0; 1 where there is nothing to summarise.
    """
    options = parse(arguments, PEERS_STUDY, PROG, "Compare compressed embeddings at equal bytes.")
    panels = run(options, PEERS_STUDY)
    if not panels:
        sys.stderr.write(
            "benchmarks.quality: expected one data set or more, got none; see the reasons above\n"
        )
        return 1
    write_text(options.out / "quality.md", page(panels, "quality.png"))
    figure = rce_against_bytes(panels)
    with house_style():
        for ending in ("png", "svg"):
            figure.savefig(options.out / f"quality.{ending}", dpi=PNG_DPI, facecolor="white")
    print(f"written: {options.out / 'quality.md'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
