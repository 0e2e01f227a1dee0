"""Values to keys: keys per second of each form of array, the numpy definition against the compiled kernels.

Run with ``python benchmarks/hashing.py``; ``--keep`` adds the rows to ``benchmarks/results/hashing.jsonl``.
The strings have 1 to 16 characters, all lengths alike, which is hard on branches. The peer is the ``xxhash``
package called in a loop over Python bytes, the only way it offers. All cases take turns within one run. The
bytes of a key are those of its value and 8 of the key; the bandwidth beside them is that of a copy.
"""

import argparse
import json
import os
import platform
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import xxhash

from hybridhash import _native
from hybridhash.hashing import feature_salt, native, reference

RESULTS = Path(__file__).with_name("results") / "hashing.jsonl"
SALT = feature_salt("user_id")
LONGEST = 16


@dataclass(frozen=True)
class Row:
    """One case.

    Attributes:
        form: Of the array: ``int64``, ``arrow``, ``U16``, ``S16`` or ``copy``.
        engine: ``native``, ``reference``, ``xxhash`` (a Python loop) or ``numpy`` (the copy).
        threads: That hash; 1 for all but ``native``.
        keys_per_s: At the median of the repeats.
        slowest_keys_per_s: Of the repeats.
        fastest_keys_per_s: Of the repeats.
        bytes_per_key: Read and written.
        times_reference: Speed over that of ``reference`` on the same array; 0 where there is none.
        num_keys: In one repeat.
        machine: What it was measured on.
    """

    form: str
    engine: str
    threads: int
    keys_per_s: float
    slowest_keys_per_s: float
    fastest_keys_per_s: float
    bytes_per_key: float
    times_reference: float
    num_keys: int
    machine: str


@dataclass(frozen=True)
class Case:
    """What is timed."""

    form: str
    engine: str
    threads: int
    bytes_per_key: float
    run: Callable[[], Any]


def main(arguments: Sequence[str] | None = None) -> list[Row]:
    """Measure, print the table, and return its rows."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="few keys and repeats, to see that it runs")
    parser.add_argument("--keep", action="store_true", help=f"add the rows to {RESULTS.name}")
    options = parser.parse_args(arguments)
    num_keys, num_repeats = (70_000, 2) if options.quick else (2_000_000, 7)
    rows = measure(cases(num_keys), num_keys, num_repeats)
    print(rows[0].machine)
    print(f"{num_keys:,} keys, median of {num_repeats}")
    print(
        f"{'form':8} {'engine':10} {'threads':>7} {'M keys/s':>9} {'(range)':>17} {'GB/s':>6} {'x reference':>12}"
    )
    for row in rows:
        spread = f"({row.slowest_keys_per_s / 1e6:.1f} - {row.fastest_keys_per_s / 1e6:.1f})"
        ratio = f"{row.times_reference:.1f}" if row.times_reference else ""
        print(
            f"{row.form:8} {row.engine:10} {row.threads:7} {row.keys_per_s / 1e6:9.1f} {spread:>17} "
            f"{row.keys_per_s * row.bytes_per_key / 1e9:6.1f} {ratio:>12}"
        )
    if options.keep:
        RESULTS.parent.mkdir(exist_ok=True)
        with RESULTS.open("a", encoding="utf-8") as file:
            file.writelines(json.dumps(asdict(row)) + "\n" for row in rows)
    return rows


def cases(num_keys: int) -> list[Case]:
    """Return every case, each checked against the definition; the most threads first.

    Raises:
        SystemExit: A form of a key differs from the definition's; its speed would mean nothing.
    """
    random = np.random.default_rng(0)
    numbers = random.integers(0, 2**62, size=num_keys)
    letters = random.integers(ord("0"), ord("z"), size=(num_keys, LONGEST), dtype=np.uint8)
    lengths = random.integers(1, LONGEST + 1, size=num_keys)
    letters[np.arange(LONGEST) >= lengths[:, None]] = 0
    encoded = letters.reshape(-1).view(f"S{LONGEST}")
    text = encoded.astype(f"U{LONGEST}")
    objects = encoded.tolist()
    arrow = pa.array(objects, type=pa.binary()).cast(pa.string())
    forms = [
        ("int64", "integer_keys", numbers, 8.0),
        ("arrow", "arrow_string_keys", arrow, float(lengths.mean()) + 4),
        ("U16", "numpy_text_keys", text, 4.0 * LONGEST),
        ("S16", "numpy_bytes_keys", encoded, float(LONGEST)),
    ]
    expected = reference.arrow_string_keys(arrow, SALT)
    found = []
    for form, function, values, num_bytes in forms:
        right = reference.integer_keys(numbers, SALT) if form == "int64" else expected
        for engine in (native, reference):
            if not np.array_equal(getattr(engine, function)(values, SALT), right):
                raise SystemExit(f"{form}: the keys of {engine.__name__} are not those of the definition")
        for threads in sorted({2, 1} & set(range(native.num_threads(num_keys) + 1)), reverse=True):
            run = partial(on_cores, threads, partial(getattr(native, function), values, SALT))
            found.append(Case(form, "native", threads, num_bytes + 8, run))
        run = partial(getattr(reference, function), values, SALT)
        found.append(Case(form, "reference", 1, num_bytes + 8, run))
    loop = partial(loop_over, objects)
    if not np.array_equal(np.array(loop(), dtype=np.uint64).view(np.int64), expected):
        raise SystemExit("the keys are not those of the xxhash package")
    found.append(Case("bytes", "xxhash", 1, float(lengths.mean()) + 8, loop))
    copy = partial(np.copyto, np.zeros_like(numbers), numbers)
    found.append(Case("copy", "numpy", 1, 16.0, copy))
    return found


def loop_over(values: list[bytes]) -> list[int]:
    """Hash Python bytes one by one."""
    digest = xxhash.xxh64_intdigest
    return [digest(value, SALT) for value in values]


def on_cores(count: int, run: Callable[[], Any]) -> Any:
    """Run on so many cores, from which the library takes its number of threads."""
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(allowed)[:count])
    try:
        return run()
    finally:
        os.sched_setaffinity(0, allowed)


def measure(todo: list[Case], num_keys: int, num_repeats: int) -> list[Row]:
    """Time all cases in turn, after one run of each that does not count."""
    seconds: list[list[float]] = [[] for _ in todo]
    for repeat in range(num_repeats + 1):
        for case, taken in zip(todo, seconds, strict=True):
            start = time.perf_counter()
            case.run()
            if repeat:
                taken.append(time.perf_counter() - start)
    medians = [statistics.median(taken) for taken in seconds]
    of_reference = {case.form: s for case, s in zip(todo, medians, strict=True) if case.engine == "reference"}
    machine = describe_machine()
    return [
        Row(
            form=case.form,
            engine=case.engine,
            threads=case.threads,
            keys_per_s=num_keys / median,
            slowest_keys_per_s=num_keys / max(taken),
            fastest_keys_per_s=num_keys / min(taken),
            bytes_per_key=case.bytes_per_key,
            times_reference=of_reference[case.form] / median if case.form in of_reference else 0.0,
            num_keys=num_keys,
            machine=machine,
        )
        for case, median, taken in zip(todo, medians, seconds, strict=True)
    ]


def describe_machine() -> str:
    """Return the processor, the instruction set in use, the load, and the versions, in one line."""
    processor = platform.processor() or platform.machine()
    information = Path("/proc/cpuinfo")
    if information.exists():
        lines = information.read_text(encoding="utf-8").splitlines()
        names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
        processor = names[0] if names else processor
    return (
        f"{processor}, {os.cpu_count()} cores, {_native.isa()}, load {os.getloadavg()[0]:.2f}; "
        f"Python {platform.python_version()}, "
        f"numpy {version('numpy')}, pyarrow {version('pyarrow')}, xxhash {version('xxhash')}"
    )


if __name__ == "__main__":
    main()
