"""Figure 5 at tiny scale: it runs, is kept, takes table 3's setting, and its verdicts follow from the figures."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from paper.scale import TINY
from paper.surfaces import HOUR_S, ads

from hybridhash.experiments import Silence
from hybridhash.results import Difference, Interval, StreamedMethod, StreamSettings, Windows
from paper import figure5


@pytest.fixture(scope="module")
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def ran(one_thread: None, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("figure5")
    return folder, figure5.run(folder, TINY, Silence())


def test_each_hour_is_followed_by_each_model_and_seed(ran: tuple[Path, dict[str, Any]]) -> None:
    folder, summary = ran
    names = ["baseline", "hybrid, summed", "hybrid, averaged", "hybrid, joined"]
    assert [row["name"] for row in summary["methods"]] == names
    assert [row["name"] for row in summary["differences"]] == names[1:]
    assert len(summary["windows"]) == TINY.hours
    lines = [json.loads(line) for line in (folder / "figure5.jsonl").read_text().splitlines()]
    assert [(line["method"], line["seed"]) for line in lines] == [
        (name, seed) for name in names for seed in range(TINY.seeds)
    ]
    assert all(len(line["rce"]) == TINY.hours for line in lines)
    for row in summary["methods"][1:]:
        assert row["share_of_baseline"] < 0.15
    for hour in summary["traffic"]:
        assert 0 < hour["head"] < hour["seen"] < 1


def test_a_second_run_makes_nothing_again(
    ran: tuple[Path, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, summary = ran
    monkeypatch.setattr(figure5, "prepare_rows", lambda *_: pytest.fail("made again"))
    assert figure5.run(folder, TINY, Silence()) == summary


def test_the_section_shows_the_hours_beside_the_papers_claim(ran: tuple[Path, dict[str, Any]]) -> None:
    section = figure5.section(ran[1])
    for part in (
        "minus baseline",
        "hybrid, averaged",
        "small and steady",
        "drawn like those of table 3",
        "not independent",
        "the defaults that the module names",
    ):
        assert part in section.html
    assert [figure.name for figure in section.figures] == ["figure5", "figure5_rce"]
    # On average, and by the hours, which two seeds cannot decide.
    assert [verdict.holds is None for verdict in section.verdicts] == [False, True] * 3


def test_a_result_is_named_by_all_it_follows_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    surface = ads(TINY).lasting(ads(TINY).train_s + TINY.hours * HOUR_S)
    settings = figure5.settings_of(surface, TINY, tmp_path)

    def with_settings(**changes: Any) -> str:
        return figure5.key_of(surface, settings.model_copy(update=changes), None)

    same = with_settings()
    assert same == with_settings(out=tmp_path / "other", jobs=settings.jobs + 1)
    changes: list[dict[str, Any]] = [
        *({"validation_share": 0.2}, {"num_bins": 7}, {"init_std": 0.5}, {"window": "2h"}),
        *({"budget": "3%"}, {"seeds": 9}, {"learning_rate": (0.3,)}, {"split": "time:0.5"}),
    ]
    tables = {figure5.RECIPE: figure5.Tables(7, 3, 2, "sum")}
    keys = [with_settings(**change) for change in changes]
    keys += [figure5.key_of(surface, settings, tables), figure5.key_of(ads(TINY), settings, None)]
    for name in ("DEFAULT_TAIL", "RUNS_VERSION", "TUNING_VERSION", "__version__"):
        with monkeypatch.context() as patch:
            patch.setattr(figure5, name, "another")
            keys.append(with_settings())
    assert len({same, *keys}) == 1 + len(keys)


def table3_row(stage: str, size: float, validation: float, num_buckets: int) -> dict[str, Any]:
    settings = {"num_head": 7, "num_buckets": num_buckets, "num_hashes": 2, "combine": "sum"}
    return {"stage": stage, "file_share": size, "settings": {**settings, "validation_rce": validation}}


def test_the_hybrids_are_those_of_table_3_where_it_was_run(tmp_path: Path) -> None:
    assert figure5.chosen_tables(tmp_path, TINY) is None
    rows = [
        table3_row("head", 0.05, 20.0, 1),
        table3_row("tail", 0.08, 11.0, 2),
        table3_row("tail", 0.1129, 12.0, 3),
        table3_row("tail", 0.15, 13.0, 4),
        table3_row("baseline", 1.0, 14.0, 5),
    ]
    joined = [table3_row("joined", 0.11, 12.0, 6), table3_row("joined", 0.11, 12.5, 8)]
    record: dict[str, Any] = {"scale": "tiny", "summary": {"tuned": {"rows": rows}, "joined": joined}}
    (tmp_path / "table3_ads.json").write_text(json.dumps(record))
    assert figure5.chosen_tables(tmp_path, TINY) == {
        "hybrid, summed": figure5.Tables(7, 3, 2, "sum"),
        "hybrid, averaged": figure5.Tables(7, 3, 2, "mean"),
        "hybrid, joined": figure5.Tables(7, 8, 2, "sum"),
    }
    for changes in ({"scale": "full"}, {"summary": {"tuned": {"rows": rows[3:]}, "joined": joined}}):
        (tmp_path / "table3_ads.json").write_text(json.dumps({**record, **changes}))
        assert figure5.chosen_tables(tmp_path, TINY) is None
    (tmp_path / "table3_ads.json").write_text(json.dumps({"scale": "tiny", "failed": "for a reason"}))
    assert figure5.chosen_tables(tmp_path, TINY) is None


def difference(mean: float | None, lows: list[float]) -> Difference:
    return Difference(
        name="hybrid, summed",
        reference="baseline",
        mean=mean,
        low=mean,
        high=mean,
        windows=tuple(Interval(low + 0.1, low, low + 0.2) for low in lows),
        windows_above=2,
        windows_compared=len(lows),
    )


def method(name: str) -> StreamedMethod:
    return StreamedMethod(
        name=name,
        embedding_bytes=1,
        share_of_baseline=0.1,
        rce=(),
        log_loss=(),
        rce_of_seeds=(),
        rce_mean=None,
        rce_std=None,
        diverged=(),
        settings=StreamSettings(num_head=0, num_buckets=1, num_hashes=1, combine="sum"),
    )


@pytest.mark.parametrize(
    ("seeds", "mean", "lows", "holds"),
    [
        (4, 0.1, [0.1] * 40, [True, True]),
        (4, 0.0, [-0.3] + [0.1] * 39, [True, True]),
        (4, -0.1, [-0.3, -0.3] + [0.1] * 38, [False, False]),
        (3, -0.1, [-0.3, -0.3] + [0.1] * 38, [False, None]),
        (4, None, [], [None]),
    ],
)
def test_verdicts_follow_from_the_hours(
    seeds: int, mean: float | None, lows: list[float], holds: list[Any]
) -> None:
    results = Windows(
        window="1h",
        seeds=seeds,
        windows=(),
        methods=(method("hybrid, summed"),),
        differences=(difference(mean, lows),),
    )
    assert [verdict.holds for verdict in figure5.verdicts(results)] == holds
