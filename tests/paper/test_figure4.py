from types import SimpleNamespace

import numpy as np
import pytest
from paper.figure4 import BASELINE, CASES, HYBRID, _summarise, _verdicts, draw_rows, section, smoothed_rates


def test_smoothing_is_the_formula_that_the_module_states() -> None:
    seconds = np.random.default_rng(0).uniform(0.001, 0.003, 600)
    steps, rates = smoothed_rates(np.cumsum(seconds))
    smoothed = 0.0
    expected = []
    for step, dt in enumerate(seconds, 1):
        smoothed = 0.995 * smoothed + 0.005 * dt
        expected.append((1 - 0.995**step) / smoothed)
    assert steps == list(range(10, 601, 10))
    assert rates == pytest.approx([expected[step - 1] for step in steps], rel=1e-9)


def test_the_rows_of_a_turn_are_drawn_over_the_whole_span() -> None:
    span = np.random.default_rng(0).permutation(np.arange(5000, 15_000))
    drawn = draw_rows(span, 1000)
    assert (np.diff(drawn) > 0).all()  # rising, and none twice
    assert np.histogram(drawn, bins=10, range=(5000, 15_000))[0].min() > 60  # 100 expected of each tenth
    assert drawn.tolist() == draw_rows(span, 1000).tolist()
    repeated = draw_rows(span[:300], 1000)
    assert repeated.size == 1000
    assert set(repeated) <= set(span[:300])
    assert (np.diff(repeated) >= 0).all()


def row(case: str, workers: int, turn: int, rate: float) -> dict[str, object]:
    return {
        "case": case,
        "workers": workers,
        "turn": turn,
        "threads_per_worker": 1,
        "embedding_bytes": 1000 if case == "baseline" else 100,
        "steps_per_s": rate,
        "curve_steps": [1, 2],
        "curve_steps_per_s": [rate, rate],
    }


def rows() -> list[dict[str, object]]:
    rates = {"baseline": (100.0, 50.0, 100.0), "hybrid": (110.0, 54.0, 120.0)}
    names = ("baseline", "double", "double, 1/8 the rows", "hybrid", "hybrid, 8 chunks")
    return [
        row(name, workers, turn, rates.get(name, (80.0, 40.0, 80.0))[turn] * workers)
        for name in names
        for workers in (1, 2)
        for turn in range(3)
    ]


def test_ratios_are_taken_within_a_turn() -> None:
    lines = _summarise(rows())
    hybrid = next(line for line in lines if line["case"] == HYBRID.name and line["workers"] == 2)
    assert hybrid["ratio_to_baseline"] == pytest.approx({"median": 1.1, "low": 1.09, "high": 1.15})
    assert hybrid["steps_per_s"] == pytest.approx({"median": 220.0, "low": 164.0, "high": 230.0})
    baseline = next(line for line in lines if line["case"] == BASELINE.name and line["workers"] == 1)
    assert baseline["ratio_to_baseline"]["median"] == 1.0
    verdicts = list(_verdicts(lines, 1))
    assert [verdict.holds for verdict in verdicts] == [True, True]
    assert "1.100 (1.090 to 1.150)" in verdicts[0].evidence


def test_the_section_shows_every_case_beside_the_printed_claim() -> None:
    names = {str(line["case"]) for line in rows()}
    summary = {
        "machine": {"cores": 7},
        "turn_steps": 100,
        "lines": _summarise(rows()),
        "table_us": dict.fromkeys(names, 123.4),
    }
    shown = section(summary)
    assert "Measured on cores 7." in shown.html
    assert shown.html.count("about 0.78") == 2
    assert "double, 1/8 the rows, 2 workers" in shown.html
    assert len(shown.verdicts) == 4
    (figure,) = shown.figures
    assert [axes.get_title() for axes in figure.figure.axes] == ["1 worker", "2 workers"]
    assert "smoothed" in figure.figure.axes[0].get_ylabel()


def test_the_hybrid_tables_have_an_eighth_of_the_bytes_in_their_tail() -> None:
    counts = SimpleNamespace(num_keys=1000)  # the baseline has 1,024 rows
    for carries_wide in (False, True):
        plan = SimpleNamespace(counts=counts, dim=16, carries_wide=carries_wide)
        row = 16 + carries_wide
        for case in CASES:
            table = case.table(plan, num_head=100)
            tail_floats = table.num_buckets * (table.bucket_dim + carries_wide)
            assert tail_floats / (1024 * row) == pytest.approx(case.tail_share, rel=0.01)
            assert table.num_head == (100 if "hybrid" in case.name else 0)
            assert table.num_hashes == (8 if "chunks" in case.name else 1 if case is BASELINE else 2)
