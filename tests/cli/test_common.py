"""What goes to the terminal: JSON that every reader takes, and names as they are."""

import json
from dataclasses import dataclass

import pytest
from rich.table import Table

from hybridhash.cli.common import ledger_table, print_json, print_table
from hybridhash.spec import Ledger


@dataclass(frozen=True)
class Found:
    name: str
    losses: tuple[float, ...]
    parts: dict[str, float]


def test_json_has_null_for_what_is_no_number(capsys: pytest.CaptureFixture[str]) -> None:
    """``NaN`` and ``Infinity`` are no JSON; strict readers refuse them."""
    print_json(Found("a", (float("nan"), 0.5), {"x": float("-inf"), "y": 2.0}))
    found = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)
    assert found == {"name": "a", "losses": [None, 0.5], "parts": {"x": None, "y": 2.0}}


def test_a_table_is_not_cut_and_its_text_not_read_as_markup(capsys: pytest.CaptureFixture[str]) -> None:
    table = Table("feature")
    table.add_row("[bold]:smile:[/bold]" + "x" * 500)
    print_table(table)
    assert "[bold]:smile:[/bold]" + "x" * 500 in capsys.readouterr().out


def test_a_ledger_shows_the_parts_that_have_bytes_and_their_sum(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(ledger_table(Ledger(tail_rows=4096, dense_layers=1000)))
    lines = [line.split("│")[1:3] for line in capsys.readouterr().out.splitlines() if "│" in line]
    assert [[cell.strip() for cell in line] for line in lines] == [
        ["tail rows", "4,096"],
        ["dense layers", "1,000"],
        ["file", "5,096"],
    ]
