"""A bundle knows the files that it was trained on, and who judges it on them is told."""

from collections.abc import Callable
from pathlib import Path
from shutil import copyfile
from typing import Any

import pytest

from hybridhash import load
from hybridhash.experiments import Silence, SingleSettings, evaluate, train_one

from .conftest import SMALL, Heard


@pytest.fixture(params=["train", "compare"])
def bundle(
    request: pytest.FixtureRequest, clicks: Path, tmp_path: Path, run_compare: Callable[..., Any]
) -> Path:
    if request.param == "compare":
        return run_compare(clicks, tmp_path / "out", method=("hashed",)).out / "hashed.hh"
    out = tmp_path / "model.hh"
    train_one(
        [str(clicks)],
        SingleSettings(**{name: value for name, value in SMALL.items() if name != "seeds"}, out=out),
        Silence(),
    )
    return out


def test_rows_that_the_model_has_learned_are_called_so(bundle: Path, clicks: Path, tmp_path: Path) -> None:
    origin = load(bundle).notes["rows"]
    assert origin["files"] == [[clicks.name, clicks.stat().st_size]]
    assert 0 < origin["train"] < origin["all"]
    listener = Heard()
    evaluate(bundle, [str(clicks)], listener)
    [said] = listener.notes
    assert said.startswith(f"the model was trained on {origin['train']:,} of the {origin['all']:,} rows")
    elsewhere = Heard()
    copyfile(clicks, tmp_path / f"later-{clicks.name}")
    evaluate(bundle, [str(tmp_path / f"later-{clicks.name}")], elsewhere)
    assert elsewhere.notes == []
