"""Table 2: expected half and full collision rates, as printed, recomputed, and counted on real keys.

Run with ``python -m paper.table2``; ``--quick`` counts on keys and buckets 64 times fewer. The paper gives
4,000,000 keys and 2**22 buckets. The head and the buckets behind its percentages are the ones that fit. As a
study it counts on the keys of the 'ads' stream too.
"""

import argparse
import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.table import Table

from hybridhash.experiments import Listener
from hybridhash.hashing import hash_keys, measure_collisions
from hybridhash.planner import baseline_buckets
from hybridhash.report import Grid, html_table
from hybridhash.theory import (
    collision_rate,
    expected_vector_collisions,
    half_collision_rate,
    hybrid_collision_rate,
)
from paper.rows import Rows, row_key
from paper.scale import Scale
from paper.stream import ads_keys
from paper.study import Section, Summary
from paper.surfaces import ads
from paper.text import note, notes

NUM_KEYS = 4_000_000
NUM_HEAD = 105_000
BASELINE_BUCKETS = 2**22
BUCKETS_OF_SIZE = {100: 2**22, 25: 2**20, 10: 2**19}
QUICK_SHRINK = 64
PRINTED = Path(__file__).with_name("printed.json")

HALF = (
    "The paper prints no formula for half collisions. Expected collisions per bucket of one hash over the "
    "tail give all three figures; it is no probability, and passes 1."
)
REMARKS = {
    ("Baseline", 100, "full"): "Agrees, with |T| = 4,000,000; with 4 * 2^20 keys it would be 0.37.",
    ("Hybrid hashing", 100, "full"): (
        "Does not agree: the head that fits every other figure gives 2.45e-14, in floats and in exact "
        "fractions alike. A head of 251,600 would give 2.27e-14, and then half collisions of 0.30 instead of "
        "0.32. The digits are those of |T|/B^2 = 2.27e-07, the formula's first term, so it may be a slip in "
        "copying; that is a guess."
    ),
    ("Hybrid hashing", 100, "half"): HALF,
    ("Hybrid hashing", 25, "full"): (
        "Agrees at 2^20 buckets, a quarter of the baseline's. The head rows are not counted: with them it is "
        "27.5 %."
    ),
    ("Hybrid hashing", 25, "half"): HALF,
    ("Hybrid hashing", 10, "full"): (
        "Agrees at 2^19 buckets, which are 12.5 % of the baseline and not 10 %: with the head rows 15.0 %."
    ),
    ("Hybrid hashing", 10, "half"): HALF,
}


@dataclass(frozen=True)
class Row:
    """One printed figure.

    Attributes:
        method: The table's row.
        model_size_percent: The table's model size.
        kind: Full or half collision rate.
        printed: The figure as printed.
        recomputed: The formula's value at the paper's sizes.
        agrees: The recomputed value rounds to the printed figure.
        expected_keys: Expected collisions, in keys, at the sizes measured.
        measured_keys: Collisions counted under the real hash functions.
        measured_rate: The same in the paper's unit: per bucket, or per ordered pair of buckets.
        expected_keys_summed: Expected keys with the vector of another if two rows are summed, which the paper
            does not count; None where there is no pair of rows.
        measured_keys_summed: The same, counted.
        remark: Why the two differ, or what it took to agree.
    """

    method: str
    model_size_percent: int
    kind: str
    printed: str
    recomputed: float
    agrees: bool
    expected_keys: float
    measured_keys: float
    measured_rate: float
    expected_keys_summed: float | None
    measured_keys_summed: int | None
    remark: str


def rounded_as(printed: str, value: float) -> str:
    """Write a value with the digits of a printed figure."""
    return f"{value:.2e}" if "e" in printed else f"{value:.2f}"


def rows(shrink: int = 1) -> list[Row]:
    """Return every printed figure beside the recomputed and the measured one.

    Args:
        shrink: Count on that many times fewer keys, head rows and buckets.
    """
    # Which keys are in the head does not matter to a hash function.
    keys = hash_keys(np.arange(NUM_KEYS // shrink), feature="user_id")
    found = []
    for line in json.loads(PRINTED.read_text(encoding="utf-8"))["table2"]["rows"]:
        method, size = line["method"], line["model_size_percent"]
        is_hybrid = method != "Baseline"
        num_buckets = BUCKETS_OF_SIZE[size] if is_hybrid else BASELINE_BUCKETS
        num_head, num_hashes = (NUM_HEAD, 2) if is_hybrid else (0, 1)
        tail, few_buckets = keys[num_head // shrink :], num_buckets // shrink
        measured = measure_collisions(tail, few_buckets, num_hashes, combine="concat")
        for kind in ("full", "half"):
            printed = line[kind]
            if printed is None:
                continue
            expected_summed = measured_summed = None
            if kind == "half" or not is_hybrid:
                recomputed = half_collision_rate(NUM_KEYS, num_head, num_buckets)
                expected_keys = collision_rate(tail.size, few_buckets) * few_buckets
                keys_found, rate = measured.half_collisions, measured.half_collisions_per_bucket
            else:
                recomputed = hybrid_collision_rate(NUM_KEYS, num_head, num_buckets)
                expected_keys = hybrid_collision_rate(tail.size, 0, few_buckets) * few_buckets**2
                keys_found, rate = measured.full_collisions, measured.full_collisions_per_tuple
                expected_summed = expected_vector_collisions(tail.size, few_buckets)
                measured_summed = measure_collisions(tail, few_buckets).full_collisions
            found.append(
                Row(
                    method=method,
                    model_size_percent=size,
                    kind=kind,
                    printed=printed,
                    recomputed=recomputed,
                    agrees=rounded_as(printed, recomputed) == printed,
                    expected_keys=expected_keys,
                    measured_keys=keys_found,
                    measured_rate=rate,
                    expected_keys_summed=expected_summed,
                    measured_keys_summed=measured_summed,
                    remark=REMARKS[method, size, kind],
                )
            )
    return found


@dataclass(frozen=True)
class Measured:
    """One row of the table on the keys of a stream.

    Attributes:
        method: The table's row.
        model_size_percent: The table's model size.
        num_head: Keys of the dictionary.
        num_buckets: Of the tail.
        full: Full collision rate by the formula.
        full_measured: The same, counted under the real hash functions.
        half: Half collision rate by the formula; None with one hash.
        half_measured: The same, counted.
    """

    method: str
    model_size_percent: int
    num_head: int
    num_buckets: int
    full: float
    full_measured: float
    half: float | None
    half_measured: float | None


def measure(keys: npt.NDArray[np.int64]) -> list[Measured]:
    """Count the collisions of each row of the table on real keys, beside the formulas.

    Args:
        keys: int64[n], distinct, the most frequent first. The baseline is the next power of two; head and
            buckets have the same shares of it as at the paper's sizes.
    """
    baseline = baseline_buckets(keys.size)
    num_head = NUM_HEAD * baseline // BASELINE_BUCKETS
    alone = measure_collisions(keys, baseline, num_hashes=1)
    rate = collision_rate(keys.size, baseline)
    found = [Measured("Baseline", 100, 0, baseline, rate, alone.full_collisions_per_tuple, None, None)]
    for size, buckets in BUCKETS_OF_SIZE.items():
        num_buckets = buckets * baseline // BASELINE_BUCKETS
        pairs = measure_collisions(keys[num_head:], num_buckets, combine="concat")
        found.append(
            Measured(
                "Hybrid hashing",
                size,
                num_head,
                num_buckets,
                hybrid_collision_rate(keys.size, num_head, num_buckets),
                pairs.full_collisions_per_tuple,
                half_collision_rate(keys.size, num_head, num_buckets),
                pairs.half_collisions_per_bucket,
            )
        )
    return found


def run(folder: Path, scale: Scale, listener: Listener) -> Summary:
    """Compute the table and measure it on the keys of the 'ads' stream; see `paper.study.Study`."""
    kept = Rows(folder / "table2.jsonl")
    key = row_key(stream=ads(scale).stream, shrink=scale.collision_shrink, sizes=(NUM_KEYS, NUM_HEAD))
    if kept.get(key) is None:
        keys = ads_keys(folder, scale, listener)
        heads = heads_that_fit()
        kept.keep(
            key,
            {
                "num_keys": keys.size,
                "shrink": scale.collision_shrink,
                "heads_that_fit": [heads[0], heads[-1]],
                "rows": list(map(asdict, rows(scale.collision_shrink))),
                "measured": list(map(asdict, measure(keys))),
            },
        )
    (found,) = kept.only([key])
    return found


def section(summary: Summary) -> Section:
    """Show every printed figure beside the recomputed and the counted ones."""
    remarks = list(dict.fromkeys(row["remark"] for row in summary["rows"]))
    body = [
        [
            row["method"],
            f"{row['model_size_percent']} %",
            row["kind"],
            row["printed"],
            rounded_as(row["printed"], row["recomputed"]),
            "agrees" if row["agrees"] else "differs",
            f"{row['expected_keys']:,.1f}",
            f"{row['measured_keys']:,.1f}",
            "–" if row["expected_keys_summed"] is None else f"{row['expected_keys_summed']:,.1f}",
            "–" if row["measured_keys_summed"] is None else f"{row['measured_keys_summed']:,}",
            str(remarks.index(row["remark"]) + 1),
        ]
        for row in summary["rows"]
    ]
    measured = [
        [
            row["method"],
            f"{row['model_size_percent']} %",
            f"{row['num_head']:,}",
            f"{row['num_buckets']:,}",
            *(_rate(row[name]) for name in ("full", "full_measured", "half", "half_measured")),
        ]
        for row in summary["measured"]
    ]
    size = "at the paper's sizes"
    if summary["shrink"] > 1:
        size = f"on {summary['shrink']} times fewer keys and buckets"
    low, high = summary["heads_that_fit"]
    html = [
        html_table(
            Grid(
                [
                    *("method", "size", "collisions", "printed", "recomputed", "", "expected keys"),
                    *("counted keys", "expected, summed", "counted, summed", "note"),
                ],
                body,
            ),
            f"Rates as printed and recomputed; keys with a collision expected and counted {size}. Summed rows "
            "cannot tell a pair of buckets from its reverse, which doubles full collisions.",
        ),
        notes(remarks),
        note(f"Heads from {low:,} to {high:,} fit every figure but 2.27e-14; {NUM_HEAD:,} is used here."),
        html_table(
            Grid(
                [
                    *("method", "size", "head", "buckets", "full, formula", "full, counted"),
                    *("half, formula", "half, counted"),
                ],
                measured,
            ),
            f"The same rates on the {summary['num_keys']:,} distinct keys of the ads stream: by the formula, and "
            "counted under the real hash functions.",
        ),
        note(
            "A full rate of 1e-12 to 1e-10 of so many pairs of buckets is a handful of keys, so that a counted "
            "one differs from its expectation by chance, and is often 0."
        ),
    ]
    return Section("Table 2: expected half and full collision rates", "".join(html))


def _rate(value: float | None) -> str:
    return "–" if value is None else f"{value:.3g}"


def heads_that_fit() -> range:
    """Return the head sizes, in hundreds, that give every printed figure but the one of 2.27e-14."""
    printed = json.loads(PRINTED.read_text(encoding="utf-8"))["table2"]["rows"][1:]

    def fits(num_head: int) -> bool:
        for line in printed:
            num_buckets = BUCKETS_OF_SIZE[line["model_size_percent"]]
            half = half_collision_rate(NUM_KEYS, num_head, num_buckets)
            full = hybrid_collision_rate(NUM_KEYS, num_head, num_buckets)
            if rounded_as(line["half"], half) != line["half"]:
                return False
            if line["full"] not in ("2.27e-14", rounded_as(line["full"], full)):
                return False
        return True

    fitting = [num_head for num_head in range(0, NUM_KEYS // 4, 100) if fits(num_head)]
    return range(fitting[0], fitting[-1] + 100, 100)


def main(quick: bool = False) -> list[Row]:
    """Print the table and return its rows.

    Args:
        quick: Count on 64 times fewer keys, head rows and buckets.
    """
    found = rows(QUICK_SHRINK if quick else 1)
    console = Console(width=max(Console().width, 172))
    size = "on 64 times fewer keys and buckets" if quick else "at the paper's sizes"
    table = Table(
        *("method", "size", "collisions", "printed", "recomputed", "", "expected keys", "measured keys"),
        *("measured rate", "expected, summed", "measured, summed", "note"),
        title=f"Table 2: collision rates as printed and recomputed; expected and measured {size}",
    )
    notes: dict[str, int] = {}
    for row in found:
        number = notes.setdefault(row.remark, len(notes) + 1)
        table.add_row(
            row.method,
            f"{row.model_size_percent} %",
            row.kind,
            row.printed,
            rounded_as(row.printed, row.recomputed),
            "agrees" if row.agrees else "differs",
            f"{row.expected_keys:,.1f}",
            f"{row.measured_keys:,.1f}",
            f"{row.measured_rate:.3g}",
            "" if row.expected_keys_summed is None else f"{row.expected_keys_summed:,.1f}",
            "" if row.measured_keys_summed is None else f"{row.measured_keys_summed:,}",
            str(number),
        )
    console.print(table)
    for remark, number in notes.items():
        console.print(f"{number}. {remark}", highlight=False, soft_wrap=True)
    heads = heads_that_fit()
    console.print(
        "Full collisions are of ordered pairs, as under concat; summed, {a, b} and {b, a} are one vector. "
        f"Heads from {heads[0]:,} to {heads[-1]:,} fit every figure but 2.27e-14; {NUM_HEAD:,} is used here.",
        highlight=False,
        soft_wrap=True,
    )
    return found


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="count on 64 times fewer keys and buckets")
    main(parser.parse_args().quick)
