"""Table 1: space, time and collision rate of each method, as printed and as numbers.

Run with ``python paper/table1.py``. The sizes are those of the paper's example: 4,000,000 keys, 2**22
buckets, and a head of 105,000, the size that fits its Table 2.
"""

import json
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

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
