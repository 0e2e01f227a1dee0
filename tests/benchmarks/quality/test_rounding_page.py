"""Rows made by hand, and the cells and lines that follow from them."""

import json
from pathlib import Path
from typing import Any

import pytest
from benchmarks.quality.rounding_page import page, read_cells


def row(rounding: str, bits: int, rate: float, seed: int, rce: float, **changes: Any) -> dict[str, Any]:
    return {
        "set": "a",
        "title": "Set A",
        "of": "now",
        "rounding": rounding,
        "bits": bits,
        "rate": rate,
        "seed": seed,
        "rce": rce,
        "embedding_bytes": 1000 * bits,
        "train_s": 2.0 if rounding == "after" else 3.0,
        **changes,
    }


ROWS = [
    row("after", 1, 0.1, 0, 99.0, of="earlier"),
    *(row("after", 32, rate, seed, 10.0 + seed) for rate in (0.1, 0.2, 0.3) for seed in (0, 1)),
    *(row("after", 1, 0.1, seed, 5.0) for seed in (0, 1)),
    *(row("after", 1, 0.2, seed, 6.0 + 2 * seed) for seed in (0, 1)),
    row("after", 1, 0.3, 0, 50.0),  # the other seed diverged
    *(row("in-loop", 1, 0.1, seed, 8.0 + seed) for seed in (0, 1)),
    *(row("in-loop", 1, 0.2, seed, 7.0) for seed in (0, 1)),
]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "rounding.jsonl"
    path.write_text("".join(json.dumps(each) + "\n" for each in ROWS))
    return path


def test_a_cell_has_the_rate_with_the_best_mean_over_all_seeds(path: Path) -> None:
    cells = {(cell.rounding, cell.bits): cell for cell in read_cells(path)}
    assert cells["after", 1].rate == 0.2
    assert cells["after", 1].rces == (6.0, 8.0)
    assert not cells["after", 1].at_edge
    assert cells["in-loop", 1].rate == 0.1
    assert cells["in-loop", 1].at_edge
    assert cells["in-loop", 1].train_s == 3.0


def test_the_page_says_the_difference_seed_by_seed_and_the_price(path: Path) -> None:
    text = page(read_cells(path))
    # 8 - 6 and 9 - 8: a mean of 1.5, half an apart of 1 / sqrt(2).
    expected = "| 1 | 1.00 kB | 7.00 ± 1.41 | 0.2 | 8.50 ± 0.71 | 0.1 (edge) | 1.50 ± 0.71 | 1.50 |"
    assert expected in text.splitlines()
    assert "| 32 | 32.0 kB | 10.50 ± 0.71 | 0.1 (edge) | – | – | – | 1 |" in text.splitlines()


def test_no_rows_are_no_cells(tmp_path: Path) -> None:
    assert read_cells(tmp_path / "rounding.jsonl") == []
