import io
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from hybridhash.report import sweep_figure, sweep_grid, sweep_table, write_sweep_report
from hybridhash.results import DataFacts, Figures, Machine, Sweep, SweepRow

from .conftest import settings_of


def figures(share: float, rce: tuple[float, float]) -> Figures:
    return Figures(
        rows=1000,
        embedding_bytes=int(1_000_000 * share),
        share_of_baseline=share,
        rce=rce,
        rce_mean=sum(rce) / 2,
        rce_std=abs(rce[0] - rce[1]) / 2**0.5,
        auc_mean=0.75,
        train_steps_per_s=321.0,
        settings=settings_of(num_head=1000),
    )


def line(stage: str, title: str, share: float, rce: tuple[float, float], hashed: bool = True) -> SweepRow:
    ours = figures(share, rce)
    return SweepRow(
        **vars(ours),
        stage=stage,  # type: ignore[arg-type]
        title=title,
        tail="",
        hashed=ours if hashed else None,
        file_share=share,
    )


@pytest.fixture
def results(data: DataFacts, machine: Machine) -> Sweep:
    return Sweep(
        version="0",
        command="hybridhash sweep <data>",
        created="2020-01-01",
        machine=machine,
        data=replace(data, keys=3000, best_reachable_rce=None),
        baseline_bytes=1_000_000,
        baseline_rows=4096,
        seeds=2,
        best_head="K = 2, one hash",
        rows=(
            line("head", "K = 1, one hash", 0.52, (11.0, 12.0)),
            line("head", "K = 2, one hash", 0.53, (12.0, 13.0)),
            line("tail", "K = 2, two hashes", 0.15, (10.0, 12.0)),
            line("baseline", "baseline", 1.0, (12.5, 12.7), hashed=False),
        ),
    )


def test_one_line_per_row_with_its_twin_beside(results: Sweep) -> None:
    grid = sweep_grid(results)
    assert grid.strong == "K = 2, one hash"
    cells = [dict(zip(grid.head, body, strict=True)) for body in grid.body]
    assert [row["row"] for row in cells] == [row.title for row in results.rows]
    assert cells[2]["size"] == "15.0%"
    assert cells[2]["RCE %"] == cells[2]["hashed RCE %"] == "11.00 ± 1.41"
    assert cells[3]["hashed RCE %"] == cells[0]["validation RCE"] == "–"
    assert "GAUC" not in grid.head


def test_quality_within_groups_has_columns_where_it_was_measured(results: Sweep) -> None:
    rows = tuple(replace(row, gauc_mean=0.61, ndcg_mean=0.52) for row in results.rows)
    grid = sweep_grid(replace(results, rows=rows))
    assert dict(zip(grid.head, grid.body[0], strict=True))["GAUC"] == "0.6100"


def test_the_terminal_table_has_all_columns(results: Sweep) -> None:
    table = sweep_table(results)
    assert [column.header for column in table.columns] == sweep_grid(results).head
    assert table.row_count == 4


def test_the_figure_has_a_panel_of_heads_and_one_of_sizes(results: Sweep) -> None:
    left, right = sweep_figure(results).axes
    assert [item.get_label() for item in left.containers] == ["one hash"]
    assert [item.get_label() for item in right.containers] == ["several hashes", "hashed, same bytes"]
    twins = right.containers[1].lines[0].get_xdata()
    assert list(twins) == [15.0, 53.0]  # of the tail, and of the best head
    assert "RCE" in left.get_ylabel()
    assert "%" in right.get_xlabel()
    assert [float(tick.get_text()) for tick in right.get_xticklabels()] == [15, 53]
    assert [text.get_text() for text in left.texts] == ["baseline"]


LOST = {"rce": (12.0,), "rce_mean": None, "rce_std": None, "diverged": ("seed 1: at [step] 7",)}


@pytest.fixture
def diverged(results: Sweep) -> Sweep:
    """The first head at every rate, a seed of the tail's twin and one of the baseline."""
    head, good, tail, baseline = (replace(row, file_share=None) for row in results.rows)
    nothing = {**LOST, "auc_mean": None, "train_steps_per_s": None}
    head = replace(head, **nothing, settings=settings_of(num_head=1000, learning_rate=None))
    assert tail.hashed is not None
    tail = replace(tail, hashed=replace(tail.hashed, **nothing))
    return replace(results, rows=(head, good, tail, replace(baseline, **nothing)))


def test_what_diverged_says_so_in_the_table(diverged: Sweep) -> None:
    grid = sweep_grid(diverged)
    cells = [dict(zip(grid.head, body, strict=True)) for body in grid.body]
    assert [row["RCE %"] for row in cells] == ["diverged", "12.50 ± 0.71", "11.00 ± 1.41", "diverged"]
    assert [row["hashed RCE %"] for row in cells] == ["11.50 ± 0.71", "12.50 ± 0.71", "diverged", "–"]
    assert [cells[0][name] for name in ("size", "AUC", "rate", "steps/s")] == ["–"] * 4
    console = Console(width=200, file=io.StringIO())
    console.print(sweep_table(diverged))
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    assert "K = 1, one hash: seed 1: at [step] 7" in shown
    assert "K = 2, two hashes, hashed: seed 1: at [step] 7" in shown


def test_what_diverged_says_so_in_the_figure_and_on_the_page(diverged: Sweep, tmp_path: Path) -> None:
    left, right = sweep_figure(diverged).axes
    assert [text.get_text() for text in left.texts] == ["diverged", "baseline diverged"]
    assert [line.get_xydata().tolist() for line in left.lines if line.get_marker() == "x"] == [[[1000, 0]]]
    assert [line.get_xydata().tolist() for line in right.lines if line.get_marker() == "x"] == [[[15, 1]]]
    assert list(left.containers[0].lines[0].get_ydata()) == [12.5]
    write_sweep_report(diverged, tmp_path / "report.html")
    assert "seed 1: at [step] 7" in (tmp_path / "report.html").read_text()


def test_a_sweep_of_which_nothing_is_left_has_a_figure(diverged: Sweep, tmp_path: Path) -> None:
    rows = tuple(replace(row, **LOST, hashed=None) for row in diverged.rows)
    write_sweep_report(replace(diverged, rows=rows), tmp_path / "report.html")


def test_the_page_holds_table_figure_and_command(results: Sweep, tmp_path: Path) -> None:
    write_sweep_report(results, tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text()
    for part in ("K = 2, two hashes", "<svg", "hybridhash sweep &lt;data&gt;", "K = 2, one hash", "3,000"):
        assert part in page
    write_sweep_report(results, tmp_path / "again.html")
    assert (tmp_path / "again.html").read_text() == page
