"""Table 3 at tiny scale: it runs, resumes, and its verdicts follow from the figures.

Printed figures are typed again here from the paper, so that ``printed.json`` is checked too.
"""

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from paper.scale import FULL, TINY
from paper.study import SkippedError
from paper.surfaces import DAY_S, ads, timeline

from hybridhash.data import SyntheticStream
from hybridhash.experiments import Silence, trials
from paper import table3


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("table3")
    summary = table3.studies(None)["table3_timeline"].run(folder, TINY, Silence())
    return folder, json.loads(json.dumps(summary, allow_nan=False))


def test_rows_are_kept_and_a_second_run_trains_nothing(
    ran: tuple[Path, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, summary = ran
    monkeypatch.setattr(trials, "fit", lambda *_: pytest.fail("trained again"))
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
        "settings": {"validation_rce": validation, "num_head": 5, "combine": "sum"},
        **more,
    }


def summary_of(joined: dict[str, Any], heads: tuple[float, ...]) -> dict[str, Any]:
    rows = [row("head", rce, 0.1, 0.5, rce) for rce in heads]
    tail = row("tail", 11.0, 0.1, 0.15, 11.0, tail="2^-3")
    tuned = {"rows": [*rows, tail, row("baseline", 12.0, 0.1, 1.0, 12.0)], "best_head": rows[-1]["title"]}
    averaged = row("tail", 11.95, 0.1, 0.15, 11.9, tail="2^-3")
    return {"title": "T", "size": 0.113, "tuned": tuned, "averaged": averaged, "joined": [joined]}


def test_verdicts_follow_from_the_figures() -> None:
    good = summary_of(row("joined", 11.91, 0.5, 0.112, 12.1), heads=(11.0, 11.9, 12.0))
    assert [verdict.holds for verdict in table3.verdicts(good)] == [True, True, False, True]
    bad = summary_of(row("joined", 11.89, 0.5, 0.112, 12.1), heads=(12.2, 11.9, 12.0))
    assert [verdict.holds for verdict in table3.verdicts(bad)] == [False, False, False, True]
    large = summary_of(row("joined", 12.5, 0.5, 0.114, 12.1), heads=(11.0, 12.0))
    assert [verdict.holds for verdict in table3.verdicts(large)] == [None, False, False, True]


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


def test_real_data_that_is_there_is_used(real_data: Path, tmp_path: Path) -> None:
    summary = table3.studies(real_data)["table3_assistments"].run(tmp_path, TINY, Silence())
    assert summary["tuned"]["data"]["rows"] <= TINY.real_rows
    assert summary["tuned"]["rows"][-1]["gauc_mean"] > 0


def test_surfaces_are_what_the_paper_describes() -> None:
    for surface, train_days, test_s, model in (
        (ads(FULL), 2, 4 * 3600, "wide-deep"),
        (timeline(FULL), 1, DAY_S, "mlp"),
    ):
        assert surface.train_s == train_days * DAY_S
        assert surface.stream.duration_s - surface.train_s == test_s
        assert surface.settings["model"] == model
        assert surface.settings["crosses"] == "both"
        assert surface.heads == (80_000, 90_000, 100_000, 110_000, 120_000)


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
