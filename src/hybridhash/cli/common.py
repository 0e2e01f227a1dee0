"""What several commands share: the terminal, and tables and JSON on it."""

import json
import shlex
import sys
from typing import Annotated, Any, Final

from cyclopts import Parameter
from rich.console import Console
from rich.table import Table

from hybridhash.report import format_bytes

_UNLIMITED: Final = 10_000  # columns; a table takes what it needs

AsJson = Annotated[bool, Parameter(help="Print JSON instead of tables.", negative="")]


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
