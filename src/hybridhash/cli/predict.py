"""``hybridhash predict``."""

import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from hybridhash.cli.common import say, terminal
from hybridhash.cli.progress import TerminalListener


def predict(
    model: Path,
    /,
    *data: str,
    out: Annotated[
        Path | None, Parameter(help="A .csv or .parquet file; CSV on standard output if not given.")
    ] = None,
    format: Annotated[str | None, Parameter(help="A data set whose columns are known.")] = None,
) -> None:
    """Write the probability of every row, in the order of the rows.

    Args:
        model: An exported model.
        data: Files, globs, or the folder of a known data set.
    """
    from hybridhash.experiments import predict_file as run

    console = terminal()
    with TerminalListener(console) as listener:
        num_rows = run(model, data, sys.stdout.buffer if out is None else out, listener, format=format)
    if out is not None:
        say(console, f"written: {out}, {num_rows:,} rows")
