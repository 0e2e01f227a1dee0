"""What several commands share: the terminal, and tables and JSON on it."""

import json
import math
import shlex
import sys
from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated, Any, Final

from cyclopts import Parameter
from rich.console import Console
from rich.table import Table

from hybridhash.report import format_bytes
from hybridhash.spec import Ledger

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
    """Print a dataclass, or what JSON can hold, as JSON on standard output; null stands for what is no number."""
    content = value if isinstance(value, Mapping) else asdict(value)
    print(json.dumps(_plain(content), indent=1, default=str))


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def print_table(table: Table) -> None:
    """Print a table on standard output, as wide as it needs to be where that is no terminal."""
    console = verbatim_console(width=None if sys.stdout.isatty() else _UNLIMITED)
    with console.capture() as drawn:  # rich itself ends the process where nobody reads the output any more
        console.print(table)
    print(drawn.get(), end="")


def say(console: Console, line: str) -> None:
    """Print one line on the console without wrapping it."""
    console.print(line, soft_wrap=True)


def ledger_table(ledger: Ledger) -> Table:
    """Return the purposes of a ledger that have bytes, and their sum."""
    table = Table("purpose", "bytes", "", title="ledger", title_justify="left")
    for part, count in ledger.as_dict().items():
        if count:
            table.add_row(part.replace("_", " "), f"{count:,}", format_bytes(count))
    table.add_row("file", f"{ledger.total_bytes:,}", format_bytes(ledger.total_bytes))
    for column in table.columns[1:]:
        column.justify = "right"
    return table
