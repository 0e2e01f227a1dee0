"""``hybridhash sweep``."""

from typing import Annotated

from cyclopts import Parameter

from hybridhash import __version__
from hybridhash.cli.common import command_line, print_table, say, terminal
from hybridhash.cli.progress import TerminalListener
from hybridhash.cli.settle import Experiment, settle
from hybridhash.experiments import SweepSettings


def sweep(
    *data: str,
    settings: Annotated[SweepSettings | None, Parameter(name="*")] = None,
    experiment: Experiment = None,
) -> None:
    """Choose how many keys get rows of their own, then how few rows the others need, as the paper did.

    Trains every head of --top-k keys with one hash into half of the baseline's rows for all other keys; with
    the head that is best on the validation slice, every tail of --buckets rows with two hashes; and the
    baseline. Beside every row stands regular hashing at the same bytes. Leaves sweep.json and report.html in
    the output folder. Run it again to go on after an interruption; another head, tail or seed trains only
    what is new.

    Args:
        data: Files, globs, or the folder of a known data set.
    """
    files, wanted = settle(SweepSettings, data, settings, experiment)
    from hybridhash.experiments import sweep as run
    from hybridhash.report import sweep_table

    console = terminal()
    with TerminalListener(console) as listener:
        results = run(files, wanted, listener, version=__version__, command=command_line())
    print_table(sweep_table(results))
    say(console, f"written: {wanted.out / 'sweep.json'}, {wanted.out / 'report.html'}")
