"""The scripts of Tables 1 and 2 run, and their figures are the paper's or differ as they say.

Printed figures are typed again here from the paper, so that ``printed.json`` is checked too.
"""

from fractions import Fraction
from typing import Any

import pytest

from hybridhash.theory import collision_rate, half_collision_rate, hybrid_collision_rate
from paper import table1, table2

pytest.importorskip("rich", reason="rich is not installed: pip install hybridhash[train]")


@pytest.fixture(scope="module")
def figures() -> dict[tuple[str, int, str], Any]:
    return {(row.method, row.model_size_percent, row.kind): row for row in table2.rows(table2.QUICK_SHRINK)}


PRINTED = {
    ("Baseline", 100, "full"): "0.34",
    ("Hybrid hashing", 100, "full"): "2.27e-14",
    ("Hybrid hashing", 100, "half"): "0.32",
    ("Hybrid hashing", 25, "full"): "6.27e-12",
    ("Hybrid hashing", 25, "half"): "2.74",
    ("Hybrid hashing", 10, "full"): "1.00e-10",
    ("Hybrid hashing", 10, "half"): "6.43",
}


def test_every_printed_figure_is_there(figures: dict[tuple[str, int, str], Any]) -> None:
    assert {key: row.printed for key, row in figures.items()} == PRINTED


def test_all_figures_agree_but_one(figures: dict[tuple[str, int, str], Any]) -> None:
    assert [key for key, row in figures.items() if not row.agrees] == [("Hybrid hashing", 100, "full")]


def test_the_one_that_differs_is_right_in_exact_fractions(figures: dict[tuple[str, int, str], Any]) -> None:
    # The first three terms of the binomial series; the fourth is 1e-7 of the first.
    n, p = 4_000_000 - 105_000, Fraction(1, 2**44)
    exact = n * (n - 1) * p**2 / 2 - n * (n - 1) * (n - 2) * p**3 / 6
    row = figures["Hybrid hashing", 100, "full"]
    assert row.recomputed == pytest.approx(float(exact), rel=1e-12)
    assert f"{row.recomputed:.2e}" == "2.45e-14"
    assert "Does not agree" in row.remark


def test_what_the_remarks_claim() -> None:
    assert f"{collision_rate(4 * 2**20, 2**22):.2f}" == "0.37"
    assert f"{hybrid_collision_rate(4_000_000, 251_600, 2**22):.2e}" == "2.27e-14"
    assert f"{half_collision_rate(4_000_000, 251_600, 2**22):.2f}" == "0.30"
    assert f"{4_000_000 / 2**44:.2e}" == "2.27e-07"
    assert f"{(2**20 + 105_000) / 2**22:.1%}" == "27.5%"
    assert f"{2**19 / 2**22:.1%}" == "12.5%"
    assert f"{(2**19 + 105_000) / 2**22:.1%}" == "15.0%"
    assert table2.heads_that_fit() == range(104_900, 107_500, 100)


def test_measured_collisions_are_as_expected(figures: dict[tuple[str, int, str], Any]) -> None:
    """Within 5 standard deviations, which for rare and for common collisions are at most sqrt(expected)."""
    for row in figures.values():
        assert abs(row.measured_keys - row.expected_keys) <= 5 * max(row.expected_keys, 1) ** 0.5, row
        if row.expected_keys_summed is not None:
            allowed = 5 * max(row.expected_keys_summed, 1) ** 0.5
            assert abs(row.measured_keys_summed - row.expected_keys_summed) <= allowed, row
            assert row.expected_keys_summed == pytest.approx(2 * row.expected_keys, rel=1e-3)


def test_table_2_prints_every_figure(capsys: pytest.CaptureFixture[str]) -> None:
    found = table2.main(quick=True)
    printed = capsys.readouterr().out
    for row in found:
        assert row.printed in printed
    assert "2.45e-14" in printed
    assert "slip in copying" in printed


def test_table_1(capsys: pytest.CaptureFixture[str]) -> None:
    found = {row.method: row for row in table1.main()}
    printed = capsys.readouterr().out
    assert list(found) == ["Regular hashing", "Double hashing", "Frequency hashing", "Hybrid hashing"]
    for row in found.values():
        assert row.formula in printed
        assert row.space in printed
        assert row.time in printed
    values = [f"{row.collision_rate:.3g}" for row in found.values()]
    # n**2 / 2 B**2 with B = 2**44 for the two small ones: 16e12 / 2**89 and 3.895e6**2 / 2**89.
    assert values == ["0.339", f"{16e12 / 2**89:.3g}", "0", f"{3.895e6**2 / 2**89:.3g}"]
    assert [row.cost.num_rows for row in found.values()] == [2**22, 2**22, 4_000_000, 2**22 + 105_000]
    assert [row.cost.num_bucket_hashes for row in found.values()] == [4_000_000, 8_000_000, 0, 7_790_000]
    # 1 - exp(-n / B), the share of keys in a bucket with another.
    assert found["Regular hashing"].shares.fully_shared == pytest.approx(0.6147, abs=1e-4)
