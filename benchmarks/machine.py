"""What the figures are measured on, and how fast its memory is."""

import os
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Final

import torch

from hybridhash import _native
from hybridhash.trials import processor_name

_PACKAGES: Final = ("hybridhash", "torch", "fbgemm-gpu-cpu", "torchrec", "deepctr-torch", "numpy")


@dataclass(frozen=True)
class Machine:
    """A machine and its state at the start of a run.

    Attributes:
        cpu: Model name.
        num_cores: Cores that this process may use.
        num_threads: Threads that torch, and so everything here, uses.
        instruction_set: Which build of our kernels runs.
        load: The load average of the last minute before the run.
        copy_gb_per_s: Bytes read and written by a copy, 10^9 a second.
        triad_gb_per_s: Bytes read and written by ``c = a + s * b``.
        gather_gb_per_s: Bytes of random rows of 128 bytes read from a table of 2^22 rows by ``index_select``.
        versions: Versions by package.
    """

    cpu: str
    num_cores: int
    num_threads: int
    instruction_set: str
    load: float
    copy_gb_per_s: float
    triad_gb_per_s: float
    gather_gb_per_s: float
    versions: dict[str, str]

    def line(self) -> str:
        """Return the machine in one line."""
        versions = ", ".join(f"{name} {number}" for name, number in self.versions.items())
        return (
            f"{self.cpu}, {self.num_cores} cores, {self.num_threads} threads, {self.instruction_set} kernels; "
            f"copy {self.copy_gb_per_s:.1f} GB/s, triad {self.triad_gb_per_s:.1f} GB/s, random rows of 128 bytes "
            f"{self.gather_gb_per_s:.1f} GB/s; load before {self.load:.2f}; Python "
            f"{platform.python_version()}, {versions}"
        )


def inspect_machine(quick: bool) -> Machine:
    """Look at the machine and measure its memory with the threads that torch has now.

    Args:
        quick: Measure on arrays too small to say much.
    """
    load = os.getloadavg()[0]
    num_floats = 1 << (16 if quick else 26)
    num_rows = 1 << (10 if quick else 22)
    a, b, c = (torch.zeros(num_floats) for _ in range(3))
    table = torch.zeros(num_rows, 32)
    rows = torch.randint(num_rows, (num_rows // 4,), generator=torch.Generator().manual_seed(0))
    gathered = torch.empty(rows.numel(), 32)
    return Machine(
        cpu=processor_name(),
        num_cores=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        num_threads=torch.get_num_threads(),
        instruction_set=_native.isa(),
        load=load,
        copy_gb_per_s=8 * num_floats / _best_ns(lambda: c.copy_(a)),
        triad_gb_per_s=12 * num_floats / _best_ns(lambda: torch.add(a, b, alpha=3.0, out=c)),
        gather_gb_per_s=4
        * gathered.numel()
        / _best_ns(lambda: torch.index_select(table, 0, rows, out=gathered)),
        versions=_versions(),
    )


def _best_ns(work: Callable[[], object]) -> float:
    """Return the shortest of several runs, as STREAM does: the question is what the memory can give."""
    times = []
    for _ in range(8):
        start = time.perf_counter_ns()
        work()
        times.append(time.perf_counter_ns() - start)
    return min(times)


def _versions() -> dict[str, str]:
    found = {}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
