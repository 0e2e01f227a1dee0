"""Continuous training on a small click log of 120 hours, in windows of 12."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sklearn.metrics import log_loss

from hybridhash.errors import DataError, DivergedError, InvalidValueError
from hybridhash.experiments import ContinuousSettings, continuous
from hybridhash.planner import ModelBlueprint
from hybridhash.results import Continuous, read_record
from hybridhash.training import train_windows
from hybridhash.trials import fitting, stream

from .conftest import SMALL, Heard

HOUR = 3600
CHOSEN: dict[str, Any] = {
    **SMALL,
    "method": ("baseline", "hybrid"),
    "split": "time:60h",
    "window": "12h",
    "reference": "probability",
}
Run = Callable[..., Any]


class Followed:
    """What a call left."""

    def __init__(self, results: dict[str, Any], heard: Heard, out: Path) -> None:
        self.results, self.out = results, out
        self.runs, self.notes = heard.runs, heard.notes


@pytest.fixture(scope="module")
def run() -> Run:
    def run(data: Path, out: Path, **changes: Any) -> Followed:
        heard = Heard()
        settings = ContinuousSettings(**{**CHOSEN, "out": out, **changes})
        returned = continuous([str(data)], settings, heard, version="0", command="test")
        assert read_record(Continuous, out / "continuous.json") == returned
        return Followed(json.loads((out / "continuous.json").read_text()), heard, out)

    return run


@pytest.fixture(scope="module")
def followed(clicks: Path, run: Run, tmp_path_factory: pytest.TempPathFactory) -> Followed:
    return run(clicks, tmp_path_factory.mktemp("continuous") / "out")


def figures(results: dict[str, Any]) -> Any:
    return {name: results[name] for name in ("windows", "methods", "differences")}


def test_the_windows_are_those_of_the_clock(followed: Followed, clicks: Path) -> None:
    table = pq.read_table(clicks).sort_by("ts")
    times, labels, truth = (table[name].to_numpy() for name in ("ts", "clicked", "probability"))
    start = times[times >= times[0] + 60 * HOUR][0]
    windows = followed.results["windows"]
    assert len(windows) == 5
    for number, window in enumerate(windows):
        inside = (times >= start + 12 * HOUR * number) & (times < start + 12 * HOUR * (number + 1))
        assert window["start"] == start + 12 * HOUR * number
        assert (window["rows"], window["positives"]) == (inside.sum(), labels[inside].sum())
        constant = np.full(inside.sum(), labels[inside].mean())
        best = 100 * (1 - log_loss(labels[inside], truth[inside]) / log_loss(labels[inside], constant))
        assert window["best_reachable_rce"] == pytest.approx(best)
    assert sum(window["rows"] for window in windows) == (times >= start).sum()


def test_figures_fit_each_other(followed: Followed) -> None:
    baseline, hybrid = followed.results["methods"]
    assert (baseline["name"], hybrid["name"]) == ("baseline", "hybrid")
    assert hybrid["share_of_baseline"] <= 0.2 < baseline["share_of_baseline"] == 1
    for row in (baseline, hybrid):
        assert np.shape(row["rce"]) == np.shape(row["log_loss"]) == (2, 5)
        assert row["rce_mean"] == pytest.approx(np.mean(row["rce"]))
        assert row["rce_std"] == pytest.approx(np.mean(row["rce"], axis=1).std(ddof=1))
    [difference] = followed.results["differences"]
    expected = np.array(hybrid["rce"]) - np.array(baseline["rce"])
    assert [window["mean"] for window in difference["windows"]] == pytest.approx(expected.mean(axis=0))
    assert difference["mean"] == pytest.approx(expected.mean())
    # With two seeds: t(0.975, 1) = 12.706, and the standard error is half the distance of the two.
    half = 12.7062 * abs(expected.mean(axis=1)[0] - expected.mean(axis=1)[1]) / 2
    assert difference["high"] - difference["mean"] == pytest.approx(half, rel=1e-4)
    assert difference["windows_above"] == (expected.mean(axis=0) > 0).sum()
    assert difference["windows_compared"] == 5


def test_rce_is_relative_to_the_windows_own_mean_label(followed: Followed) -> None:
    for row in followed.results["methods"]:
        for of_seed, losses in zip(row["rce"], row["log_loss"], strict=True):
            for rce, loss, window in zip(of_seed, losses, followed.results["windows"], strict=True):
                mean = window["positives"] / window["rows"]
                entropy = -(mean * np.log(mean) + (1 - mean) * np.log(1 - mean))
                assert rce == pytest.approx(100 * (1 - loss / entropy))


def test_results_and_report_are_written(followed: Followed) -> None:
    assert json.loads((followed.out / "continuous.json").read_text()) == followed.results
    page = (followed.out / "report.html").read_text()
    assert "hybridhash continuous" in page
    assert page.count("<svg") == 2
    runs = ["baseline: seed 0", "baseline: seed 1", "hybrid: seed 0", "hybrid: seed 1"]
    assert followed.runs == ["baseline: tuned", "hybrid: tuned", *runs]
    assert list((followed.out / "runs").glob("*.checkpoint")) == []


def test_nothing_later_reaches_what_is_earlier(
    followed: Followed, clicks: Path, run: Run, tmp_path: Path
) -> None:
    """The rows from the third window on are poisoned: the first two windows are equal to the last bit."""
    table = pq.read_table(clicks)
    later = table["ts"].to_numpy() >= followed.results["windows"][2]["start"]
    columns = {name: table[name].to_pylist() for name in table.column_names}
    for row in np.flatnonzero(later):
        columns["clicked"][row] = 1 - columns["clicked"][row]
        columns["user_id"][row] = -1
        columns["site"][row] = "poison"
        columns["price"][row] = 1e9
        columns["tags"][row] = ["poison"] * 3
    poisoned = tmp_path / "poisoned.parquet"
    arrays = {name: pa.array(columns[name], table.schema.field(name).type) for name in columns}
    pq.write_table(pa.table(arrays), poisoned)
    changes = {"learning_rate": (0.02, 0.1), "epochs": 2, "seeds": 1}
    clean = run(clicks, tmp_path / "clean", **changes).results
    dirty = run(poisoned, tmp_path / "dirty", **changes).results
    assert clean["data"]["keys"] == dirty["data"]["keys"]
    for left, right in zip(clean["methods"], dirty["methods"], strict=True):
        assert left["settings"] == right["settings"]
        for measure in ("rce", "log_loss"):
            assert left[measure][0][:2] == right[measure][0][:2]
            assert left[measure][0][2] != right[measure][0][2]


def test_unsorted_rows_are_the_same_stream(
    followed: Followed, clicks: Path, run: Run, tmp_path: Path
) -> None:
    table = pq.read_table(clicks)
    # Rows of one time stay in the order of the file, so only groups of equal times are moved.
    order = np.argsort(-table["ts"].to_numpy(), kind="stable")
    pq.write_table(table.take(order), tmp_path / "backwards.parquet")
    assert figures(run(tmp_path / "backwards.parquet", tmp_path / "out").results) == figures(followed.results)


def test_a_gap_and_a_window_of_one_label_are_missing_and_not_0(
    clicks: Path, run: Run, tmp_path: Path
) -> None:
    table = pq.read_table(clicks).sort_by("ts")
    times = table["ts"].to_numpy()
    start = times[times >= times[0] + 60 * HOUR][0]
    hours = (times - start) / HOUR
    labels = np.where((hours >= 24) & (hours < 36), 0, table["clicked"].to_numpy()).astype(np.int8)
    place = table.column_names.index("clicked")
    table = table.set_column(place, "clicked", pa.array(labels))
    table = table.filter(pa.array((hours < 36) | (hours >= 48)))
    pq.write_table(table, tmp_path / "gap.parquet")
    found = run(tmp_path / "gap.parquet", tmp_path / "out").results
    assert [window["rows"] > 0 for window in found["windows"]] == [True, True, True, False, True]
    for row in found["methods"]:
        for of_seed in row["rce"]:
            assert [rce is None for rce in of_seed] == [False, False, True, True, False]
    [difference] = found["differences"]
    assert difference["windows"][2:4] == [None, None]
    assert difference["windows_compared"] == 3
    known = [[rce for rce in of_seed if rce is not None] for of_seed in found["methods"][0]["rce"]]
    assert found["methods"][0]["rce_mean"] == pytest.approx(np.mean(known))
    assert "2 windows have no RCE" in (tmp_path / "out" / "report.html").read_text()


def test_a_second_call_trains_nothing_and_another_seed_only_itself(
    followed: Followed, clicks: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    more = run(clicks, followed.out, seeds=3)
    assert more.runs == ["baseline: seed 2", "hybrid: seed 2"]
    for before, after in zip(followed.results["methods"], more.results["methods"], strict=True):
        assert after["rce"][:2] == before["rce"]
    monkeypatch.setattr(fitting, "train_windows", lambda *_, **__: pytest.fail("trained again"))
    again = run(clicks, followed.out)
    assert again.runs == []
    assert figures(again.results) == figures(followed.results)


def test_figures_do_not_depend_on_the_number_of_jobs(
    followed: Followed, clicks: Path, run: Run, tmp_path: Path
) -> None:
    apart = run(clicks, tmp_path / "out", jobs=2)
    assert sorted(apart.runs) == sorted(followed.runs)
    assert figures(apart.results) == figures(followed.results)


def test_an_interrupted_run_goes_on(
    followed: Followed, clicks: Path, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C in the windows of the second run: the first is kept, the second goes on."""
    calls = 0

    def interrupt(*arguments: Any, **options: Any) -> Any:
        nonlocal calls
        calls += 1
        measure, measured = arguments[5], 0

        def stop(*given: Any) -> Any:
            nonlocal measured
            measured += 1
            if calls == 2 and measured == 3:
                raise KeyboardInterrupt
            return measure(*given)

        return train_windows(*arguments[:5], stop, **options)

    with monkeypatch.context() as patch:
        patch.setattr(fitting, "train_windows", interrupt)
        with pytest.raises(KeyboardInterrupt):
            run(clicks, tmp_path / "out")
    assert len(list((tmp_path / "out" / "runs").glob("*@windows.checkpoint"))) == 1
    resumed = run(clicks, tmp_path / "out")
    assert resumed.runs == ["baseline: seed 1", "hybrid: seed 0", "hybrid: seed 1"]
    assert figures(resumed.results) == figures(followed.results)
    assert list((tmp_path / "out" / "runs").glob("*.checkpoint")) == []


def test_a_method_that_diverges_is_told_and_ends_no_other(
    clicks: Path, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = stream.build_of

    def build_of(blueprint: ModelBlueprint, *given: Any) -> Any:
        def build(learning_rate: float, seed: int) -> Any:
            if seed == 1 and blueprint.spec.deep[0].table.num_head:
                raise DivergedError("training diverged at step 7")
            return real(blueprint, *given)(learning_rate, seed)

        return build

    monkeypatch.setattr(stream, "build_of", build_of)
    found = run(clicks, tmp_path / "out")
    baseline, hybrid = found.results["methods"]
    assert baseline["rce_mean"] is not None
    assert hybrid["diverged"] == ["seed 1: training diverged at step 7"]
    assert hybrid["rce_mean"] is None
    [difference] = found.results["differences"]
    assert (difference["mean"], difference["windows"]) == (None, None)
    assert "hybrid: seed 1: training diverged at step 7" in (found.out / "report.html").read_text()


def test_a_budget_without_a_head_is_told(clicks: Path, run: Run, tmp_path: Path) -> None:
    found = run(clicks, tmp_path / "out", budget="1000", seeds=1)
    assert found.notes == found.results["notes"] != []
    assert found.notes[0].startswith("hybrid: the budget of 1,000 bytes buys no row")


def test_methods_with_the_same_tables_are_one_run(clicks: Path, run: Run, tmp_path: Path) -> None:
    """Without a head 'frequency' is 'hashed'; two processes at one run would write one checkpoint."""
    found = run(clicks, tmp_path / "out", method=("hashed", "frequency"), budget="1000")
    assert len(found.runs) == 3  # tuned once, two seeds
    hashed, frequency = found.results["methods"]
    assert {**frequency, "name": "hashed"} == hashed
    assert len(hashed["rce"]) == 2
    assert found.results["differences"][0]["mean"] == 0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"time": None}, "--time: expected the column that says when a row happened"),
        ({"split": "random:0.8"}, "--split: expected a split by time, such as time:24h, got 'random:0.8'"),
        ({"window": "soon"}, "--window: expected a span of time, got 'soon'"),
        ({"workers": 2}, "--workers: expected 1, got 2"),
        ({"group": "user_id"}, "--group: expected none, got 'user_id'"),
        ({"method": ()}, "--method: expected one method or more"),
    ],
)
def test_refuses_what_is_no_stream_before_it_reads_the_rows(
    clicks: Path, run: Run, tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(InvalidValueError, match=message):
        run(clicks, tmp_path / "out", **changes)
    assert not (tmp_path / "out").exists()


def test_refuses_no_data_windows_too_short_and_a_span_too_long(
    clicks: Path, run: Run, tmp_path: Path
) -> None:
    settings = ContinuousSettings(label="clicked", time="ts", categorical=("user_id",), out=tmp_path / "out")
    with pytest.raises(InvalidValueError, match="data: expected one or more files"):
        continuous([], settings, Heard(), version="0", command="")
    with pytest.raises(
        DataError, match=r"window: expected a row or more in each on average, got .* windows of 1 "
    ):
        run(clicks, tmp_path / "out", window="1s")
    with pytest.raises(DataError, match="expected times beyond the span"):
        run(clicks, tmp_path / "out", split="time:30d")
