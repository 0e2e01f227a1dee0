"""The data sets: where their rows come from, and how a model reads them."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from paper.scale import FULL, Scale
from paper.study import SkippedError
from paper.surfaces import Surface, ads, timeline

from hybridhash.data import SyntheticStream, stream_preset
from hybridhash.experiments import Silence
from hybridhash.trials import FitSettings

ROOT: Final = Path(__file__).parents[2]
REAL_SETS: Final = ("movietweetings", "assistments")
STREAM_SHARE: Final = 0.1
RATES: Final = (0.005, 0.01, 0.02, 0.05, 0.1)
MODEL: Final[Mapping[str, Any]] = MappingProxyType(
    {"dim": 16, "hidden": (64, 32), "optimizer": "adagrad", "learning_rate": RATES, "epochs": 4}
)


@dataclass(frozen=True)
class DataSet:
    """Rows, and the settings of a model on them.

    Attributes:
        title: What tables and plots call it.
        settings: Columns, split, model and training.
        files: Names the input, made if need be in the folder given. Raises `SkippedError` where it is not there.
        seeds: Final runs of each method, where not said otherwise; the smaller the test, the more are needed.
    """

    title: str
    settings: FitSettings
    files: Callable[[Path], str]
    seeds: int = 3


def data_sets() -> dict[str, DataSet]:
    """Return the sets of the benchmark by name."""
    scale = replace(FULL, stream_share=STREAM_SHARE)
    return {
        "movietweetings": DataSet(
            "MovieTweetings",
            FitSettings(**MODEL, format="movietweetings", batch_size=1024),
            partial(_real, "movietweetings"),
            seeds=10,
        ),
        "assistments": DataSet(
            "ASSISTments",
            FitSettings(
                **MODEL,
                label="label",
                categorical=("student", "problem", "skill"),
                split="column:fold=5",
                validation="column:fold=4",
                batch_size=1024,
            ),
            partial(_real, "assist09.parquet"),
            seeds=10,
        ),
        "ads": _stream("Stream 'ads'", ads, scale),
        "timeline": _stream("Stream 'timeline'", timeline, scale),
    }


def tiny_sets() -> dict[str, DataSet]:
    """Return one small stream, with lists, that trains in a second: it shows that all runs, and measures nothing."""
    settings = FitSettings(
        dim=8,
        hidden=(8,),
        learning_rate=(0.02, 0.1),
        epochs=2,
        batch_size=64,
        label="clicked",
        categorical=("user_id", "ad_id", "site"),
        list=("tags",),
        time="ts",
    )
    return {"tiny": DataSet("Tiny stream", settings, _tiny)}


def _tiny(work: Path) -> str:
    path = work / "tiny.parquet"
    SyntheticStream(replace(stream_preset("demo", scale=0.01), num_rows=1000)).write_parquet(path)
    return str(path)


def _stream(title: str, surface_of: Callable[[Scale], Surface], scale: Scale) -> DataSet:
    surface = surface_of(scale)
    columns = {name: value for name, value in surface.settings.items() if name != "group"}
    settings = FitSettings(**{**columns, **MODEL, "batch_size": 256})
    return DataSet(title, settings, lambda work: str(surface.file(work, Silence())), seeds=5)


def _real(name: str, work: Path) -> str:
    folders = (os.environ.get("HYBRIDHASH_DATA"), ROOT.parent / "shared" / "data", ROOT / "shared" / "data")
    for folder in folders:
        if folder and (Path(folder) / name).exists():
            return str(Path(folder) / name)
    raise SkippedError(f"needs {name}, which is not there; name the folder that has it in HYBRIDHASH_DATA")
