"""The example trains, packs and reads its table, on a small folder in the form of MovieTweetings."""

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import hybridhash as hh

EXAMPLE = Path(__file__).parents[2] / "examples" / "own_loop.py"


@pytest.fixture
def example() -> Any:
    spec = importlib.util.spec_from_file_location("own_loop", EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two thousand ratings of forty movies, whose even numbers are liked."""
    generator = np.random.default_rng(0)
    movies = [f"{movie:07d}::Film {movie} ({1990 + movie % 20})::Drama|Comedy" for movie in range(39)]
    (tmp_path / "movies.dat").write_text("\n".join([*movies, "0000039::Untitled::"]), encoding="utf-8")
    chosen = generator.integers(0, 40, 2000)
    liked = generator.random(2000) < np.where(chosen % 2, 0.1, 0.9)
    ratings = [
        f"{generator.integers(60)}::{movie:07d}::{9 if good else 4}::{place}"
        for place, (movie, good) in enumerate(zip(chosen, liked, strict=True))
    ]
    (tmp_path / "ratings.dat").write_text("\n".join(ratings), encoding="utf-8")
    return tmp_path


def test_the_packed_table_predicts_as_the_trained_rows(
    example: Any,
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(example, "BATCH", 64)
    [(trained, packed, num_bytes)] = example.main(folder, "60%", 1, tmp_path / "ids.hh")
    assert num_bytes == (tmp_path / "ids.hh").stat().st_size
    assert trained > 20
    assert packed == pytest.approx(trained, abs=2)
    table = hh.load(tmp_path / "ids.hh")
    assert table.feature_names == ("user", "movie", "year", "genres")
    assert table.vectors(hh.hash_keys([7, 42], feature="user")).shape == (2, 16)
    printed = capsys.readouterr().out
    assert "rows of their own at 8 bits" in printed
    assert "packed" in printed.splitlines()[-1]


def test_keys_and_offsets_are_those_of_the_examples(example: Any, folder: Path) -> None:
    """Four bags an example: user, movie, year and the genres, of which the last movie has none."""
    data = example.read(folder)
    keys, offsets = example.keys_of(data.table).batch(example.torch.arange(2000))
    bounds = [*offsets.tolist(), len(keys)]
    rows = data.table.to_pylist()
    for place in (0, 1, next(place for place, row in enumerate(rows) if row["movie"] == "0000039")):
        bags = [keys[bounds[4 * place + bag] : bounds[4 * place + bag + 1]].tolist() for bag in range(4)]
        row = rows[place]
        values = {name: [row[name]] for name in ("user", "movie", "year")} | {"genres": row["genres"]}
        assert bags == [hh.hash_keys(each, feature=name).tolist() for name, each in values.items()]
