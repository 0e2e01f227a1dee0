"""``hybridhash evaluate``."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from hybridhash.cli.common import AsJson, print_json, terminal
from hybridhash.cli.progress import TerminalListener
from hybridhash.cli.settle import Experiment, settle
from hybridhash.experiments import EvaluateSettings


def evaluate(
    model: Path,
    /,
    *data: str,
    settings: Annotated[EvaluateSettings | None, Parameter(name="*")] = None,
    experiment: Experiment = None,
    json: AsJson = False,
) -> None:
    """Measure an exported model on labelled rows.

    Args:
        model: An exported model.
        data: Files, globs, or the folder of a known data set.
    """
    files, wanted = settle(EvaluateSettings, data, settings, experiment)
    from hybridhash.experiments import evaluate as run

    with TerminalListener(terminal()) as listener:
        result = run(
            model,
            files,
            listener,
            format=wanted.format,
            quote=wanted.quote,
            label=wanted.label,
            weight=wanted.weight,
            group=wanted.group,
        )
    if json:
        print_json(result)
        return
    print(
        f"{result.rows:,} rows, {result.positives:,} positive ({result.label}): RCE {result.rce:.3f}, "
        f"AUC {result.auc:.4f}, log loss {result.log_loss:.4f}, "
        f"normalised entropy {result.normalised_entropy:.4f}, calibration {result.calibration:.3f}"
    )
    if wanted.group is not None:
        print(
            f"within {wanted.group}: GAUC {result.gauc:.4f}, NDCG@10 {result.ndcg:.4f} over {result.groups:,} "
            f"groups; {result.groups_left_out:,} with one label left out"
        )
