"""What continuous training leaves to read, made by hand."""

import io
import math
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from hybridhash.report import (
    continuous_grid,
    continuous_table,
    difference_figure,
    format_interval,
    window_figure,
    write_continuous_report,
)
from hybridhash.results import (
    BudgetFacts,
    Continuous,
    DataFacts,
    Difference,
    Interval,
    Machine,
    StreamedMethod,
    StreamSettings,
    WindowFacts,
)


def interval(mean: float) -> Interval:
    return Interval(mean, mean - 0.1, mean + 0.1)


def method(name: str, shift: float) -> StreamedMethod:
    rce = (
        (10.0 + shift, 11.0 + shift, None, 12.0 + shift),
        (10.2 + shift, 11.2 + shift, None, 12.2 + shift),
    )
    return StreamedMethod(
        name=name,
        embedding_bytes=1000 if shift else 10_000,
        share_of_baseline=0.1 if shift else 1.0,
        rce=rce,
        log_loss=rce,
        rce_of_seeds=(11.0 + shift, 11.2 + shift),
        rce_mean=11.1 + shift,
        rce_std=0.14,
        diverged=(),
        settings=StreamSettings(
            num_head=1, num_buckets=2, num_hashes=1, combine="sum", learning_rate=0.05, epochs=2
        ),
    )


@pytest.fixture
def results(data: DataFacts, machine: Machine) -> Continuous:
    """Two methods, two seeds, four windows, the third without an RCE."""
    windows = [WindowFacts(60.0 * number, 50, 10, 20.0) for number in range(4)]
    windows[2] = WindowFacts(120.0, 0, 0, None)
    return Continuous(
        version="1",
        command="hybridhash continuous clicks.csv",
        created="2025-11-24T06:00:00+00:00",
        machine=machine,
        data=data,
        budget=BudgetFacts("10%", 1000, 10_000, 12_000),
        notes=("a <note>",),
        window="1min",
        seeds=2,
        windows=tuple(windows),
        methods=(method("baseline", 0.0), method("hybrid", 0.5)),
        differences=(
            Difference(
                name="hybrid",
                reference="baseline",
                **vars(interval(0.5)),
                windows=(interval(0.5), interval(0.4), None, interval(0.6)),
                windows_above=3,
                windows_compared=3,
            ),
        ),
    )


def diverged(results: Continuous, reason: str, *places: int) -> Continuous:
    """The same where these methods have diverged."""
    methods = tuple(
        replace(one, diverged=(reason,), rce_mean=None, rce_std=None) if place in places else one
        for place, one in enumerate(results.methods)
    )
    return replace(results, methods=methods, differences=(Difference(name="hybrid", reference="baseline"),))


def test_a_line_per_method(results: Continuous) -> None:
    grid = continuous_grid(results)
    assert grid.head[4] == "minus baseline"
    assert grid.body == [
        ["baseline", "10.0 kB", "100.0%", "11.100 ± 0.140", "–", "–", "0.050", "2"],
        ["hybrid", "1.00 kB", "10.0%", "11.600 ± 0.140", "+0.500 [+0.400, +0.600]", "3 of 3", "0.050", "2"],
    ]


def test_the_terminal_says_what_is_missing_and_what_diverged(results: Continuous) -> None:
    console = Console(width=160, file=io.StringIO(), color_system=None)
    console.print(continuous_table(diverged(results, "seed 1: at [step] 3", 1)))
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert "mean over 3 windows of 1min, 2 seeds" in text
    assert "1 window has no RCE" in text
    assert "hybrid: seed 1: at [step] 3" in text
    [row] = [line for line in text.splitlines() if "│ hybrid" in line]
    assert "diverged" in row


def test_figures_have_a_gap_where_a_window_has_no_rce(results: Continuous) -> None:
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


def test_one_seed_has_no_interval(results: Continuous) -> None:
    [difference] = results.differences
    assert difference.windows is not None
    windows = tuple(one and replace(one, low=None, high=None) for one in difference.windows)
    one = replace(
        results,
        methods=tuple(replace(method, rce=method.rce[:1], rce_std=None) for method in results.methods),
        differences=(replace(difference, low=None, high=None, windows=windows),),
    )
    assert format_interval(one.differences[0]) == "+0.500"
    assert continuous_grid(one).body[0][3] == "11.100"
    difference_figure(one)
    window_figure(one)


def test_the_page_holds_all_and_is_the_same_each_time(results: Continuous, tmp_path: Path) -> None:
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


def test_what_diverged_is_named_on_the_page_and_drawn_nowhere(results: Continuous, tmp_path: Path) -> None:
    write_continuous_report(diverged(results, "seed 0: at step 3", 0, 1), tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text()
    assert "baseline: seed 0: at step 3" in page
    assert "<svg" not in page
