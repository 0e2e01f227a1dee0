from pathlib import Path
from typing import Any

import numpy as np
import pytest
from torch import nn

from hybridhash import Vocabulary, load
from hybridhash.embeddings import EmbeddingBag, pack
from hybridhash.errors import FileAccessError, FileFormatError, InvalidValueError
from hybridhash.experiments import inspect_file
from hybridhash.files import write_checked
from hybridhash.spec import TableSpec, Tier
from hybridhash.tables import Blueprint
from hybridhash.training.checkpoint import save_checkpoint


def test_a_bundle(compared: Any) -> None:
    path = compared.out / "hybrid.hh"
    found, model = inspect_file(path), load(path)
    assert found["format"] == "hybridhash-bundle"
    assert found["file_bytes"] == path.stat().st_size == sum(found["ledger"].values())
    assert found["label"] == "clicked"
    assert [item["name"] for item in found["features"]] == list(model.schema.names)
    assert found["features"][2] == {"name": "site", "kind": "categorical", "dtype": "string"}
    assert [table["part"] for table in found["tables"]] == ["deep", "wide"]
    assert found["tables"][0]["rows"] == model.spec.num_rows
    assert found["embedding_bytes"] == model.ledger.embedding_bytes


def test_a_table(tmp_path: Path) -> None:
    """What `hybridhash.pack` made: every byte of the file stands in the ledger."""
    blueprint = Blueprint(
        TableSpec(3, 5, 8, tiers=(Tier(3, 8),)), Vocabulary(np.array([9, 7, 8]), seed=4), ("user",)
    )
    pack(EmbeddingBag(blueprint)).save(tmp_path / "ids.hh")
    found = inspect_file(tmp_path / "ids.hh")
    assert (found["format"], found["hash_seed"]) == ("hybridhash-table", 4)
    assert found["file_bytes"] == sum(found["ledger"].values()) == (tmp_path / "ids.hh").stat().st_size
    [table] = found["tables"]
    assert (table["features"], table["num_head"], table["dim"]) == (["user"], 3, 8)


def test_a_vocabulary(tmp_path: Path) -> None:
    Vocabulary(np.array([9, 7, 8])).save(tmp_path / "v")
    found = inspect_file(tmp_path / "v")
    assert (found["format"], found["keys"], found["first_keys"]) == ("hybridhash-vocabulary", 3, [9, 7, 8])
    assert found["has_counts"] is False


def test_a_checkpoint(tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "c", nn.Linear(1, 1), [], {"seed": 3}, {"steps": 7})
    found = inspect_file(tmp_path / "c")
    assert (found["settings"], found["progress"]) == ({"seed": 3}, {"steps": 7})


def test_refuses_what_is_none_of_these(clicks: Path, compared: Any, tmp_path: Path) -> None:
    write_checked(tmp_path / "x", {}, {}, "hybridhash-other", 1)
    with pytest.raises(InvalidValueError, match="got a hybridhash-other file"):
        inspect_file(tmp_path / "x")
    with pytest.raises(FileFormatError):
        inspect_file(clicks)
    with pytest.raises(FileAccessError):
        inspect_file(tmp_path / "absent")
    content = bytearray((compared.out / "hybrid.hh").read_bytes())
    content[-1] ^= 1
    (tmp_path / "flipped.hh").write_bytes(content)
    with pytest.raises(FileFormatError):
        inspect_file(tmp_path / "flipped.hh")
