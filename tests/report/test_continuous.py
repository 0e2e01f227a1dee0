"""What continuous training leaves to read, from a mapping made by hand."""

import io
import math
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from hybridhash.errors import FileFormatError
from hybridhash.report import (
    continuous_grid,
    continuous_table,
    difference_figure,
    format_interval,
    window_figure,
    write_continuous_report,
)

Results = dict[str, Any]


def interval(mean: float) -> dict[str, float]:
    return {"mean": mean, "low": mean - 0.1, "high": mean + 0.1}


@pytest.fixture
def results() -> Results:
    """Two methods, two seeds, four windows, the third without an RCE."""

    def method(name: str, shift: float) -> Results:
        rce = [
            [10.0 + shift, 11.0 + shift, None, 12.0 + shift],
            [10.2 + shift, 11.2 + shift, None, 12.2 + shift],
        ]
        return {
            "name": name,
            "embedding_bytes": 1000 if shift else 10_000,
            "share_of_baseline": 0.1 if shift else 1.0,
            "rce": rce,
            "rce_mean": 11.1 + shift,
            "rce_std": 0.14,
            "diverged": [],
            "settings": {"learning_rate": 0.05, "epochs": 2},
        }

    windows = [{"start": 60.0 * n, "rows": 50, "positives": 10, "best_reachable_rce": 20.0} for n in range(4)]
    windows[2] = {"start": 120.0, "rows": 0, "positives": 0, "best_reachable_rce": None}
    return {
        "format": "hybridhash-continuous/1",
        "version": "1",
        "command": "hybridhash continuous clicks.csv",
        "created": "2025-11-24T06:00:00+00:00",
        "machine": {"cores": 2},
        "data": {
            **{
                "source": "clicks.csv",
                "train_rows": 900,
                "validation_rows": 100,
                "test_rows": 150,
                "keys": 77,
            },
            "best_reachable_rce": 20.0,
        },
        "budget": {"asked": "10%", "bytes": 1000, "baseline_bytes": 10_000},
        "notes": ["a <note>"],
        "window": "1min",
        "seeds": 2,
        "windows": windows,
        "methods": [method("baseline", 0.0), method("hybrid", 0.5)],
        "differences": [
            {
                **{"name": "hybrid", "reference": "baseline", **interval(0.5)},
                "windows": [interval(0.5), interval(0.4), None, interval(0.6)],
                "windows_above": 3,
                "windows_compared": 3,
            }
        ],
    }


def test_a_line_per_method(results: Results) -> None:
    grid = continuous_grid(results)
    assert grid.head[4] == "minus baseline"
    assert grid.body == [
        ["baseline", "10.0 kB", "100.0%", "11.100 ± 0.140", "–", "–", "0.050", "2"],
        ["hybrid", "1.00 kB", "10.0%", "11.600 ± 0.140", "+0.500 [+0.400, +0.600]", "3 of 3", "0.050", "2"],
    ]


def test_the_terminal_says_what_is_missing_and_what_diverged(results: Results) -> None:
    results["methods"][1].update(diverged=["seed 1: at [step] 3"], rce_mean=None, rce_std=None)
    results["differences"][0].update(dict.fromkeys(("mean", "low", "high", "windows")))
    console = Console(width=160, file=io.StringIO(), color_system=None)
    console.print(continuous_table(results))
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert "mean over 3 windows of 1min, 2 seeds" in text
    assert "1 window has no RCE" in text
    assert "hybrid: seed 1: at [step] 3" in text
    [row] = [line for line in text.splitlines() if "│ hybrid" in line]
    assert "diverged" in row


def test_figures_have_a_gap_where_a_window_has_no_rce(results: Results) -> None:
    axes = window_figure(results).axes[0]
    for line, shift in zip(axes.lines, (0.0, 0.5), strict=True):
        assert list(line.get_xdata()) == [1, 2, 3, 4]
        heights = list(line.get_ydata())
        assert math.isnan(heights.pop(2))
        assert heights == pytest.approx([10.1 + shift, 11.1 + shift, 12.1 + shift])
    zero, line = difference_figure(results).axes[0].lines
    assert list(zero.get_ydata()) == [0, 0]
    assert math.isnan(line.get_ydata()[2])
    assert list(line.get_ydata())[:2] == pytest.approx([0.5, 0.4])


def test_one_seed_has_no_interval(results: Results) -> None:
    for window in (results["differences"][0], *results["differences"][0]["windows"][:2]):
        window.update(low=None, high=None)
    results["differences"][0]["windows"][3].update(low=None, high=None)
    for row in results["methods"]:
        row.update(rce=row["rce"][:1], rce_std=None)
    assert format_interval(results["differences"][0]) == "+0.500"
    assert continuous_grid(results).body[0][3] == "11.100"
    difference_figure(results)
    window_figure(results)


def test_the_page_holds_all_and_is_the_same_each_time(results: Results, tmp_path: Path) -> None:
    for name in ("a.html", "b.html"):
        write_continuous_report(results, tmp_path / name)
    page = (tmp_path / "a.html").read_text()
    assert page == (tmp_path / "b.html").read_text()
    for text in (
        "a &lt;note&gt;",
        "1 window has no RCE",
        "+0.500 [+0.400, +0.600]",
        "95 % t interval",
        "mean label",
    ):
        assert text in page
    assert page.count("<svg") == 2


def test_what_diverged_is_named_on_the_page_and_drawn_nowhere(results: Results, tmp_path: Path) -> None:
    for row in results["methods"]:
        row.update(diverged=["seed 0: at step 3"], rce_mean=None, rce_std=None)
    results["differences"][0].update(dict.fromkeys(("mean", "low", "high", "windows")))
    write_continuous_report(results, tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text()
    assert "baseline: seed 0: at step 3" in page
    assert "<svg" not in page


def test_another_format_is_refused(results: Results, tmp_path: Path) -> None:
    results["format"] = "hybridhash-results/1"
    for show in (continuous_grid, continuous_table, window_figure, difference_figure):
        with pytest.raises(FileFormatError, match="expected format 'hybridhash-continuous/1'"):
            show(results)
