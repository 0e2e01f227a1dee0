"""What several commands share: the experiment file, the output of results, the terminal."""

import json
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Final, TypeVar

from cyclopts import Parameter
from rich.console import Console
from rich.table import Table

from hybridhash.experiments import merge_settings, read_experiment
from hybridhash.experiments.output import check_not_an_input
from hybridhash.experiments.settings import given_flags
from hybridhash.report import format_bytes
from hybridhash.trials import Settings

_UNLIMITED: Final = 10_000  # columns; a table takes what it needs

AnySettings = TypeVar("AnySettings", bound=Settings)

Experiment = Annotated[
    Path | None, Parameter(help="Experiment file (TOML): the names of the flags; flags win.")
]
AsJson = Annotated[bool, Parameter(help="Print JSON instead of tables.", negative="")]


def settle(
    kind: type[AnySettings], data: Sequence[str], flags: Settings | None, experiment: Path | None
) -> tuple[list[str], AnySettings]:
    """Put flags over an experiment file.

    Args:
        kind: The settings of the command.
        data: Files named on the command line.
        flags: The flags that were given.
        experiment: An experiment file, or None.

    Returns:
        The files and the settings.
    """
    file = read_experiment(experiment) if experiment is not None else {}
    given = {} if flags is None else given_flags(flags)
    settings = merge_settings(kind, file, given)
    out = getattr(settings, "out", None)
    if out is not None and experiment is not None:
        check_not_an_input([out], [experiment])
    return list(data) or list(file.get("data", [])), settings


def verbatim_console(**settings: Any) -> Console:
    """Return a console that prints text as it is: names of columns may hold brackets and colons.

    Args:
        settings: Arguments of ``rich.console.Console``.
    """
    return Console(markup=False, emoji=False, highlight=False, **settings)


def terminal() -> Console:
    """Return the console for progress and notes: standard error."""
    return verbatim_console(stderr=True)


def command_line() -> str:
    """Return the command as the user typed it."""
    return shlex.join(["hybridhash", *sys.argv[1:]])


def print_json(value: Any) -> None:
    """Print JSON on standard output."""
    print(json.dumps(value, indent=1, default=str))


def print_table(table: Table) -> None:
    """Print a table on standard output, as wide as it needs to be where that is no terminal."""
    console = verbatim_console(width=None if sys.stdout.isatty() else _UNLIMITED)
    with console.capture() as drawn:  # rich itself ends the process where nobody reads the output any more
        console.print(table)
    print(drawn.get(), end="")


def say(console: Console, line: str) -> None:
    """Print one line on the console without wrapping it."""
    console.print(line, soft_wrap=True)


def ledger_table(ledger: dict[str, int]) -> Table:
    """Return the parts of a ledger that have bytes, and their sum."""
    table = Table("part", "bytes", "", title="ledger", title_justify="left")
    for part, count in ledger.items():
        if count:
            table.add_row(part.replace("_", " "), f"{count:,}", format_bytes(count))
    total = sum(ledger.values())
    table.add_row("file", f"{total:,}", format_bytes(total))
    for column in table.columns[1:]:
        column.justify = "right"
    return table
