import io
import math
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from rich.console import Console
from sklearn.metrics import log_loss, roc_auc_score

from hybridhash import load
from hybridhash.errors import BudgetError, DataError, DivergedError, FileAccessError, InvalidValueError
from hybridhash.experiments import Silence, comparison
from hybridhash.planner import METHODS, ModelBlueprint
from hybridhash.report import comparison_table
from hybridhash.results import Comparison, read_record
from hybridhash.trials import fitting, runner, tuning

BUDGETED = ["hashed", "double", "frequency", "hybrid-sum", "hybrid"]
ROW_BYTES = 4 * (4 + 1)  # dim 4 and a wide weight


def method_row(results: dict[str, Any], name: str) -> dict[str, Any]:
    [row] = [row for row in results["methods"] if row["name"] == name]
    return row


def figures(results: dict[str, Any]) -> list[Any]:
    """All that does not depend on the clock."""
    names = ("name", "rows", "ledger", "file_bytes", "rce", "auc_mean", "log_loss_mean", "settings")
    return [{name: row[name] for name in names} for row in results["methods"]]


def test_the_results_file_is_the_interface(compared: Any) -> None:
    results = compared.results
    assert read_record(Comparison, compared.out / "results.json") == compared.returned
    assert results["format"] == "hybridhash-results/1"
    assert {"rows", "keys", "positives", "split"} <= results["data"].keys()
    wanted = {
        "name", "rows", "embedding_bytes", "ledger", "file_bytes", "rce", "rce_mean", "rce_std", "auc_mean",
        "log_loss_mean", "train_steps_per_s", "settings",
    }  # fmt: skip
    for row in results["methods"]:
        assert wanted <= row.keys()
        assert len(row["rce"]) == 2
        assert row["train_steps_per_s"] > 0
        assert row["embedding_bytes"] == sum(
            row["ledger"][part]
            for part in ("head_rows", "tail_rows", "scales", "dictionary", "codes", "wide_weights")
        )
    assert [row["name"] for row in results["methods"]] == list(METHODS)
    assert (compared.out / "report.html").read_text().startswith("<!")


def test_means_and_deviations_are_those_of_the_seeds(compared: Any) -> None:
    for row in compared.results["methods"]:
        assert row["rce_mean"] == pytest.approx(np.mean(row["rce"]))
        assert row["rce_std"] == pytest.approx(abs(row["rce"][0] - row["rce"][1]) / 2**0.5)
        assert row["auc_mean"] == pytest.approx(np.mean(row["auc"]))


def test_budgeted_methods_cost_the_same_and_no_more_than_the_budget(compared: Any) -> None:
    results = compared.results
    budget = results["budget"]["bytes"]
    assert budget == results["budget"]["baseline_bytes"] // 5
    keys = results["data"]["keys"]
    assert results["budget"]["baseline_bytes"] == 2 ** int(np.ceil(np.log2(keys))) * ROW_BYTES
    for name in BUDGETED:
        cost = method_row(results, name)["embedding_bytes"]
        assert budget - ROW_BYTES < cost <= budget, name
    # The planner leaves bytes that it has no use for.
    assert 0 < method_row(results, "auto")["embedding_bytes"] <= budget
    for name in ("frequency", "hybrid-sum", "hybrid"):
        assert method_row(results, name)["settings"]["num_head"] > 0
    # Buckets of 8 positions for 7.6 keys each and two more; a salt; the row of unseen keys.
    positions = 8 * (math.ceil(keys / 7.6) + 2)
    assert method_row(results, "full")["embedding_bytes"] == positions * (ROW_BYTES + 8) + 8 + ROW_BYTES


def test_file_bytes_are_those_of_the_files(compared: Any) -> None:
    for row in compared.results["methods"]:
        path = compared.out / row["bundle"]
        assert row["file_bytes"] == path.stat().st_size == sum(row["ledger"].values())


def test_the_exported_model_is_the_first_seeds(compared: Any, clicks: Path) -> None:
    """Its predictions on the later span, through the torch-free reader, give the figures of the table."""
    table = pq.read_table(clicks)
    order = np.argsort(table["ts"].to_numpy(), kind="stable")
    test = table.take(order[1200 - compared.results["data"]["test_rows"] :])
    labels = test["clicked"].to_numpy()
    for row in compared.results["methods"]:
        predictions = load(compared.out / row["bundle"]).predict(test)
        assert log_loss(labels, predictions) == pytest.approx(row["log_loss"][0], abs=1e-6)
        assert roc_auc_score(labels, predictions) == pytest.approx(row["auc"][0], abs=1e-4)


def test_collisions_are_shares_of_the_traffic(compared: Any) -> None:
    for row in compared.results["methods"]:
        for shares in row["collisions"].values():
            assert sum(shares.values()) == pytest.approx(1)
    assert method_row(compared.results, "full")["collisions"]["measured"]["exclusive"] == 1


def test_a_second_call_trains_nothing(
    compared: Any, clicks: Path, run_compare: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fitting, "train", lambda *_, **__: pytest.fail("trained again"))
    again = run_compare(clicks, compared.out, reference="probability")
    assert again.runs == []
    assert figures(again.results) == figures(compared.results)


def test_another_call_reuses_the_runs_it_shares(
    compared: Any, clicks: Path, run_compare: Callable[..., Any]
) -> None:
    more = run_compare(clicks, compared.out, reference="probability", seeds=3, method=("hashed",))
    assert more.runs == ["hashed: seed 2"]
    assert more.results["methods"][0]["rce"][:2] == method_row(compared.results, "hashed")["rce"]


def one_method(run_compare: Callable[..., Any], data: Path, out: Path, **changes: Any) -> Any:
    return run_compare(data, out, **{"method": ("hybrid",), "seeds": 1, **changes})


@pytest.mark.parametrize(
    "changes",
    [{"batch_size": 63}, {"dim": 5}, {"budget": "21%"}, {"optimizer": "sgd"}],
)
def test_another_setting_trains_again(
    clicks: Path, run_compare: Callable[..., Any], tmp_path: Path, changes: dict[str, Any]
) -> None:
    one_method(run_compare, clicks, tmp_path / "out")
    again = one_method(run_compare, clicks, tmp_path / "out", **changes)
    assert again.runs == ["hybrid: tuned", "hybrid: seed 0"]


def test_other_data_train_again(clicks: Path, run_compare: Callable[..., Any], tmp_path: Path) -> None:
    data = tmp_path / "clicks.parquet"
    shutil.copy(clicks, data)
    one_method(run_compare, data, tmp_path / "out")
    assert one_method(run_compare, data, tmp_path / "out").runs == []
    os.utime(data, ns=(1, 1))
    assert one_method(run_compare, data, tmp_path / "out").runs == ["hybrid: tuned", "hybrid: seed 0"]


def test_a_damaged_model_is_made_again(clicks: Path, run_compare: Callable[..., Any], tmp_path: Path) -> None:
    first = one_method(run_compare, clicks, tmp_path / "out")
    bundle = first.out / "hybrid.hh"
    content = bundle.read_bytes()
    bundle.write_bytes(content[:-1])
    again = one_method(run_compare, clicks, tmp_path / "out")
    assert again.runs == ["hybrid: seed 0"]
    assert figures(again.results) == figures(first.results)
    assert bundle.read_bytes() == content


@pytest.mark.parametrize("interrupted_call", [3, 4, 9])
def test_an_interrupted_call_goes_on(
    clicks: Path,
    run_compare: Callable[..., Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    interrupted_call: int,
) -> None:
    """Calls of train: three learning rates, four of the run-off, then the seeds; one is interrupted."""
    changes = {"learning_rate": (0.02, 0.05, 0.1), "epochs": 2, "seeds": 2}
    straight = one_method(run_compare, clicks, tmp_path / "straight", **changes)
    real, calls = fitting.train, 0

    def train(*arguments: Any, on_progress: Any, **options: Any) -> Any:
        nonlocal calls
        calls += 1

        def interrupt(progress: Any) -> None:
            raise KeyboardInterrupt

        return real(
            *arguments, on_progress=interrupt if calls == interrupted_call else on_progress, **options
        )

    for room in (tuning, fitting):
        monkeypatch.setattr(room, "train", train)
    out = tmp_path / "out"
    with pytest.raises(KeyboardInterrupt):
        one_method(run_compare, clicks, out, **changes)
    assert not (out / "results.json").exists()
    assert len(list((out / "runs").glob("*.checkpoint"))) == (interrupted_call if interrupted_call < 8 else 1)
    resumed = one_method(run_compare, clicks, out, **changes)
    assert figures(resumed.results) == figures(straight.results)
    assert (out / "hybrid.hh").read_bytes() == (tmp_path / "straight" / "hybrid.hh").read_bytes()
    assert list((out / "runs").glob("*.checkpoint")) == []


def poisoned(clicks: Path, path: Path, num_test: int) -> Path:
    """The same rows up to the later span, whose labels and values are others."""
    table = pq.read_table(clicks)
    later = np.zeros(table.num_rows, dtype=bool)
    later[np.argsort(table["ts"].to_numpy(), kind="stable")[table.num_rows - num_test :]] = True
    columns = {name: table[name].to_pylist() for name in table.column_names}
    for row in np.flatnonzero(later):
        columns["clicked"][row] = 1 - columns["clicked"][row]
        columns["user_id"][row] = -1
        columns["site"][row] = "poison"
        columns["price"][row] = 1e9
        columns["tags"][row] = ["poison"] * 3
    arrays = {name: table.schema.field(name).type for name in table.column_names}

    changed = {name: pa.array(columns[name], arrays[name]) for name in arrays}
    pq.write_table(pa.table(changed), path)
    return path


def test_nothing_is_learned_from_the_test_span(
    compared: Any, clicks: Path, run_compare: Callable[..., Any], tmp_path: Path
) -> None:
    """Other test rows change the figures, and neither the model nor what was tuned."""
    changes = {"learning_rate": (0.02, 0.1), "epochs": 2, "method": ("full", "hybrid"), "seeds": 1}
    clean = run_compare(clicks, tmp_path / "clean", **changes)
    data = poisoned(clicks, tmp_path / "poisoned.parquet", clean.results["data"]["test_rows"])
    dirty = run_compare(data, tmp_path / "dirty", **changes)
    for left, right in zip(clean.results["methods"], dirty.results["methods"], strict=True):
        assert left["settings"] == right["settings"]
        assert left["rce"] != right["rce"]
        models = [load(run.out / left["bundle"]) for run in (clean, dirty)]
        assert models[0].spec == models[1].spec
        assert models[0].schema == models[1].schema
        for feature in ("price", "age"):
            np.testing.assert_array_equal(*[model.discretiser.edges[feature] for model in models])
        for name, tensor in models[0]._tensors.items():  # dictionaries, tables, layers
            np.testing.assert_array_equal(tensor, models[1]._tensors[name], err_msg=name)


@pytest.mark.parametrize(
    "changes", [{"tables": "per-feature"}, {"cross": ("user_id*site",)}, {"model": "mlp"}]
)
def test_other_models_keep_to_the_budget_too(
    clicks: Path, run_compare: Callable[..., Any], tmp_path: Path, changes: dict[str, Any]
) -> None:
    found = run_compare(clicks, tmp_path / "out", seeds=1, budget="60%", **changes)
    budget = found.results["budget"]["bytes"]
    num_tables = 6 if changes.get("tables") else 2
    for name in BUDGETED:
        row = method_row(found.results, name)
        assert budget - num_tables * (ROW_BYTES + 1) < row["embedding_bytes"] <= budget, name
        assert row["file_bytes"] == (found.out / row["bundle"]).stat().st_size
    assert method_row(found.results, "auto")["embedding_bytes"] <= budget
    for name in ("frequency", "hybrid-sum", "hybrid"):
        assert method_row(found.results, name)["settings"]["num_head"] > 0


def test_weights_reach_training_and_the_figures(
    clicks: Path, run_compare: Callable[..., Any], tmp_path: Path
) -> None:
    plain = one_method(run_compare, clicks, tmp_path / "plain")
    weighted = one_method(run_compare, clicks, tmp_path / "weighted", weight="probability")
    row = plain.results["methods"][0], weighted.results["methods"][0]
    assert row[0]["rce"] != row[1]["rce"]
    assert row[0]["calibration_mean"] != row[1]["calibration_mean"]


def test_a_budget_below_one_row_per_feature_is_refused(
    clicks: Path, run_compare: Callable[..., Any], tmp_path: Path
) -> None:
    with pytest.raises(BudgetError, match="at least 120 bytes"):
        run_compare(clicks, tmp_path / "out", budget=str(6 * ROW_BYTES - 1))
    assert not (tmp_path / "out").exists()


def test_bad_data_leave_no_output(clicks: Path, run_compare: Callable[..., Any], tmp_path: Path) -> None:
    with pytest.raises(DataError, match="absent"):
        run_compare(clicks, tmp_path / "out", categorical=("absent",))
    assert not (tmp_path / "out").exists()


def test_an_output_that_is_a_file_is_refused_before_reading(
    run_compare: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comparison, "open_model", lambda *_: pytest.fail("read the data first"))
    (tmp_path / "out").write_text("here already")
    with pytest.raises(FileAccessError, match="is a file"):
        run_compare(tmp_path / "data", tmp_path / "out")
    assert (tmp_path / "out").read_text() == "here already"


def test_refuses_no_methods_and_no_data(
    clicks: Path, run_compare: Callable[..., Any], tmp_path: Path
) -> None:
    with pytest.raises(InvalidValueError, match="--method: expected one method or more"):
        run_compare(clicks, tmp_path / "out", method=())
    from hybridhash.experiments import CompareSettings, compare

    settings = CompareSettings(label="clicked", categorical=("user_id",), out=tmp_path / "out")
    with pytest.raises(InvalidValueError, match="data: expected one or more files"):
        compare([], settings, Silence(), version="0", command="")


def test_a_method_that_diverges_is_named_and_ends_no_other(
    clicks: Path, run_compare: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second seed of 'hashed', which has no head, diverges."""
    real = runner.build_of

    def build_of(blueprint: ModelBlueprint, *given: Any) -> Any:
        def build(learning_rate: float, seed: int) -> Any:
            if seed == 1 and not blueprint.spec.deep[0].table.num_head:
                raise DivergedError("training diverged at step 7; use a smaller learning rate")
            return real(blueprint, *given)(learning_rate, seed)

        return build

    monkeypatch.setattr(runner, "build_of", build_of)
    found = run_compare(clicks, tmp_path / "out", method=("hashed", "hybrid"))
    reason = "seed 1: training diverged at step 7; use a smaller learning rate"
    hashed = method_row(found.results, "hashed")
    assert hashed["diverged"] == [reason]
    assert len(hashed["rce"]) == 1
    assert (hashed["rce_mean"], hashed["bundle"]) == (None, None)
    hybrid = method_row(found.results, "hybrid")
    assert len(hybrid["rce"]) == 2
    assert hashed["embedding_bytes"] == pytest.approx(hybrid["embedding_bytes"], rel=0.02)
    assert f"hashed: {reason}" in (found.out / "report.html").read_text()
    [line] = [line for line in shown(found.returned).splitlines() if "│ hashed" in line]
    assert "diverged" in line
    assert f"hashed: {reason}" in shown(found.returned).replace("\n", " ")
    again = run_compare(clicks, tmp_path / "out", method=("hashed", "hybrid"))
    assert again.runs == [], "what diverged would diverge again"
    assert again.results["methods"] == found.results["methods"]


def test_methods_that_diverge_at_every_rate(
    clicks: Path, run_compare: Callable[..., Any], tmp_path: Path
) -> None:
    changes = {"optimizer": "sgd", "learning_rate": (1e30, 1e35), "method": ("hashed",), "jobs": 2}
    found = run_compare(clicks, tmp_path / "out", **changes)
    [row] = found.results["methods"]
    assert row["diverged"] == [
        "training diverged at every learning rate of [1e+30, 1e+35]; expected smaller ones"
    ]
    assert row["rce"] == []
    assert run_compare(clicks, tmp_path / "out", **changes).runs == []


def shown(results: Comparison) -> str:
    console = Console(width=200, file=io.StringIO())
    console.print(comparison_table(results))
    return str(console.file.getvalue())  # type: ignore[attr-defined]


def test_a_budget_that_buys_no_head_is_told_with_the_smallest_that_does(
    clicks: Path, tmp_path: Path, run_compare: Callable[..., Any]
) -> None:
    methods = ("hashed", "hybrid")
    found = run_compare(clicks, tmp_path / "small", method=methods, budget="1000", seeds=1)
    assert method_row(found.results, "hybrid")["settings"]["num_head"] == 0
    [note] = found.results["notes"]
    assert found.notes == [note]
    assert note.startswith("hybrid: the budget of 1,000 bytes buys no row for a frequent key of its own")
    assert note in (found.out / "report.html").read_text()
    smallest = int(note.rpartition("--budget ")[2].rstrip(")"))
    enough = run_compare(clicks, tmp_path / "enough", method=methods, budget=str(smallest), seeds=1)
    assert method_row(enough.results, "hybrid")["settings"]["num_head"] > 0
    assert enough.notes == enough.results["notes"] == []
    less = run_compare(clicks, tmp_path / "less", method=("hybrid",), budget=str(smallest - 1), seeds=1)
    assert method_row(less.results, "hybrid")["settings"]["num_head"] == 0
    assert "frequent key" not in str(
        run_compare(clicks, tmp_path / "none", method=methods, head_share=0.0).notes
    )
