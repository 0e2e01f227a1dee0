"""Small files for the readers."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from hybridhash.data import Columns, Dataset, Label, Split, open_source, prepare

CLICKS = ["user_id,site,price,tags,ts,clicked"] + [
    f"{row % 5:03d},s{row % 3},{row / 4},{'a|b' if row % 2 else 'c'},{1000 + row // 2},{int(row % 3 == 0)}"
    for row in range(20)
]
COLUMNS = Columns(Label("clicked"), ("user_id", "site"), ("price",), ("tags",), time="ts")


@pytest.fixture
def clicks() -> list[str]:
    """Twenty lines of a click log and their header; a line is `clicks[row]`, row from 1."""
    return list(CLICKS)


@pytest.fixture
def columns() -> Columns:
    return COLUMNS


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Write lines, or bytes, to a file of the temporary folder."""

    def write(lines: Sequence[str] | bytes, name: str = "clicks.csv") -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(lines if isinstance(lines, bytes) else ("\n".join(lines) + "\n").encode())
        return path

    return write


@pytest.fixture
def load(tmp_path: Path) -> Callable[..., Dataset]:
    """Prepare a file with the columns of the click log."""

    def load(path: Path | str | list[Path], **options: Any) -> Dataset:
        options.setdefault("columns", COLUMNS)
        split = options.pop("split", Split("time", 0.8))
        source = open_source(path, options.pop("format", None), quote=options.pop("quote", None))
        return prepare(source, split, options.pop("work_dir", tmp_path / "work"), **options)

    return load
