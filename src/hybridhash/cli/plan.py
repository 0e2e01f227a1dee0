"""``hybridhash plan``."""

import shlex
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter
from rich.table import Table

from hybridhash.cli.common import AsJson, print_json, print_table, terminal
from hybridhash.cli.progress import TerminalListener
from hybridhash.cli.settle import Experiment, settle
from hybridhash.cli.tiers import known_by, what_a_key_has
from hybridhash.experiments import PlanSettings
from hybridhash.hashing import dictionary_of
from hybridhash.planner import format_loss
from hybridhash.report import format_bytes

if TYPE_CHECKING:
    from hybridhash.experiments.planning import PlannedTable, TriedPlan


def plan(
    *data: str,
    settings: Annotated[PlanSettings | None, Parameter(name="*")] = None,
    experiment: Experiment = None,
    json: AsJson = False,
) -> None:
    """Choose the tables of a model at a byte budget, from counts alone, and say why.

    Nothing is trained unless --tune says so. Divides the keys into tiers: rows of their own at 8 to 2 bits a float,
    shared rows by short codes, and keys that are left out of the shipped model; finds how many bits the dictionaries
    spend on telling keys apart; predicts what is lost. With --out it writes an experiment file that compare, train and
    sweep take with --experiment.

    Args:
        data: Files, globs, or the folder of a known data set.
    """
    files, wanted = settle(PlanSettings, data, settings, experiment)
    from hybridhash.experiments import plan_data as run

    with TerminalListener(terminal()) as listener:
        found = run(files, wanted, listener)
    if json:
        print_json(found)
        return
    if found.tried:
        print_table(_tried(found.tried))
    for table in found.tables:
        print_table(_tiers(table))
        for tier in table.tiers:
            print(f"  - {tier.reason}")
        misread = format_loss(table.loss_by_fingerprints)
        print(
            f"  predicted loss {format_loss(table.loss)} of what ids add, {misread} of it by keys that read another's "
            f"row; {table.trained_rows:,} rows while it is trained"
        )
        print_table(_features(table, found.unseen))
    print(
        f"budget {found.budget} = {format_bytes(found.budget_bytes)}; planned {format_bytes(found.bytes)} for "
        f"{found.keys:,} keys: {found.bytes / found.baseline_bytes:.1%} of the baseline's "
        f"{format_bytes(found.baseline_bytes)}, {found.bytes / found.full_bytes:.1%} of the full table's "
        f"{format_bytes(found.full_bytes)}"
    )
    if wanted.out is not None:
        print(f"written: {wanted.out} (hybridhash compare --experiment {shlex.quote(str(wanted.out))})")


def _tried(tried: "Sequence[TriedPlan]") -> Table:
    best = max(one.validation_rce for one in tried)
    shown = Table("plan", "predicted loss", "validation RCE", "", title="tried on the validation slice")
    for place, one in enumerate(tried, start=1):
        chosen = "chosen" if one.validation_rce == best else ""
        shown.add_row(str(place), format_loss(one.loss), f"{one.validation_rce:.3f}", chosen)
    for column in shown.columns[:3]:
        column.justify = "right"
    return shown


def _tiers(table: "PlannedTable") -> Table:
    shown = Table(
        "keys",
        "bytes",
        "what a key has",
        "known by",
        "loss",
        title=f"table {table.name}",
        title_justify="left",
    )
    for tier in table.tiers:
        shown.add_row(
            f"{tier.num_keys:,}",
            f"{tier.bytes:,}",
            what_a_key_has(tier.bits, tier.rows if tier.num_codes else 0),
            known_by(dictionary_of(tier.dictionary, tier.key_bits)) if tier.bits else "",
            format_loss(tier.loss),
        )
    for column in (0, 1, 4):
        shown.columns[column].justify = "right"
    return shown


def _features(table: "PlannedTable", unseen: "Mapping[str, float]") -> Table:
    shown = Table(
        "feature",
        "keys",
        "own row",
        "shared row",
        "left out",
        "new keys",
        "new in test rows",
        title="shares of the coming traffic, as predicted",
        title_justify="left",
    )
    for row in table.features:
        shares = (row.exclusive, row.shared, row.omitted, row.unseen, unseen[row.feature])
        shown.add_row(row.feature, f"{row.num_keys:,}", *(f"{share:.1%}" for share in shares))
    for column in shown.columns[1:]:
        column.justify = "right"
    return shown
