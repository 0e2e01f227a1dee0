"""``hybridhash inspect``."""

from pathlib import Path
from typing import Any

from rich.table import Table

from hybridhash.cli.common import AsJson, ledger_table, print_json, print_table
from hybridhash.spec import Ledger


def inspect(file: Path, /, *, json: AsJson = False) -> None:
    """Say what a model, a packed table, a vocabulary or a checkpoint holds; the whole file is checked.

    Args:
        file: A file that hybridhash wrote.
    """
    from hybridhash.experiments import inspect_file as run

    found = run(file)
    if json:
        print_json(found)
        return
    for name, value in found.items():
        if not isinstance(value, dict | list):
            print(f"{name.replace('_', ' ')}: {value:,}" if isinstance(value, int) else f"{name}: {value}")
    for name in ("settings", "progress", "notes"):
        for key, value in found.get(name, {}).items():
            print(f"{name} {key}: {value}")
    if "features" in found:
        print(
            "features: "
            + ", ".join(f"{item['name']} ({item['kind']}, {item['dtype']})" for item in found["features"])
        )
    if "tables" in found:
        print_table(_tables(found["tables"]))
        print_table(ledger_table(Ledger(**found["ledger"])))


def _tables(tables: list[dict[str, Any]]) -> Table:
    shown = Table(
        "part",
        "features",
        "head rows",
        "buckets",
        "hashes",
        "combine",
        "dim",
        title="tables",
        title_justify="left",
    )
    for row in tables:
        shown.add_row(
            row["part"],
            ", ".join(row["features"]),
            f"{row['num_head']:,}",
            f"{row['num_buckets']:,}",
            str(row["num_hashes"]),
            row["combine"],
            str(row["dim"]),
        )
    return shown
