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


def test_a_kept_result_has_no_checkpoints(tmp_path: Path) -> None:
    store = RunStore(tmp_path)
    checkpoints = [store.checkpoint("a"), store.checkpoint("a", "rate0.1"), store.checkpoint("a", "rate0.2")]
    others = [store.checkpoint("a-seed1"), store.checkpoint("ab", "rate0.1")]
    for path in (*checkpoints, *others):
        path.touch()
    store.keep("a", {})
    assert sorted(tmp_path.iterdir()) == sorted([store.path("a"), *others])
    store.remove_checkpoints()
    assert list(tmp_path.iterdir()) == [store.path("a")]


def test_opening_removes_what_killed_processes_have_left(tmp_path: Path) -> None:
    """A checkpoint of a run that was kept, half a file, a folder; nothing that a run can go on from."""
    store = RunStore(tmp_path / "runs")
    with store.open(), store.scratch() as folder:
        assert folder.parent == store.folder
    store.keep("a-seed1", {})
    store.checkpoint("a-seed1").touch()
    store.checkpoint("a-seed1", "windows").touch()
    wanted = store.checkpoint("a-seed10")
    wanted.touch()
    (store.folder / ".b.json.0123456789abcdef.tmp").touch()
    (store.folder / "scratch-0123456789abcdef").mkdir()
    with store.open():
        assert sorted(store.folder.iterdir()) == sorted(
            [store.folder / ".lock", store.path("a-seed1"), wanted]
        )
    assert sorted(store.folder.iterdir()) == sorted([store.path("a-seed1"), wanted])


def test_a_damaged_result_counts_as_none(tmp_path: Path) -> None:
    store = RunStore(tmp_path)
    store.path("a").write_text('{"rce": 1.')
    assert store.get("a") is None


def test_says_when_the_folder_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileAccessError):
        RunStore(tmp_path / "absent").keep("a", {})
