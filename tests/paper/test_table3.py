"""Table 3 at tiny scale: it runs, resumes, and its verdicts follow from the figures.

Printed figures are typed again here from the paper, so that ``printed.json`` is checked too.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from paper.scale import FULL, QUICK, TINY
from paper.study import SkippedError
from paper.surfaces import DAY_S, ads, timeline

from hybridhash.data import SyntheticStream
from hybridhash.errors import DivergedError
from hybridhash.experiments import Silence
from hybridhash.trials import runner
from paper import table3


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("table3")
    summary = table3.studies(None)["table3_timeline"].run(folder, TINY, Silence())
    return folder, json.loads(json.dumps(summary, allow_nan=False))


def test_rows_are_kept_and_a_second_run_trains_nothing(
    ran: tuple[Path, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, summary = ran
    monkeypatch.setattr(runner, "fit", lambda *_: pytest.fail("trained again"))
    before = (folder / "table3_timeline.jsonl").read_text()
    again = table3.studies(None)["table3_timeline"].run(folder, TINY, Silence())
    assert again["tuned"]["rows"] == summary["tuned"]["rows"]
    assert (folder / "table3_timeline.jsonl").read_text() == before
    rows = [json.loads(text) for text in before.splitlines()]
    # Three heads, four tails and the baseline in both tables; the averaged tail; two joined; one summed loss.
    assert len(rows) == 8 + 8 + 1 + 2 + 1
    assert all(len(row["rce"]) == TINY.seeds for row in rows)


def test_the_section_shows_ours_beside_the_papers(ran: tuple[Path, dict[str, Any]]) -> None:
    section = table3.studies(None)["table3_timeline"].section(ran[1])
    assert section.html.count("17.471 ± 0.081") == 2  # the head of 110K, in both tables
    for part in ("two hashes, sum, 2^-5", "17.521 ± 0.074", "12.7%", "joined chunks", "GAUC", "hashed RCE"):
        assert part in section.html
    assert [figure.name for figure in section.figures] == ["table3_timeline"]
    assert len(section.verdicts) == 4
    tuned, printed = re.findall("<table.*?</table>", section.html, re.DOTALL)
    for words in ("hashed RCE", ">rate<"):
        assert words in tuned
        assert words not in printed
    captions = re.findall("<figcaption.*?</figcaption>", section.html, re.DOTALL)
    assert sum("No regular hashing" in caption for caption in captions) == 1
    assert "that no training row has" in section.html


def test_only_the_papers_heads_have_a_printed_line(ran: tuple[Path, dict[str, Any]]) -> None:
    summary = ran[1]
    printed = json.loads(table3.PRINTED.read_text())["table3"]["timeline"]
    for table in ("printed", "tuned"):
        rows = summary[table]["rows"]
        lines = [table3.printed_line(printed, summary["printed_heads"], row) for row in rows]
        # 55 and 60 keys stand for 110K and 120K; six keys stand for nothing.
        assert [row["settings"]["num_head"] for row in rows[:3]] == [6, 55, 60]
        assert lines[0] is None
        assert [line["rce"] for line in lines[1:3] if line] == ["17.471 ± 0.081", "17.473 ± 0.032"]
        assert [line["size"] for line in lines[3:] if line] == ["12.7%", "13.3%", "14.7%", "17.4%", "100%"]


def test_the_printed_figures_are_the_papers() -> None:
    printed = json.loads(table3.PRINTED.read_text())["table3"]
    ads_rows, timeline_rows = printed["ads"], printed["timeline"]
    assert [line["rce"] for line in ads_rows["head"]] == [
        "11.680 ± 0.0023", "11.810 ± 0.015", "11.898 ± 0.021", "11.941 ± 0.020", "11.985 ± 0.011",
    ]  # fmt: skip
    assert [line["size"] for line in ads_rows["tail"].values()] == ["6.6%", "8.2%", "11.3%", "17.8%"]
    assert ads_rows["tail"]["2^-3"]["rce"] == "11.996 ± 0.011"
    assert [line["rce"] for line in timeline_rows["tail"].values()] == [
        "17.521 ± 0.074", "17.524 ± 0.059", "17.510 ± 0.041", "17.523 ± 0.035",
    ]  # fmt: skip
    assert [line["size"] for line in timeline_rows["head"]] == ["22.7%", "22.8%", "22.9%", "23.0%", "23.1%"]


def row(stage: str, rce: float, std: float, size: float, validation: float, **more: Any) -> dict[str, Any]:
    return {
        "stage": stage,
        "title": f"{stage} {rce}",
        "rce_mean": rce,
        "rce_std": std,
        "file_share": size,
        "tail": "",
        "settings": {"validation_rce": validation, "num_head": 5, "combine": "sum", "learning_rate": 0.02},
        **more,
    }


def summary_of(joined: dict[str, Any], heads: tuple[float, ...]) -> dict[str, Any]:
    rows = [row("head", rce, 0.1, 0.5, rce) for rce in heads]
    tail = row("tail", 11.0, 0.1, 0.15, 11.0, tail="2^-3")
    tuned = {"rows": [*rows, tail, row("baseline", 12.0, 0.1, 1.0, 12.0)], "best_head": rows[-1]["title"]}
    averaged = row("tail", 11.95, 0.1, 0.15, 11.9, tail="2^-3")
    return {
        "title": "T",
        "size": 0.113,
        "rates": [0.005, 0.02, 0.05],
        "tuned": tuned,
        "averaged": averaged,
        "joined": [joined],
    }


def test_verdicts_follow_from_the_figures() -> None:
    good = summary_of(row("joined", 11.91, 0.5, 0.112, 12.1), heads=(11.0, 11.9, 12.0))
    assert [verdict.holds for verdict in table3.verdicts(good)] == [True, True, False, True]
    bad = summary_of(row("joined", 11.89, 0.5, 0.112, 12.1), heads=(12.2, 11.9, 12.0))
    assert [verdict.holds for verdict in table3.verdicts(bad)] == [False, False, False, True]
    large = summary_of(row("joined", 12.5, 0.5, 0.114, 12.1), heads=(11.0, 12.0))
    assert [verdict.holds for verdict in table3.verdicts(large)] == [None, False, False, True]


@pytest.mark.parametrize(
    ("means", "levels"),
    [
        ((12.0, 12.9, 13.0), True),
        ((12.0, 13.1, 13.05), True),
        ((12.0, 12.0, 12.0), False),  # flat
        ((12.0, 13.0, 14.0, 12.0), False),  # collapses
        ((12.0, 14.0, 13.0), False),  # ends above the start, and falls
        ((12.0, 12.01, 12.02), False),  # noise
        ((12.0, 13.0, 14.0), False),  # goes on rising
        ((12.0,), False),
    ],
)
def test_rce_levels_off_only_where_it_rose(means: tuple[float, ...], levels: bool) -> None:
    summary = summary_of(row("joined", 11.91, 0.5, 0.112, 12.1), heads=means)  # heads have a deviation of 0.1
    assert table3.verdicts(summary)[1].holds is levels


def test_rates_at_the_edge_of_the_grid_are_named() -> None:
    summary = summary_of(row("joined", 11.9, 0.5, 0.112, 12.1), heads=(11.0, 12.0))
    assert "no row chose" in table3.rates_at_the_edge(summary)
    first, second, *_ = summary["tuned"]["rows"]
    first["settings"]["learning_rate"] = 0.005
    second["hashed"] = {"settings": {"learning_rate": 0.05}}
    remark = table3.rates_at_the_edge(summary)
    assert "the smallest, 0.005: head 11.0." in remark
    assert "the largest, 0.05: hashed at the bytes of head 12.0." in remark


def test_users_that_are_all_new_have_a_consequence() -> None:
    def said(share: float) -> str:
        features = [{"name": "user", "unseen_share": share}, {"name": "item", "unseen_share": 0.5}]
        return table3.unseen_users({"user": "user", "tuned": {"data": {"features": features}}})

    assert said(0.25) == "25.0% of the test rows have a 'user' that no training row has."
    assert "noise" in said(1.0)


def test_a_diverged_row_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    fine = {"title": "fine", "hashed": {"diverged": ["seed 1: step 7"]}}
    with pytest.raises(
        DivergedError, match=r"^here: diverged: hashed at the bytes of fine \(seed 1: step 7\)"
    ):
        table3.refuse_diverged("here", table3.with_twins([fine]))
    table3.refuse_diverged("here", [fine])
    # As `compare` has it: no bytes of a file.
    rows = [row("tail", 11.0, 0.1, 0.1, 11.0, file_bytes=1000, embedding_bytes=900)]
    swept = {"rows": rows, "data": {"source": "/somewhere/ads.parquet"}}
    monkeypatch.setattr(table3, "sweep", lambda *_, **__: swept)
    monkeypatch.setattr(table3, "to_json", lambda result: result)  # which are JSON already
    diverged = {"name": "hybrid", "diverged": ["seed 0: step 3"]}
    monkeypatch.setattr(table3, "compare", lambda *_, **__: SimpleNamespace(methods=[diverged]))
    with pytest.raises(DivergedError, match=r"table3_ads, joined-0.3: diverged: hybrid \(seed 0: step 3\)"):
        table3.studies(None)["table3_ads"].run(tmp_path, TINY, Silence())
    # Where this machine has its files is nobody's business.
    assert str(swept["data"]["source"]).startswith("ads-")  # type: ignore[index,call-overload]


def test_the_joined_hybrid_keeps_to_the_size_of_the_whole_file() -> None:
    baseline = {"file_bytes": 1_100_000, "embedding_bytes": 1_000_000}
    bytes_of = table3.joined_bytes(baseline, Fraction(1, 5))
    assert bytes_of + 100_000 + 4096 == 220_000
    # Layers and header alone pass a twentieth of the file.
    assert table3.joined_bytes(baseline, Fraction(1, 20)) == 50_000


def test_real_data_that_is_not_there_is_a_reason(tmp_path: Path) -> None:
    for data, reason in ((None, "no folder was named"), (tmp_path, "has no")):
        for name in ("table3_movietweetings", "table3_assistments"):
            with pytest.raises(SkippedError, match=reason):
                table3.studies(data)[name].run(tmp_path, TINY, Silence())


def small_movietweetings(folder: Path, num_ratings: int) -> Path:
    """Write ratings in the order of the users, whose times are in another order."""
    (folder / "movietweetings").mkdir(parents=True)
    lines = [
        f"{number // 10}::{number % 7}::{5 + 7 * number % 5}::{1000 + 37 * number % num_ratings}\n"
        for number in range(num_ratings)
    ]
    (folder / "movietweetings" / "ratings.dat").write_text("".join(lines))
    movies = [f"{number}::Film {number} ({1990 + number})::Drama|Comedy\n" for number in range(7)]
    (folder / "movietweetings" / "movies.dat").write_text("".join(movies))
    return folder


def test_a_second_run_on_a_part_of_real_data_trains_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table3, "_REAL_TUNED", {**table3._REAL_TUNED, "learning_rate": (0.02,)})
    data = small_movietweetings(tmp_path / "data", num_ratings=300)
    scale = replace(TINY, real_rows=200, seeds=1, printed_heads=1)
    study = table3.studies(data)["table3_movietweetings"]
    first = study.run(tmp_path, scale, Silence())
    [cut] = (tmp_path / "work").glob("movietweetings-*/ratings.dat")
    times = sorted(int(line.rsplit("::", 1)[1]) for line in cut.read_text().splitlines())
    assert times == list(range(1100, 1300))  # the last 200 by time, of all users
    assert first["tuned"]["data"]["rows"] == 200
    assert f"--tiny --data {data}" in first["tuned"]["command"]
    monkeypatch.setattr(runner, "fit", lambda *_: pytest.fail("trained again"))
    again = study.run(tmp_path, scale, Silence())
    assert again["tuned"]["rows"] == first["tuned"]["rows"]


def test_the_part_of_another_file_is_made_anew(tmp_path: Path) -> None:
    data = small_movietweetings(tmp_path / "data", num_ratings=20)
    case = table3.case_movietweetings(data, replace(TINY, real_rows=5))
    before = case.files(tmp_path, Silence())
    assert case.files(tmp_path, Silence()) == before
    ratings = data / "movietweetings" / "ratings.dat"
    ratings.write_text(ratings.read_text() + "9::1::8::2000\n")
    after = case.files(tmp_path, Silence())
    assert after != before
    assert "::2000" in (Path(after) / "ratings.dat").read_text()


def test_the_command_names_the_folder_of_real_data(tmp_path: Path) -> None:
    data = small_movietweetings(tmp_path / "a folder", num_ratings=20)
    case = table3.case_movietweetings(data, FULL)
    assert table3.command_of(case, FULL) == f"python -m paper --only table3_movietweetings --data '{data}'"
    assert table3.command_of(replace(case, data=None), QUICK).endswith("movietweetings --quick")


def test_real_data_that_is_there_is_used(
    real_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table3, "_REAL_TUNED", {**table3._REAL_TUNED, "learning_rate": (0.02,)})
    scale = replace(TINY, seeds=1, printed_heads=1)
    study = table3.studies(real_data)["table3_assistments"]
    summary = study.run(tmp_path, scale, Silence())
    assert summary["tuned"]["data"]["rows"] <= TINY.real_rows
    assert summary["tuned"]["rows"][-1]["gauc_mean"] > 0
    # Folds divide the students.
    assert "100.0% of the test rows have a 'student' that no training row has" in table3.unseen_users(summary)
    assert study.section(summary).figures


def test_surfaces_are_what_the_paper_describes() -> None:
    for surface, train_days, test_s, model in (
        (ads(FULL), 2, 4 * 3600, "wide-deep"),
        (timeline(FULL), 1, DAY_S, "mlp"),
    ):
        assert surface.train_s == train_days * DAY_S
        assert surface.stream.duration_s - surface.train_s == test_s
        assert surface.settings["model"] == model
        assert surface.settings["crosses"] == "both"
        assert surface.heads == surface.printed_heads == (80_000, 90_000, 100_000, 110_000, 120_000)


def test_a_surface_that_lasts_longer_starts_with_the_same_rows_per_second(tmp_path: Path) -> None:
    surface = ads(TINY)
    longer = surface.lasting(2 * surface.stream.duration_s)
    assert longer.stream.num_rows == 2 * surface.stream.num_rows
    assert float(longer.settings["split"].removeprefix("time:")) == pytest.approx(
        surface.train_s / longer.stream.duration_s
    )
    path = surface.file(tmp_path, Silence())
    assert path != longer.file(tmp_path, Silence())
    written = path.stat().st_mtime_ns
    assert surface.file(tmp_path, Silence()).stat().st_mtime_ns == written
    assert SyntheticStream(surface.stream).num_rows == 800
