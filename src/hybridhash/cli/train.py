"""``hybridhash train``."""

from typing import Annotated

from cyclopts import Parameter

from hybridhash.cli.common import AsJson, ledger_table, print_json, print_table, say, terminal
from hybridhash.cli.progress import TerminalListener
from hybridhash.cli.settle import Experiment, settle
from hybridhash.experiments import SingleSettings


def train(
    *data: str,
    settings: Annotated[SingleSettings | None, Parameter(name="*")] = None,
    experiment: Experiment = None,
    json: AsJson = False,
) -> None:
    """Train one model with one method at a byte budget and export it.

    Learning rate and number of passes are chosen on the end of the training span, then the model is
    trained on all of it and judged on the later span. Run it again to go on after an interruption.

    Args:
        data: Files, globs, or the folder of a known data set.
    """
    files, wanted = settle(SingleSettings, data, settings, experiment)
    from hybridhash.experiments import train_one as run

    console = terminal()
    with TerminalListener(console) as listener:
        result = run(files, wanted, listener)
    if json:
        print_json(result)
        return
    print_table(ledger_table(result.ledger))
    quality = result.quality
    print(
        f"test RCE {quality.rce:.3f}, AUC {quality.auc:.4f}, log loss {quality.log_loss:.4f}, "
        f"calibration {quality.calibration:.3f}"
    )
    say(console, f"written: {wanted.out}")
