"""``hybridhash predict``."""

import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from hybridhash.cli.common import say, terminal
from hybridhash.cli.progress import TerminalListener
from hybridhash.cli.settle import Experiment, settle
from hybridhash.experiments import PredictSettings


def predict(
    model: Path,
    /,
    *data: str,
    out: Annotated[
        Path | None, Parameter(help="A .csv or .parquet file; CSV on standard output if not given.")
    ] = None,
    settings: Annotated[PredictSettings | None, Parameter(name="*")] = None,
    experiment: Experiment = None,
) -> None:
    """Write the probability of every row, in the order of the rows.

    Args:
        model: An exported model.
        data: Files, globs, or the folder of a known data set.
    """
    files, wanted = settle(PredictSettings, data, settings, experiment)
    from hybridhash.experiments import predict_file as run

    console = terminal()
    with TerminalListener(console) as listener:
        num_rows = run(
            model,
            files,
            sys.stdout.buffer if out is None else out,
            listener,
            format=wanted.format,
            quote=wanted.quote,
            keep=wanted.keep,
        )
    if out is not None:
        say(console, f"written: {out}, {num_rows:,} rows")
