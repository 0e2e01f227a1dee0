"""``hybridhash evaluate``."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from hybridhash.cli.common import AsJson, print_json, terminal
from hybridhash.cli.progress import TerminalListener


def evaluate(
    model: Path,
    /,
    *data: str,
    format: Annotated[str | None, Parameter(help="A data set whose columns are known.")] = None,
    label: Annotated[
        str | None, Parameter(help="What to compare with; what the model was trained on.")
    ] = None,
    weight: Annotated[str | None, Parameter(help="Column of row weights.")] = None,
    json: AsJson = False,
) -> None:
    """Measure an exported model on labelled rows.

    Args:
        model: An exported model.
        data: Files, globs, or the folder of a known data set.
    """
    from hybridhash.experiments import evaluate as run

    with TerminalListener(terminal()) as listener:
        result = run(model, data, listener, format=format, label=label, weight=weight)
    if json:
        print_json(result)
        return
    print(
        f"{result['rows']:,} rows, {result['positives']:,} positive ({result['label']}): RCE {result['rce']:.3f}, "
        f"AUC {result['auc']:.4f}, log loss {result['log_loss']:.4f}, "
        f"normalised entropy {result['normalised_entropy']:.4f}, calibration {result['calibration']:.3f}"
    )
