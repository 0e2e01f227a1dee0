"""``python -m benchmarks.quality.shapes``: streams of other shapes, on which no constant or default was chosen.

Does the planner generalise?
"""

import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Final

from benchmarks.quality.__main__ import main
from benchmarks.quality.benchmark import SHARES, Benchmark
from benchmarks.quality.sets import MODEL, DataSet
from hybridhash.data import StreamCategorical, StreamSettings, SyntheticStream
from hybridhash.trials import FitSettings

NUM_ROWS: Final = 300_000
_DURATION_S: Final = 5 * 86_400

_Ids = tuple[int, float, float]  # how many, the exponent of their popularity, the strength of their effects

_SHAPES: Final[Mapping[str, tuple[str, tuple[_Ids, ...], float]]] = MappingProxyType(
    {
        "flat": ("Flat tails", ((40_000, 0.2, 1.2), (20_000, 0.2, 1.2)), float("inf")),
        "steep": ("Extreme tails", ((2_000_000, 1.5, 1.5), (500_000, 1.3, 1.5)), float("inf")),
        "large": ("Two large features", ((200_000, 0.8, 1.5), (100_000, 1.0, 1.5)), float("inf")),
        "small": (
            "Many small features",
            tuple((round(20 * 1.3**place), 0.9, 0.5) for place in range(20)),
            float("inf"),
        ),
        "drift": ("Ids that live for three days", ((30_000, 0.9, 1.5), (20_000, 0.9, 1.5)), 3 * 86_400),
    }
)


def shape_sets() -> dict[str, DataSet]:
    """Return the streams by name."""
    return {name: _set(name, *shape) for name, shape in _SHAPES.items()}


def _set(name: str, title: str, ids: tuple[_Ids, ...], lifetime_s: float) -> DataSet:
    features = tuple(
        StreamCategorical(f"feature_{place}", num_ids, exponent, strength, lifetime_s)
        for place, (num_ids, exponent, strength) in enumerate(ids)
    )
    stream = StreamSettings(NUM_ROWS, _DURATION_S, features, seed=1)
    names = tuple(feature.name for feature in features)
    settings = FitSettings(**MODEL, batch_size=256, label="clicked", categorical=names, time="ts")
    return DataSet(title, settings, partial(_file, name, stream))


def _file(name: str, stream: StreamSettings, work: Path) -> str:
    path = work / f"shape-{name}.parquet"
    if not path.exists():
        SyntheticStream(stream).write_parquet(path)
    return str(path)


SHAPES_STUDY: Final = Benchmark("shapes", ("full", "hashed", "hybrid", "auto"), SHARES, shape_sets)

if __name__ == "__main__":
    sys.exit(main(benchmark=SHAPES_STUDY, prog="python -m benchmarks.quality.shapes"))
