"""Table 1: space, time and collision rate of each method, as printed and as numbers.

Run with ``python -m paper.table1``. The sizes are those of the paper's example: 4,000,000 keys, 2**22
buckets, and a head of 105,000, the size that fits its Table 2. As a study it counts collisions on the keys of
the 'ads' stream under the real hash functions too, and sets the formulas beside them.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.table import Table

from hybridhash.experiments import Listener
from hybridhash.hashing import measure_collisions
from hybridhash.planner import baseline_buckets
from hybridhash.report import Grid, html_table
from hybridhash.theory import (
    KeyShares,
    MethodCost,
    collision_rate,
    double_collision_rate,
    frequency_collision_rate,
    hybrid_collision_rate,
    key_shares,
    method_cost,
)
from paper.rows import Rows, row_key
from paper.scale import Scale
from paper.stream import ads_keys
from paper.study import Section, Summary
from paper.surfaces import ads
from paper.text import notes

NUM_KEYS = 4_000_000
NUM_HEAD = 105_000
NUM_BUCKETS = 2**22
PRINTED = Path(__file__).with_name("printed.json")


@dataclass(frozen=True)
class Row:
    """One method.

    Attributes:
        method: Its name in the paper.
        space: Printed space complexity.
        time: Printed time complexity.
        formula: Printed collision rate.
        cost: Rows of the table, and the operations of one lookup of every key.
        collision_rate: The formula's value; over B buckets with one hash, over B**2 pairs with two.
        shares: Expected shares of the keys whose rows are their own, partly shared, all shared.
        remark: What the printed row leaves open.
    """

    method: str
    space: str
    time: str
    formula: str
    cost: MethodCost
    collision_rate: float
    shares: KeyShares
    remark: str


def rows() -> list[Row]:
    """Return the table's rows: the printed formulas, and their values at the paper's sizes."""
    printed = json.loads(PRINTED.read_text(encoding="utf-8"))["table1"]["rows"]
    # Head, buckets, hashes, collision rate and remark of the four methods in the table's order.
    methods = [
        (
            0,
            NUM_BUCKETS,
            1,
            collision_rate(NUM_KEYS, NUM_BUCKETS),
            "The rate is 34 collisions per 100 buckets; counted per key, 61 % share their row with another.",
        ),
        (
            0,
            NUM_BUCKETS,
            2,
            double_collision_rate(NUM_KEYS, NUM_BUCKETS),
            "Counts ordered pairs, as a concatenation does. A sum over one table cannot tell {a, b} from "
            "{b, a}, which doubles the rate.",
        ),
        (
            NUM_KEYS,
            0,
            1,
            frequency_collision_rate(NUM_KEYS, NUM_KEYS, 0),
            "Zero because the printed row puts every key into the dictionary (k = |T|). With a smaller k and "
            "one hash for the rest, as in section 3.3, the tail has the regular rate.",
        ),
        (
            NUM_HEAD,
            NUM_BUCKETS,
            2,
            hybrid_collision_rate(NUM_KEYS, NUM_HEAD, NUM_BUCKETS),
            "The time O(|T| k) scans the dictionary for each key; a sorted one takes log2 k steps, here 17.",
        ),
    ]
    return [
        Row(
            method=line["method"],
            space=line["space"],
            time=line["time"],
            formula=line["collision_rate"],
            cost=method_cost(NUM_KEYS, num_head, num_buckets, num_hashes),
            collision_rate=rate,
            shares=key_shares(NUM_KEYS, num_head, num_buckets, num_hashes),
            remark=remark,
        )
        for line, (num_head, num_buckets, num_hashes, rate, remark) in zip(printed, methods, strict=True)
    ]


@dataclass(frozen=True)
class Measured:
    """One method on the keys of a stream.

    Attributes:
        method: Its name in the paper.
        num_head: Keys of the dictionary.
        num_buckets: B; 0 where all keys are in the dictionary.
        formula: The collision rate of the printed formula at these numbers.
        measured: The same rate counted under the real hash functions.
    """

    method: str
    num_head: int
    num_buckets: int
    formula: float
    measured: float


def measure(keys: npt.NDArray[np.int64]) -> list[Measured]:
    """Count the collisions of each method on real keys, beside the formulas.

    Args:
        keys: int64[n], distinct, the most frequent first. B is the next power of two, and the head has the
            same share of it as in the paper's example.
    """
    num_buckets = baseline_buckets(keys.size)
    num_head = NUM_HEAD * num_buckets // NUM_BUCKETS
    one = measure_collisions(keys, num_buckets, num_hashes=1)
    two = measure_collisions(keys, num_buckets, combine="concat")
    tail = measure_collisions(keys[num_head:], num_buckets, combine="concat")
    n = keys.size
    return [
        Measured(
            "Regular hashing", 0, num_buckets, collision_rate(n, num_buckets), one.half_collisions_per_bucket
        ),
        Measured(
            "Double hashing",
            0,
            num_buckets,
            double_collision_rate(n, num_buckets),
            two.full_collisions_per_tuple,
        ),
        Measured("Frequency hashing", n, 0, frequency_collision_rate(n, n, 0), 0.0),
        Measured(
            "Hybrid hashing",
            num_head,
            num_buckets,
            hybrid_collision_rate(n, num_head, num_buckets),
            tail.full_collisions_per_tuple,
        ),
    ]


def run(folder: Path, scale: Scale, listener: Listener) -> Summary:
    """Compute the table and measure it on the keys of the 'ads' stream; see `paper.study.Study`."""
    kept = Rows(folder / "table1.jsonl")
    key = row_key(stream=ads(scale).stream, sizes=(NUM_KEYS, NUM_HEAD, NUM_BUCKETS))
    if kept.get(key) is None:
        keys = ads_keys(folder, scale, listener)
        measured = [asdict(line) for line in measure(keys)]
        kept.keep(key, {"num_keys": keys.size, "rows": list(map(asdict, rows())), "measured": measured})
    (found,) = kept.only([key])
    return found


def section(summary: Summary) -> Section:
    """Show the table as printed, its values, and what was counted."""
    printed = [[row["method"], row["space"], row["time"], row["formula"]] for row in summary["rows"]]
    values = [
        [
            row["method"],
            *(
                f"{row['cost'][name]:,}"
                for name in ("num_rows", "num_dictionary_lookups", "num_bucket_hashes")
            ),
            f"{row['collision_rate']:.3g}",
            *(f"{row['shares'][name]:.3g}" for name in ("exclusive", "half_shared", "fully_shared")),
        ]
        for row in summary["rows"]
    ]
    measured = [
        [
            row["method"],
            f"{row['num_head']:,}",
            f"{row['num_buckets']:,}" if row["num_buckets"] else "–",
            f"{row['formula']:.3g}",
            f"{row['measured']:.3g}",
        ]
        for row in summary["measured"]
    ]
    html = [
        html_table(Grid(["method", "space", "time", "collision rate"], printed), "As printed."),
        html_table(
            Grid(
                [
                    *("method", "rows", "dictionary lookups", "hashes", "collision rate"),
                    *("exclusive", "half shared", "fully shared"),
                ],
                values,
            ),
            f"Its values for {NUM_KEYS:,} keys, {NUM_BUCKETS:,} buckets and a head of {NUM_HEAD:,}: lookups and "
            "hashes of every key once, and expected shares of keys whose summed rows are their own, partly "
            "shared, all shared.",
        ),
        html_table(
            Grid(["method", "head", "buckets", "formula", "measured"], measured),
            f"Collision rate on the {summary['num_keys']:,} distinct keys of the ads stream: the formula, and "
            "the collisions counted under the real hash functions, per bucket or per ordered pair of buckets.",
        ),
        notes([f"{row['method']}: {row['remark']}" for row in summary["rows"]]),
    ]
    return Section("Table 1: space, time and collision rate of each method", "".join(html))


def main() -> list[Row]:
    """Print the table and return its rows."""
    found = rows()
    console = Console(width=max(Console().width, 132))
    printed = Table("method", "space", "time", "collision rate", title="Table 1 as printed")
    values = Table(
        "method",
        *(
            "rows",
            "dictionary lookups",
            "hashes",
            "collision rate",
            "exclusive",
            "half shared",
            "fully shared",
        ),
        title=f"Its values at |T| = {NUM_KEYS:,}, B = 2^22, k = {NUM_HEAD:,}; shares of keys, rows summed",
    )
    for row in found:
        printed.add_row(row.method, row.space, row.time, row.formula)
        values.add_row(
            row.method,
            *(
                f"{n:,}"
                for n in (row.cost.num_rows, row.cost.num_dictionary_lookups, row.cost.num_bucket_hashes)
            ),
            f"{row.collision_rate:.3g}",
            *(
                f"{share:.3g}"
                for share in (row.shares.exclusive, row.shares.half_shared, row.shares.fully_shared)
            ),
        )
    console.print(printed)
    console.print(values)
    for row in found:
        console.print(f"{row.method}: {row.remark}", highlight=False, soft_wrap=True)
    return found


if __name__ == "__main__":
    main()
