"""The kinds of files that people name by mistake, each written by its own library."""

import gzip
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq
import pytest
import torch
from safetensors.numpy import save_file

from hybridhash.files import kind_of_content


def pickled(path: Path) -> None:
    with open(path, "wb") as file:
        pickle.dump({"a": 1}, file)


def zipped(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("a.txt", "text")


WRITERS = {
    "a PyTorch checkpoint": lambda path: torch.save({"w": torch.ones(3)}, path),
    "a PyTorch checkpoint ": lambda path: torch.save({}, path, _use_new_zipfile_serialization=False),
    "a pickle": pickled,
    "a zip file": zipped,
    "an archive of NumPy arrays (.npz)": lambda path: np.savez(path.open("wb"), a=np.arange(3)),
    "a NumPy array (.npy)": lambda path: np.save(path.open("wb"), np.arange(3)),
    "a Parquet file": lambda path: pq.write_table(pa.table({"a": [1]}), path),
    "an Arrow file": lambda path: feather.write_feather(pa.table({"a": [1]}), path),
    "a gzip file": lambda path: path.write_bytes(gzip.compress(b"a,b\n1,2\n")),
    "a safetensors file that hybridhash did not write": lambda path: save_file({"a": np.arange(3)}, path),
    "a JSON file": lambda path: path.write_text('{"a": 1}'),
    "a text file": lambda path: path.write_text("é" * 5000),
    "an empty file": lambda path: path.touch(),
}


@pytest.mark.parametrize("kind", WRITERS)
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_what_other_libraries_write(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "file"
    WRITERS[kind](path)
    assert kind_of_content(path) == kind.strip()


def test_text_by_its_ending(tmp_path: Path) -> None:
    for name, kind in (("a.CSV", "a CSV file"), ("a.toml", "a TOML file, such as an experiment file")):
        (tmp_path / name).write_text("a,b\n1,2\n")
        assert kind_of_content(tmp_path / name) == kind


def test_other_bytes_are_of_no_known_kind(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(bytes(range(255, 0, -1)) * 20)
    assert kind_of_content(tmp_path / "x") is None
