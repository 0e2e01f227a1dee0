"""One comparison of all methods on a tiny click log, which most tests look at."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch

from hybridhash.experiments import CompareSettings, Silence, compare
from hybridhash.results import Comparison

COLUMNS: dict[str, Any] = {
    "label": "clicked",
    "categorical": ("user_id", "ad_id", "site"),
    "numeric": ("price", "age"),
    "list": ("tags",),
    "time": "ts",
}
SMALL: dict[str, Any] = {
    **COLUMNS,
    "dim": 4,
    "hidden": (8,),
    "epochs": 1,
    "learning_rate": (0.05,),
    "batch_size": 64,
    "seeds": 2,
    "budget": "20%",
}


class Heard(Silence):
    """A listener that remembers."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.runs: list[str] = []

    def run_done(self, title: str, summary: str) -> None:
        self.runs.append(title)

    def note(self, text: str) -> None:
        self.notes.append(text)


@dataclass(frozen=True)
class Compared:
    """What a comparison returned, and the content of its file."""

    out: Path
    returned: Comparison
    results: dict[str, Any]
    runs: list[str]
    notes: list[str]


@pytest.fixture(autouse=True, scope="session")
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def run_compare() -> Callable[..., Compared]:
    """Runs a small comparison; keywords override its settings."""

    def run(data: Path, out: Path, **changes: Any) -> Compared:
        heard = Heard()
        settings = CompareSettings(**{**SMALL, "out": out, **changes})
        returned = compare([str(data)], settings, heard, version="0", command="test")
        results = json.loads((out / "results.json").read_text())
        return Compared(out, returned, results, heard.runs, heard.notes)

    return run


@pytest.fixture(scope="session")
def compared(
    clicks: Path, run_compare: Callable[..., Compared], tmp_path_factory: pytest.TempPathFactory
) -> Compared:
    """All methods, two seeds, with the true probabilities as reference."""
    return run_compare(clicks, tmp_path_factory.mktemp("compared") / "out", reference="probability")
