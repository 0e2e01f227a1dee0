"""``hybridhash profile``."""

from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter
from rich.table import Table

from hybridhash.cli.common import AsJson, print_json, print_table, terminal
from hybridhash.cli.progress import TerminalListener
from hybridhash.cli.settle import Experiment, settle
from hybridhash.experiments import ProfileSettings
from hybridhash.report import format_bytes

if TYPE_CHECKING:
    from hybridhash.experiments.profiling import Profile


def profile(
    *data: str,
    settings: Annotated[ProfileSettings | None, Parameter(name="*")] = None,
    experiment: Experiment = None,
    json: AsJson = False,
) -> None:
    """Describe the features of a data set: keys, nulls, how much the frequent ones cover, what is unseen.

    Nothing is trained. Keys are counted on the training span; 'unseen' is the share of the later span
    whose key was not in it. The suggested budget of a feature has rows for the fewest keys that cover 80 %
    of its occurrences.

    Args:
        data: Files, globs, or the folder of a known data set.
    """
    files, wanted = settle(ProfileSettings, data, settings, experiment)
    from hybridhash.experiments import profile as run

    with TerminalListener(terminal()) as listener:
        found = run(files, wanted, listener)
    if json:
        print_json(found)
        return
    print_table(_table(found))
    print(
        f"{found.rows:,} rows ({found.train_rows:,} to learn from, {found.test_rows:,} later), "
        f"{found.positives:,} positive; {found.keys:,} keys; baseline {format_bytes(found.baseline_bytes)}, "
        f"budget {wanted.budget} = {format_bytes(found.budget_bytes)}"
    )


def _table(found: "Profile") -> Table:
    table = Table(
        "feature", "kind", "keys", "nulls", "top 1k", "top 10k", "top 100k", "singletons", "unseen", "budget"
    )
    for feature in found.features:
        table.add_row(
            feature.name,
            feature.kind,
            f"{feature.keys:,}",
            f"{feature.null_share:.1%}",
            *(f"{feature.coverage[top]:.1%}" for top in ("1000", "10000", "100000")),
            f"{feature.singletons:,}",
            f"{feature.unseen_share:.1%}",
            format_bytes(feature.suggested_budget_bytes),
        )
    for column in table.columns[2:]:
        column.justify = "right"
    return table
