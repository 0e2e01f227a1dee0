"""What is compared with what: the methods, the budgets, and the name under which runs are kept."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.quality.methods import FULL, HASHED, METHODS
from benchmarks.quality.sets import DataSet, data_sets
from benchmarks.quality.tails import TABLES, TAILS

SHARES: Final = (0.1, 0.05, 0.025)


@dataclass(frozen=True)
class Benchmark:
    """A comparison.

    Attributes:
        name: Runs are kept in ``<name>-<set>.jsonl``, tables in ``<name>.md``.
        methods: In the order of tables.
        shares: Of the full table's bytes: the budgets, the largest first.
        sets: Returns the data sets by name.
        seeds: Final runs of each method on every set; as many as a set asks for if None.
        runoff: Whether methods are tuned by `benchmarks.quality.cell.tune`; by `tune_on_grid` if not.
    """

    name: str
    methods: tuple[str, ...]
    shares: tuple[float, ...]
    sets: Callable[[], dict[str, DataSet]] = data_sets
    seeds: int | None = None
    runoff: bool = True

    def rows_of(self, folder: Path, set_name: str) -> Path:
        """Return the file of a data set's runs in the folder of the results."""
        return folder / f"{self.name}-{set_name}.jsonl"


PEERS_BENCHMARK: Final = Benchmark("quality", METHODS, SHARES)
TAILS_BENCHMARK: Final = Benchmark(
    "tails",
    (FULL, HASHED, "frequency", "hybrid-sum", "hybrid", *TAILS, *TABLES),
    (0.1, 0.025),
    seeds=3,
    runoff=False,
)
