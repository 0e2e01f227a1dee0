"""``hybridhash inspect``."""

from pathlib import Path
from typing import Any

from rich.table import Table

from hybridhash.cli.common import AsJson, ledger_table, print_json, print_table
from hybridhash.cli.tiers import floats_of, known_by, what_a_key_has
from hybridhash.hashing import EXACT
from hybridhash.packing import FLOAT_BITS
from hybridhash.spec import Ledger, Tier


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
        print_table(_tiers(found["tables"]))
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


def _tiers(tables: list[dict[str, Any]]) -> Table:
    shown = Table("part", "keys", "what a key has", "known by", title="keys", title_justify="left")
    for row in tables:
        for tier in map(Tier.from_dict, row["tiers"]):
            shared = tier.num_rows if tier.num_codes else 0
            known = known_by(tier.dictionary) if tier.is_shipped else ""
            shown.add_row(row["part"], f"{tier.num_keys:,}", what_a_key_has(tier.bits, shared), known)
        if not row["tiers"] and row["num_head"]:
            exact = known_by(EXACT)
            shown.add_row(row["part"], f"{row['num_head']:,}", what_a_key_has(FLOAT_BITS, 0), exact)
        shown.add_row(row["part"], "all others", _tail(row), "")
    shown.columns[1].justify = "right"
    return shown


def _tail(row: dict[str, Any]) -> str:
    """Say what the keys without a row of their own read."""
    bits = row["tail_bits"]
    if row["num_buckets"] == 1:
        return f"the neutral row, {floats_of(bits)}"
    if row["num_hashes"] == 1:
        return what_a_key_has(bits, row["num_buckets"])
    how = {"sum": "summed", "mean": "averaged", "concat": "joined"}[row["combine"]]
    return f"{row['num_hashes']} of {row['num_buckets']:,} shared rows, {how}, {floats_of(bits)}"
