"""How long serving takes without torch: rows through a bundle, and keys through dictionaries of three sizes."""

import argparse
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

import hybridhash as hh
from hybridhash.hashing import Dictionary, ExactKeys, Fingerprints, Ribbon
from hybridhash.packing import PackedRows, packed_bytes, scale_bytes
from hybridhash.spec import TableSpec, Tier
from hybridhash.tables import KeyIndex, ShippedTable

RESULTS: Final = Path(__file__).parent / "results" / "serving.md"
SIZES: Final = (10**3, 10**5, 10**7)
KINDS: Final[dict[str, tuple[Dictionary, int]]] = {
    "exact keys": (ExactKeys(), 0),
    "fingerprints of 16 bits": (Fingerprints(16), 0),
    "ribbon, 8 check bits": (Ribbon(8), 256),
}
_BITS: Final = 8
_DIM: Final = 16


@dataclass(frozen=True)
class Latency:
    """What calls took, in microseconds.

    Attributes:
        median: The middle call.
        p99: The 99th percentile.
        least: The fastest call, which other programs on the machine lengthen least.
    """

    median: float
    p99: float
    least: float


def latency(call: Callable[[int], object], num_calls: int) -> Latency:
    """Time calls one by one, after a tenth as many for warming up.

    Args:
        call: Does call i.
        num_calls: How many are timed.
    """
    for index in range(max(num_calls // 10, 1)):
        call(index)
    times = np.empty(num_calls)
    for index in range(num_calls):
        start = time.perf_counter_ns()
        call(index)
        times[index] = time.perf_counter_ns() - start
    median, p99, least = (float(value) / 1e3 for value in np.percentile(times, [50, 99, 0]))
    return Latency(median, p99, least)


def table_of(num_keys: int, kind: Dictionary, num_codes: int) -> ShippedTable:
    """Build a table of random rows whose keys are those of the integers below ``num_keys``."""
    tier = Tier(num_keys, _BITS, num_codes, kind)
    spec = TableSpec(num_keys, 1000, _DIM, 2, tiers=(tier,), tail_bits=_BITS)
    keys = hh.hash_keys(np.arange(num_keys), "user")
    codes = (np.arange(num_keys) % num_codes).astype(np.uint32) if num_codes else None
    index = KeyIndex.shipped(spec, [kind.build(keys, codes, tier.code_bits)], [np.empty(0, np.uint8)])
    return ShippedTable(spec, index, [_random_rows(tier.num_rows), _random_rows(spec.num_buckets)])


def _random_rows(num_rows: int) -> PackedRows:
    generator = np.random.default_rng(num_rows)
    codes = generator.integers(0, 256, packed_bytes(num_rows * _DIM, _BITS), dtype=np.uint8)
    scales = np.full(scale_bytes(num_rows * _DIM, _BITS), 0, dtype=np.uint8)
    return PackedRows(codes, scales, _BITS, _DIM, num_rows)


def measure_lookups(sizes: Sequence[int] = SIZES, num_calls: int = 2000) -> list[str]:
    """Return lines of a table: vectors of 1 and of 1,000 keys, nine in ten of them known, by kind and size."""
    lines = [
        "| dictionary | keys | 1 key: median | p99 | least | 1,000 keys: median | p99 | least |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for name, (kind, num_codes) in KINDS.items():
        for size in sizes:
            table = table_of(size, kind, num_codes)
            asked = hh.hash_keys(np.random.default_rng(1).integers(0, size * 10 // 9, (101, 1000)), "user")
            one = latency(lambda i: table.vectors(asked[i % 101, :1]), num_calls)  # noqa: B023
            many = latency(lambda i: table.vectors(asked[i % 101]), num_calls // 10)  # noqa: B023
            times = [one.median, one.p99, one.least, many.median, many.p99, many.least]
            lines.append(f"| {name} | {size:,} | " + " | ".join(f"{t:.1f} µs" for t in times) + " |")
    return lines


def measure_rows(
    predict: Callable[[Any], object], rows: Sequence[dict[str, Any]], num_calls: int = 2000
) -> list[str]:
    """Return lines of a table: one row, and all rows as mappings, as columns of lists and as an Arrow table.

    Args:
        predict: What scores rows.
        rows: Rows of the model's features.
        num_calls: Calls with one row; a twentieth as many with all.
    """
    import pyarrow as pa

    columns = {name: [row[name] for row in rows] for name in rows[0]}
    table = pa.table(columns)
    cases: dict[str, Callable[[int], object]] = {
        "1 row, a mapping": lambda i: predict(rows[i % len(rows)]),
        f"{len(rows):,} rows, a list of mappings": lambda _: predict(rows),
        f"{len(rows):,} rows, columns of lists": lambda _: predict(columns),
        f"{len(rows):,} rows, an Arrow table": lambda _: predict(table),
    }
    lines = ["| rows | median | p99 | least |", "|---|---:|---:|---:|"]
    for place, (name, call) in enumerate(cases.items()):
        found = latency(call, num_calls if place == 0 else max(num_calls // 20, 1))
        lines.append(f"| {name} | {found.median:,.0f} µs | {found.p99:,.0f} µs | {found.least:,.0f} µs |")
    return lines


def main() -> None:
    """Measure a bundle on rows of a file, and look-ups, and write the page."""
    import pyarrow.parquet as pq

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bundle", help="a model that hybridhash train left")
    parser.add_argument("rows", help="a Parquet file with 1,000 rows or more of its features")
    chosen = parser.parse_args()
    model = hh.load(chosen.bundle)
    rows = pq.read_table(chosen.rows, columns=list(model.schema.columns)).slice(0, 1000).to_pylist()
    from benchmarks.machine import inspect_machine

    page = [
        "# Serving",
        "",
        "Written by `make bench-serving`. Times of single calls.",
        "",
        inspect_machine(quick=True).line(),
        "",
        "## Rows through the bundle of the demo (`auto`, 10 %)",
        "",
        *measure_rows(model.predict, rows),
        "",
        f"## Vectors of keys: {_DIM} floats of {_BITS} bits",
        "",
        *measure_lookups(),
    ]
    RESULTS.write_text("\n".join(page) + "\n")
    print("\n".join(page))


if __name__ == "__main__":
    main()
