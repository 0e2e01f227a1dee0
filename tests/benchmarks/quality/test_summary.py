"""Means, spreads and gaps worked out by hand."""

import json
import math
from pathlib import Path
from typing import Any

import pytest
from benchmarks.quality.benchmark import PEERS_BENCHMARK
from benchmarks.quality.methods import METHODS
from benchmarks.quality.summary import Panel, overview, page, points_of, read_panels


def row(method: str, share: float, seed: int, rce: float, **changes: Any) -> dict[str, Any]:
    tuned = {"learning_rate": 0.02, "epochs": 2, "validation_rce": 1.0}
    fields = {
        "kind": "judged",
        "set": "s",
        "title": "Set S",
        "of": "now",
        "full_bytes": 680,
        "rates": [0.01, 0.02, 0.1],
    }
    point = {"method": method, "share": share, "seed": seed, "rce": rce, "embedding_bytes": int(680 * share)}
    return {**fields, **point, "tuned": tuned, **changes}


ROWS = [
    row("hashed", 0.1, 0, 9.0),
    row("hashed", 0.1, 1, 11.0),
    row("full", 1.0, 0, 20.0),
    row("hybrid", 0.1, 0, 15.0, tuned={"learning_rate": 0.1, "epochs": 1, "validation_rce": 2.0}),
    row("hybrid", 0.05, 0, 12.0),
    row("ROBE", 0.1, 0, 8.0),
]


def test_points_have_mean_spread_and_gap() -> None:
    found = {(point.method, point.share): point for point in points_of(ROWS, METHODS)}
    assert [point.method for point in points_of(ROWS, METHODS)] == [
        "full",
        "hashed",
        "hybrid",
        "hybrid",
        "ROBE",
    ]
    hashed = found["hashed", 0.1]
    assert (hashed.rces, hashed.mean, hashed.gap) == ((9.0, 11.0), 10.0, 0.0)
    assert hashed.std == pytest.approx(2**0.5)
    assert found["hybrid", 0.1].gap == pytest.approx((15 - 10) / (20 - 10))
    assert found["ROBE", 0.1].gap == pytest.approx(-0.2)
    assert found["hybrid", 0.1].std is None
    assert found["hybrid", 0.05].gap is None, "regular hashing is missing at these bytes"


def test_the_error_of_a_gap_by_hand() -> None:
    """Half of a difference of 10 is closed; a seed that is good for all three says nothing."""
    rows = [
        *(row("hashed", 0.1, seed, rce) for seed, rce in enumerate((9.0, 11.0))),
        *(row("full", 1.0, seed, rce) for seed, rce in enumerate((18.0, 22.0))),
        *(row("hybrid", 0.1, seed, rce) for seed, rce in enumerate((14.0, 16.0))),
    ]
    found = {point.method: point for point in points_of(rows, METHODS)}["hybrid"]
    assert found.gap == pytest.approx(0.5)
    residuals = (14 - 18 / 2 - 9 / 2, 16 - 22 / 2 - 11 / 2)  # 0.5 and -0.5
    assert residuals == (0.5, -0.5)
    assert found.gap_error == pytest.approx(math.sqrt(0.5) / math.sqrt(2) / 10)
    assert found.gap_text == "50 ± 5%"


def test_seeds_of_an_earlier_choice_do_not_count() -> None:
    """The rate was 0.02 for two seeds and is 0.1 for the first of them."""
    chosen = {"learning_rate": 0.1, "epochs": 1, "validation_rce": 2.0}
    [point] = points_of([*ROWS[:2], row("hashed", 0.1, 0, 13.0, tuned=chosen)], METHODS)
    assert (point.rces, point.rate, point.epochs) == ((13.0,), 0.1, 1)


def test_there_is_no_gap_where_the_full_table_is_no_better() -> None:
    found = points_of(
        [row("full", 1.0, 0, 9.0), row("hashed", 0.1, 0, 10.0), row("hybrid", 0.1, 0, 11.0)], METHODS
    )
    assert {point.gap for point in found} == {None}


def test_a_rate_at_the_edge_of_the_grid_is_marked() -> None:
    edges = {(point.method, point.share): point.at_edge for point in points_of(ROWS, METHODS)}
    assert edges["hybrid", 0.1]
    assert not edges["hashed", 0.1]


def test_only_rows_of_the_last_settings_count(tmp_path: Path) -> None:
    old = row("hybrid", 0.1, 0, 99.0, of="before")
    tuned = {"kind": "tuned", "of": "now"}
    (tmp_path / "quality-s.jsonl").write_text(
        "".join(f"{json.dumps(each)}\n" for each in [old, *ROWS, tuned])
    )
    [panel] = read_panels(tmp_path, ["absent", "s"], PEERS_BENCHMARK)
    assert (panel.title, panel.full_bytes) == ("Set S", 680)
    assert panel.points == tuple(points_of(ROWS, METHODS))


def test_the_page_ranks_the_methods(tmp_path: Path) -> None:
    (tmp_path / "quality-s.jsonl").write_text("".join(f"{json.dumps(each)}\n" for each in ROWS))
    text = page(read_panels(tmp_path, ["s"], PEERS_BENCHMARK), "quality.png")
    lines = text[text.index("10.0% of the full table's 680 B") : text.index("5.0% of")].splitlines()
    assert [line.split("|")[1].strip() for line in lines if line.startswith("| ")][2:] == [
        "full",
        "hybrid",
        "hashed",
        "ROBE",
    ]
    assert "| hybrid | 15.00 | 50% | 68 | 0.1 (edge) | 1 |" in text
    assert "| hashed | 10.00 ± 1.41 | – | 68 | 0.02 | 2 |" in text
    assert "![RCE against bytes](quality.png)" in text


def test_the_overview_sets_ours_beside_hashing_and_the_best_peer() -> None:
    rows = [*ROWS, row("auto", 0.1, 0, 18.0), row("auto", 0.1, 1, 20.0), row("auto", 0.05, 0, 17.0)]
    text = overview([Panel("Set S", 680, tuple(points_of(rows, METHODS)))])
    assert text.splitlines()[1] == "| | bytes, of full | auto | full | hashed | best other | gap closed |"
    assert text.splitlines()[3] == "| Set S | 10 % | 19.00 ± 1.41 | 20.00 | 10.00 | hybrid 15.00 | 90% |"
    # At 5 % regular hashing is missing, so there is no gap to share.
    assert text.splitlines()[4] == "|  | 5 % | 17.00 |  | – | hybrid 12.00 | – |"


def test_the_readme_has_the_overview_that_the_command_wrote() -> None:
    root = Path(__file__).parents[3]
    readme = (root / "README.md").read_text()
    for benchmark in ("quality", "shapes"):
        record = (root / "benchmarks" / "results" / f"{benchmark}.md").read_text()
        lines = record.split("| best other |")[1].split("\n\n")[0].splitlines()[2:]
        assert len(lines) >= 12
        assert all(line in readme for line in lines)
