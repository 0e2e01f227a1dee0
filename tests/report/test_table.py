import io
from dataclasses import replace

from rich.console import Console

from hybridhash.report import comparison_table
from hybridhash.results import Comparison

from .conftest import changed


def rendered(results: Comparison) -> str:
    console = Console(width=100, file=io.StringIO(), color_system=None)
    console.print(comparison_table(results))
    return console.file.getvalue()  # type: ignore[attr-defined]


def test_the_row_of_a_method(results: Comparison) -> None:
    (row,) = [line for line in rendered(results).splitlines() if "frequency" in line]
    cells = [cell.strip() for cell in row.strip("│").split("│")]
    assert cells == ["frequency", "12.10 ± 0.10", "445 kB", "10.0%", "0.7290", "0.5487", "6,200", "512"]


def test_speed_stands_last_and_is_said_to_be_unpaired(results: Comparison) -> None:
    grouped = changed(results, 0, gauc_mean=0.6, ndcg_mean=0.7)
    assert [column.header for column in comparison_table(grouped).columns][-3:] == [
        "GAUC",
        "NDCG@10",
        "steps/s",
    ]
    assert "steps/s: unpaired" in rendered(results)


def test_it_fits_100_columns_even_with_large_numbers(results: Comparison) -> None:
    large = {"rows": 4_294_967_296, "embedding_bytes": 274_877_906_944, "train_steps_per_s": 12_345.0}
    methods = tuple(replace(method, **large) for method in results.methods)
    lines = rendered(replace(results, methods=methods)).splitlines()
    assert max(map(len, lines)) <= 100
    assert sum("4,294,967,296" in line and "275 GB" in line and "17.53 ± 0.15" in line for line in lines) == 1


def test_the_best_compressed_method_is_marked(results: Comparison) -> None:
    text = rendered(results)
    assert text.count("★") == 2  # the mark and the note that explains it
    assert "hybrid ★" in text


def test_a_single_method_is_not_marked(results: Comparison) -> None:
    assert "★" not in rendered(replace(results, methods=results.methods[-1:]))


def test_one_seed_has_no_spread_and_what_is_unknown_is_a_dash(results: Comparison) -> None:
    text = rendered(changed(results, 0, rce=(17.7,), rce_mean=17.7, rce_std=0.0, auc_mean=None))
    [row] = [line for line in text.splitlines() if "│ full" in line]
    assert [cell.strip() for cell in row.strip("│").split("│")][1:5:3] == ["17.70", "–"]


def test_a_method_that_diverged_says_so_and_why(results: Comparison) -> None:
    reason = "seed 2: training diverged at step 9; use a smaller [rate]"
    lost = changed(results, -1, rce=(17.4, 17.7), rce_mean=None, rce_std=None, diverged=(reason,))
    text = rendered(lost)
    [row] = [line for line in text.splitlines() if "│ hybrid" in line]
    assert "diverged" in row
    assert f"hybrid: {reason}" in " ".join(text.split())
    assert "frequency ★" in text
    assert "★" not in rendered(replace(lost, methods=lost.methods[-1:]))


def test_names_are_not_markup(results: Comparison) -> None:
    assert "[red]a|b[/red]" in rendered(changed(results, 2, name="[red]a|b[/red]"))
