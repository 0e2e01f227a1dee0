import io
import math
from typing import Any

import pytest
from rich.console import Console

from hybridhash.errors import FileFormatError
from hybridhash.report import comparison_markdown, comparison_table


def rendered(results: dict[str, Any]) -> str:
    console = Console(width=100, file=io.StringIO(), color_system=None)
    console.print(comparison_table(results))
    return console.file.getvalue()  # type: ignore[attr-defined]


def test_the_row_of_a_method(results: dict[str, Any]) -> None:
    (row,) = [line for line in rendered(results).splitlines() if "frequency" in line]
    cells = [cell.strip() for cell in row.strip("│").split("│")]
    assert cells == ["frequency", "6,200", "445 kB", "10.0%", "12.10 ± 0.10", "0.7290", "0.5487", "512"]


def test_it_fits_100_columns_even_with_large_numbers(results: dict[str, Any]) -> None:
    for method in results["methods"]:
        method.update(rows=4_294_967_296, embedding_bytes=274_877_906_944, train_steps_per_s=12_345.0)
    lines = rendered(results).splitlines()
    assert max(map(len, lines)) <= 100
    assert sum("4,294,967,296" in line and "275 GB" in line and "17.53 ± 0.15" in line for line in lines) == 1


def test_the_best_compressed_method_is_marked(results: dict[str, Any]) -> None:
    text = rendered(results)
    assert text.count("★") == 2  # the mark and the note that explains it
    assert "hybrid ★" in text
    assert "| **hybrid** | **21,000** |" in comparison_markdown(results)


def test_a_single_method_is_not_marked(results: dict[str, Any]) -> None:
    results["methods"] = results["methods"][-1:]
    assert "★" not in rendered(results)
    assert "**" not in comparison_markdown(results)


def test_names_are_not_markup(results: dict[str, Any]) -> None:
    results["methods"][2]["name"] = "[red]a|b[/red]"
    assert "[red]a|b[/red]" in rendered(results)
    assert r"| \[red\]a\|b\[/red\] |" in comparison_markdown(results)


def test_markdown(results: dict[str, Any]) -> None:
    results["methods"] = results["methods"][:1]
    results["methods"][0].update(rce=[17.7], rce_std=0.0, auc_mean=math.nan, log_loss_mean=None)
    assert comparison_markdown(results) == (
        "| method | rows | embeddings | of baseline | RCE % | AUC | log loss | steps/s |\n"
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n"
        "| full | 40,000 | 2.72 MB | 61.0% | 17.83 | – | – | 512 |\n"
    )


def test_another_format_is_refused(results: dict[str, Any]) -> None:
    results["format"] = "other"
    for function in (comparison_table, comparison_markdown):
        with pytest.raises(FileFormatError, match="got 'other'"):
            function(results)


def test_a_method_that_diverged_says_so_and_why(results: dict[str, Any]) -> None:
    reason = "seed 2: training diverged at step 9; use a smaller [rate]"
    results["methods"][-1].update(rce=[17.4, 17.7], rce_mean=None, rce_std=None, diverged=[reason])
    text = rendered(results)
    [row] = [line for line in text.splitlines() if "│ hybrid" in line]
    assert "diverged" in row
    assert f"hybrid: {reason}" in " ".join(text.split())
    assert "frequency ★" in text
    assert "| hybrid | 21,000 | 445 kB | 10.0% | diverged |" in comparison_markdown(results)
