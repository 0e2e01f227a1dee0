"""``hybridhash continuous``."""

from typing import Annotated

from cyclopts import Parameter

from hybridhash import __version__
from hybridhash.cli.common import command_line, print_table, say, terminal
from hybridhash.cli.progress import TerminalListener
from hybridhash.cli.settle import Experiment, settle
from hybridhash.experiments import ContinuousSettings


def continuous(
    *data: str,
    settings: Annotated[ContinuousSettings | None, Parameter(name="*")] = None,
    experiment: Experiment = None,
) -> None:
    """Train methods on a first span, then on one window of time after the other, each predicted first.

    The first span is the training span of --split, such as time:24h; vocabulary, bins and learning rate come
    from it alone. Every --window behind it is predicted by a model that has seen only what came before, then
    learned in one pass. The methods see the same rows in the same order; differences are taken seed by seed.
    Leaves continuous.json and report.html in the output folder. Run it again to go on after an interruption.

    Args:
        data: Files, globs, or the folder of a known data set.
    """
    files, wanted = settle(ContinuousSettings, data, settings, experiment)
    from hybridhash.experiments import continuous as run
    from hybridhash.report import continuous_table

    console = terminal()
    with TerminalListener(console) as listener:
        results = run(files, wanted, listener, version=__version__, command=command_line())
    print_table(continuous_table(results))
    say(console, f"written: {wanted.out / 'continuous.json'}, {wanted.out / 'report.html'}")
