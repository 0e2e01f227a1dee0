"""``python -m benchmarks``: run all benchmarks, print tables, keep the rows."""

import argparse
import json
import os
import subprocess
import sys
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import torch

from benchmarks import bags, encode, peers, tables, targets, wide_deep
from benchmarks.harness import MIN_REPEATS, Plan, Row
from benchmarks.ids import Setting
from benchmarks.machine import Machine, inspect_machine

ROOT: Final = Path(__file__).parents[1]
NAMES: Final = ("bags", "encode", "wide_deep")
NUM_THREADS: Final = 2
QUICK: Final = Setting(20_000, 1.05, 32, 20, 16, 500, 1 << 11, 1 << 15, 2)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmarks that are asked for.

    Args:
        arguments: Of the command line; those of the process if not given.

    Returns:
        0, or 1 where the kernels' tests fail: figures of a wrong result are worth nothing.
    """
    options = _parse(arguments)
    if not options.untested and not _kernels_pass():
        sys.stderr.write("benchmarks: expected green kernel tests, they fail; run pytest tests/kernels -x\n")
        return 1
    # One in a quick run: threads that wait for each other on a busy machine take longer than the work.
    torch.set_num_threads(1 if options.quick else NUM_THREADS)
    warnings.filterwarnings("ignore", module=r"torchrec|fbgemm_gpu|deepctr_torch|tensordict")
    peers.find_peers()
    machine = inspect_machine(options.quick)
    date = datetime.now(UTC).isoformat(timespec="seconds")
    print(machine.line(), flush=True)
    groups: list[list[Row]] = []
    for name in options.only:
        for rows in _run(name, options.quick):
            groups.append(rows)
            print(f"\n{tables.comparison(rows, machine)}", flush=True)
            _keep(rows, options.out / f"{name}.jsonl", machine, date)
    if options.quick:
        print("\nA quick run is too small to hold against targets.")
        return 0
    outcomes = targets.outcomes([row for rows in groups for row in rows])
    print(f"\n{tables.verdicts(outcomes)}")
    if options.only == NAMES:
        (options.out / "latest.md").write_text(tables.page(groups, outcomes, machine, date))
    return 0


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure against peers.")
    parser.add_argument(
        "--quick", action="store_true", help="tiny sizes: shows that all runs, measures nothing"
    )
    parser.add_argument("--only", nargs="+", choices=NAMES, default=NAMES, help="which files to run")
    parser.add_argument("--out", type=Path, help="folder of the rows (default benchmarks/results)")
    parser.add_argument("--untested", action="store_true", help="do not run the kernels' tests first")
    options = parser.parse_args(arguments)
    if options.out is None:
        options.out = ROOT / ("build/bench-quick" if options.quick else "benchmarks/results")
    options.only = tuple(name for name in NAMES if name in options.only)
    options.out.mkdir(parents=True, exist_ok=True)
    return options


def _kernels_pass() -> bool:
    command = [sys.executable, "-m", "pytest", "tests/kernels", "-x", "-q"]
    return subprocess.run(command, cwd=ROOT, check=False).returncode == 0


def _run(name: str, quick: bool) -> Iterator[list[Row]]:
    base = QUICK if quick else Setting()
    plan = Plan(2, 2, 1) if quick else Plan(MIN_REPEATS, base.num_batches, 4)
    if name == "bags":
        return bags.run(base, plan, most_full_rows=1 << (17 if quick else 24))
    if name == "encode":
        return encode.run(base, plan)
    return wide_deep.run(
        base.num_ids, plan, None if quick else _sample(), batch_sizes=(8, 16) if quick else (128, 2048)
    )


def _sample() -> Path | None:
    folder = Path(os.environ.get("HYBRIDHASH_DATA", ROOT / "shared" / "data"))
    path = folder / "criteo_tb_sample.parquet"
    if path.exists():
        return path
    print(f"\nno Criteo sample: {path} does not exist; name its folder in HYBRIDHASH_DATA", flush=True)
    return None


def _keep(rows: Sequence[Row], path: Path, machine: Machine, date: str) -> None:
    common = {"date": date, "load_now": os.getloadavg()[0], "machine": asdict(machine)}
    with path.open("a") as file:
        for row in rows:
            file.write(json.dumps({**row.as_dict(), **common}) + "\n")


if __name__ == "__main__":
    sys.exit(main())
