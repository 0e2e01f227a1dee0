"""``hybridhash compare``."""

from typing import Annotated

from cyclopts import Parameter

from hybridhash import __version__
from hybridhash.cli.common import command_line, print_table, say, terminal
from hybridhash.cli.progress import TerminalListener
from hybridhash.cli.settle import Experiment, settle
from hybridhash.experiments import CompareSettings


def compare(
    *data: str,
    settings: Annotated[CompareSettings | None, Parameter(name="*")] = None,
    experiment: Experiment = None,
) -> None:
    """Train a model with each compression method at one byte budget and set the results side by side.

    Reads Parquet, CSV or TSV (also .gz, globs, larger than memory), learns vocabulary and bins on the
    training span only, tunes on its end, trains once per method and seed, and judges on the later span.
    Prints a table and a verdict; leaves results.json, report.html and one exported model per method in the
    output folder. Run it again to go on after an interruption.

    Args:
        data: Files, globs, or the folder of a known data set.
    """
    files, wanted = settle(CompareSettings, data, settings, experiment)
    from hybridhash.experiments import compare as run
    from hybridhash.report import comparison_table, verdict_of

    console = terminal()
    with TerminalListener(console) as listener:
        results = run(files, wanted, listener, version=__version__, command=command_line())
    print_table(comparison_table(results))
    print(verdict_of(results))
    say(console, f"written: {wanted.out / 'results.json'}, {wanted.out / 'report.html'}")
