import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hybridhash.errors import DivergedError, InvalidValueError
from hybridhash.experiments import CompareSettings, Silence, SweepSettings, sweep
from hybridhash.experiments.sweeping import best_head
from hybridhash.planner import ModelBlueprint, lay_out
from hybridhash.results import Sweep, read_record
from hybridhash.trials import (
    Diverged,
    Tuned,
    build_of,
    fit,
    groups_of,
    judge,
    prepare_rows,
    runner,
    search,
)

from .conftest import SMALL, Heard

TINY: dict[str, Any] = {
    **{name: value for name, value in SMALL.items() if name != "budget"},
    "top_k": ("10%", "200"),
    "buckets": ("1/8", "2^-2"),
    "learning_rate": (0.05, 0.1),
}


@dataclass(frozen=True)
class Swept:
    out: Path
    results: dict[str, Any]
    runs: list[str]


@pytest.fixture(scope="session")
def run_sweep() -> Callable[..., Swept]:
    def run(data: Path, out: Path, **changes: Any) -> Swept:
        heard = Heard()
        settings = SweepSettings(**{**TINY, "out": out, **changes})
        returned = sweep([str(data)], settings, heard, version="0", command="test")
        assert read_record(Sweep, out / "sweep.json") == returned
        results = json.loads((out / "sweep.json").read_text())
        return Swept(out, results, [title for title in heard.runs if "seed" in title])

    return run


@pytest.fixture(scope="session")
def swept(clicks: Path, run_sweep: Callable[..., Swept], tmp_path_factory: pytest.TempPathFactory) -> Swept:
    return run_sweep(clicks, tmp_path_factory.mktemp("swept") / "out", group="site")


def figures(results: dict[str, Any]) -> list[Any]:
    """All that does not depend on the clock."""
    names = ("title", "rows", "ledger", "rce", "auc", "settings")
    return [
        [{name: row.get(name) for name in names} for row in (line, line["hashed"]) if row]
        for line in results["rows"]
    ]


def test_rows_stand_in_the_order_of_the_procedure(swept: Swept) -> None:
    rows = swept.results["rows"]
    num_keys, baseline_rows = swept.results["data"]["keys"], swept.results["baseline_rows"]
    assert [row["stage"] for row in rows] == ["head", "head", "tail", "tail", "baseline"]
    heads, tails = rows[:2], rows[2:4]
    assert [row["settings"]["num_head"] for row in heads] == [num_keys // 10, 200]
    assert {(row["settings"]["num_buckets"], row["settings"]["num_hashes"]) for row in heads} == {
        (baseline_rows // 2, 1)
    }
    assert [row["settings"]["num_buckets"] for row in tails] == [baseline_rows // 8, baseline_rows // 4]
    assert {(row["settings"]["num_hashes"], row["settings"]["combine"]) for row in tails} == {(2, "sum")}
    assert rows[-1]["settings"]["num_buckets"] == baseline_rows
    assert json.loads((swept.out / "sweep.json").read_text()) == json.loads(json.dumps(swept.results))
    assert (swept.out / "report.html").read_text().startswith("<!")


def test_the_tails_have_the_head_that_validation_likes_best(swept: Swept) -> None:
    heads, tails = swept.results["rows"][:2], swept.results["rows"][2:4]
    best = max(heads, key=lambda row: row["settings"]["validation_rce"])
    assert swept.results["best_head"] == best["title"]
    assert {row["settings"]["num_head"] for row in tails} == {best["settings"]["num_head"]}


def test_the_best_head_is_the_first_of_equal_ones() -> None:
    rces = [1.0, 3.0, 3.0, 2.0]
    assert best_head("abcd", [Tuned(0.1, 1, rce) for rce in rces]) == 1


def test_a_head_that_diverged_is_not_the_best_unless_all_did() -> None:
    assert best_head("abc", [Diverged("too fast"), Tuned(0.1, 1, -5.0), Tuned(0.1, 1, -4.0)]) == 2
    with pytest.raises(DivergedError, match=r"^a: too fast; b: too far$"):
        best_head("ab", [Diverged("too fast"), Diverged("too far")])


def test_what_diverges_is_named_and_ends_nothing_else(
    clicks: Path, run_sweep: Callable[..., Swept], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A head at every rate, and the second seed of the baseline."""
    real = runner.build_of

    def build_or_diverge(blueprint: ModelBlueprint, *given: Any) -> Any:
        table = blueprint.spec.deep[0].table

        def build(learning_rate: float, seed: int) -> Any:
            if table.num_head == 200 or (seed == 1 and table.num_buckets == 1024):
                raise DivergedError("training diverged at step 7")
            return real(blueprint, *given)(learning_rate, seed)

        return build

    monkeypatch.setattr(runner, "build_of", build_or_diverge)
    changes = {"buckets": ("1/8",), "learning_rate": (0.05,)}
    found = run_sweep(clicks, tmp_path / "out", **changes)
    assert found.results["baseline_rows"] == 1024
    good, bad, tail, baseline = found.results["rows"]
    assert found.results["best_head"] == good["title"]
    assert tail["settings"]["num_head"] == good["settings"]["num_head"]
    assert bad["diverged"] == ["training diverged at every learning rate of [0.05]; expected smaller ones"]
    assert bad["settings"]["num_head"] == 200
    assert (bad["rce"], bad["rce_mean"], bad["file_share"]) == ([], None, None)
    assert bad["hashed"]["rce_mean"] is not None
    assert baseline["diverged"] == ["seed 1: training diverged at step 7"]
    assert good["rce_mean"] is not None
    assert good["file_share"] is None  # of what the baseline's file would be
    page = (found.out / "report.html").read_text()
    assert "seed 1: training diverged at step 7" in page
    again = run_sweep(clicks, found.out, **changes)
    assert again.runs == [], "what diverged would diverge again"
    assert figures(again.results) == figures(found.results)


def test_refuses_to_go_on_where_every_head_diverges(
    clicks: Path, run_sweep: Callable[..., Swept], tmp_path: Path
) -> None:
    changes = {"optimizer": "sgd", "learning_rate": (1e30, 1e35)}
    for _ in range(2):
        with pytest.raises(
            DivergedError, match=r"^K = \d+.* at every learning rate.*; K = 200, .*smaller ones$"
        ):
            run_sweep(clicks, tmp_path / "out", **changes)


def test_regular_hashing_stands_beside_at_the_same_bytes(swept: Swept) -> None:
    row_bytes = 4 * (4 + 1)  # dim 4 and a wide weight
    for row in swept.results["rows"][:-1]:
        assert 0 <= row["embedding_bytes"] - row["hashed"]["embedding_bytes"] < row_bytes
        assert row["hashed"]["settings"]["num_head"] == 0
    assert swept.results["rows"][-1]["hashed"] is None


def test_nothing_stands_beside_where_nothing_is_wanted(
    swept: Swept, clicks: Path, run_sweep: Callable[..., Swept]
) -> None:
    alone = run_sweep(clicks, swept.out, group="site", beside="nothing")
    assert alone.runs == []
    for row, with_twin in zip(alone.results["rows"], swept.results["rows"], strict=True):
        assert row["hashed"] is None
        assert row["rce"] == with_twin["rce"]


def test_sizes_are_those_of_exported_files(swept: Swept) -> None:
    *rows, baseline = swept.results["rows"]
    assert baseline["file_share"] == 1
    for row in rows:
        assert row["file_bytes"] == sum(row["ledger"].values())
        assert row["file_share"] == row["file_bytes"] / baseline["file_bytes"]
        assert row["ledger"]["metadata"] > 0
    assert list(swept.out.glob("**/*.hh")) == []


def test_quality_within_groups_is_reported(swept: Swept) -> None:
    for row in swept.results["rows"]:
        assert 0 <= row["gauc_mean"] <= 1
        assert 0 < row["ndcg_mean"] <= 1
        assert row["groups"] > 0


def test_a_second_call_trains_nothing_and_more_train_only_what_is_new(
    swept: Swept, clicks: Path, run_sweep: Callable[..., Swept]
) -> None:
    again = run_sweep(clicks, swept.out, group="site")
    assert again.runs == []
    assert figures(again.results) == figures(swept.results)
    more = run_sweep(clicks, swept.out, group="site", buckets=("1/8", "1/4", "1/16"), seeds=3)
    rows = {row["title"]: row for row in more.results["rows"]}
    for row in swept.results["rows"]:
        if row["tail"] != "2^-2":  # 1/4 is the same table under another name
            assert rows[row["title"]]["rce"][:2] == row["rce"]
    old = [title for title in more.runs if "seed 2" not in title]
    assert len(old) == 4  # two seeds of the new tail and of its hashed twin
    assert all("1/16" in title for title in old)


def test_results_do_not_depend_on_the_number_of_jobs(
    clicks: Path, run_sweep: Callable[..., Swept], tmp_path: Path
) -> None:
    changes = {"top_k": ("10%",), "buckets": (), "learning_rate": (0.05,), "seeds": 1}
    one = run_sweep(clicks, tmp_path / "one", **changes)
    two = run_sweep(clicks, tmp_path / "two", jobs=2, **changes)
    assert figures(one.results) == figures(two.results)


def test_several_tables_divide_heads_and_tails(
    clicks: Path, run_sweep: Callable[..., Swept], tmp_path: Path
) -> None:
    changes = {"cross": ("user_id*site",), "seeds": 1, "top_k": ("10%",), "buckets": ("1/8",)}
    found = run_sweep(clicks, tmp_path / "out", learning_rate=(0.05,), **changes)
    head, tail, baseline = found.results["rows"]
    assert head["settings"]["validation_rce"] is not None
    assert tail["settings"]["validation_rce"] is None  # nothing to choose, so nothing was tried
    assert baseline["embedding_bytes"] == found.results["baseline_bytes"]
    assert tail["hashed"]["embedding_bytes"] <= tail["embedding_bytes"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"top_k": ()}, "--top-k: expected one number of keys or more, got none"),
        ({"top_k": ("1000000",)}, r"--top-k: expected at most the [\d,]+ distinct keys"),
        ({"buckets": ("2",), "top_k": ("0.3",)}, "--top-k: expected a count such as 80000, or a share"),
        ({"group": "price"}, "--group: expected one of the categorical features user_id, ad_id, site, got"),
        ({"group": "absent"}, "--group: expected one of the categorical features"),
        ({"jobs": 2, "workers": 2}, "--jobs: expected 1 with --workers 2, got 2"),
    ],
)
def test_refuses_before_training(
    clicks: Path,
    run_sweep: Callable[..., Swept],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    changes: dict[str, Any],
    message: str,
) -> None:
    monkeypatch.setattr(runner, "fit", lambda *_: pytest.fail("trained"))
    with pytest.raises(InvalidValueError, match=message):
        run_sweep(clicks, tmp_path / "out", **changes)
    assert not (tmp_path / "out").exists()


@pytest.fixture(scope="session")
def poisoned(clicks: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The clicks with every label flipped and every id and number replaced behind the cut in time."""
    table = pq.read_table(clicks)
    order = np.argsort(table["ts"].to_numpy(), kind="stable")
    prepared_test = order[int(0.8 * table.num_rows) - 5 :]
    times = table["ts"].to_numpy()
    cut = np.sort(times)[int(0.8 * table.num_rows)]
    is_test = times >= cut
    assert 200 < is_test.sum() <= prepared_test.size
    columns = table.to_pydict()
    for row in np.flatnonzero(is_test):
        columns["clicked"][row] = 1 - columns["clicked"][row]
        columns["user_id"][row] = 10**12 + int(row) % 3
        columns["ad_id"][row] = 2 * 10**12 + int(row)
        columns["site"][row] = "poison"
        columns["price"][row] = -1e9
        columns["age"][row] = 1e9
        columns["tags"][row] = ["poison"] * 7
    path = tmp_path_factory.mktemp("poisoned") / "clicks.parquet"
    pq.write_table(pa.table(columns, schema=table.schema), path)
    return path


def test_nothing_is_learned_from_the_test_span(
    swept: Swept, clicks: Path, poisoned: Path, run_sweep: Callable[..., Swept], tmp_path: Path
) -> None:
    """With the test rows poisoned, all that was chosen is the same, and only the judgement differs."""
    other = run_sweep(poisoned, tmp_path / "out", group="site")
    mine, theirs = swept.results, other.results
    assert mine["best_head"] == theirs["best_head"]
    for row, their_row in zip(mine["rows"], theirs["rows"], strict=True):
        for one, two in ((row, their_row), (row["hashed"], their_row["hashed"])):
            if one is not None:
                assert one["settings"] == two["settings"]  # rate, passes and validation RCE, to the last bit
                assert one["embedding_bytes"] == two["embedding_bytes"]
        assert row["rce"] != their_row["rce"]


def test_trained_weights_are_the_same_whatever_the_test_span_holds(
    clicks: Path, poisoned: Path, tmp_path: Path
) -> None:
    """Vocabulary, bins, the choice of the rate and every parameter, bit for bit."""
    settings = CompareSettings(**{**SMALL, "learning_rate": (0.05, 0.1), "epochs": 2})
    found = []
    for name, data in (("clean", clicks), ("poisoned", poisoned)):
        prepared = prepare_rows([str(data)], settings, tmp_path / name, Silence())
        groups = groups_of(prepared.dataset.schema, prepared.counts, settings)
        blueprint = lay_out("hybrid", groups, 4000, settings.hidden, settings.options)
        rows = prepared.dataset.rows
        build = build_of(blueprint, rows, settings)
        tuned = search(build, rows, settings).tuned
        model = fit(build, rows, settings, tuned, 0).built.model
        found.append((prepared, blueprint, tuned, model, judge(model, rows)))
    (
        (one, one_blueprint, one_tuned, one_model, one_quality),
        (two, two_blueprint, two_tuned, two_model, two_quality),
    ) = found
    for name, blueprint in one_blueprint.blueprints.items():
        assert blueprint.num_keys > 10
        assert np.array_equal(blueprint.vocabulary.keys, two_blueprint.blueprints[name].vocabulary.keys)
    assert one_blueprint.spec == two_blueprint.spec
    assert np.array_equal(one.counts.keys, two.counts.keys)
    edges, other_edges = one.dataset.discretiser.edges, two.dataset.discretiser.edges
    assert all(np.array_equal(edges[name], other_edges[name]) for name in ("price", "age"))
    assert one_tuned == two_tuned
    state, other_state = one_model.state_dict(), two_model.state_dict()
    assert state.keys() == other_state.keys()
    for name, value in state.items():
        assert value.equal(other_state[name]), name
    assert one_quality != two_quality
