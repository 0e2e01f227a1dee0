import os
from pathlib import Path

import pytest

from hybridhash.errors import FileAccessError
from hybridhash.trials import runs
from hybridhash.trials.runs import RunStore, fingerprint


def test_the_fingerprint_is_of_files_and_settings(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.write_text("rows")
    files = [str(data)]
    base = fingerprint(files, {"dim": 4})
    assert base == fingerprint(files, {"dim": 4})
    assert base != fingerprint(files, {"dim": 5})
    assert base != fingerprint([*files, *files], {"dim": 4})
    os.utime(data, ns=(1, 1))
    changed = fingerprint(files, {"dim": 4})
    assert changed != base
    data.write_text("more rows")
    os.utime(data, ns=(1, 1))
    assert fingerprint(files, {"dim": 4}) not in (base, changed)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("RUNS_VERSION", runs.RUNS_VERSION + 1),
        ("TUNING_VERSION", runs.TUNING_VERSION + 1),
        ("__version__", "0.0.0"),
    ],
)
def test_another_version_of_the_code_is_another_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: object
) -> None:
    base = fingerprint([str(tmp_path)], {})
    monkeypatch.setattr(runs, name, value)
    assert fingerprint([str(tmp_path)], {}) != base


def test_keeps_and_gets(tmp_path: Path) -> None:
    store = RunStore(tmp_path)
    assert store.get("a") is None
    store.keep("a", {"rce": 1.25, "none": None})
    assert store.get("a") == {"rce": 1.25, "none": None}
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]
    assert store.path("a", ".checkpoint") == tmp_path / "a.checkpoint"


def test_a_damaged_result_counts_as_none(tmp_path: Path) -> None:
    store = RunStore(tmp_path)
    store.path("a").write_text('{"rce": 1.')
    assert store.get("a") is None


def test_says_when_the_folder_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileAccessError):
        RunStore(tmp_path / "absent").keep("a", {})
