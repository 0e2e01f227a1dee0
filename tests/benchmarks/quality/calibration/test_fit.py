"""The constants come back out of rows that follow the formulas."""

import json
from pathlib import Path

import pytest
from benchmarks.quality.calibration.fit import coding_curve, half_learned, unshared_directions

from hybridhash.theory.loss import CODING, CODING_SLOPE, HALF_LEARNED, NORMAL_ERROR, UNSHARED_DIRECTIONS

RECORD = Path(__file__).parents[4] / "benchmarks" / "results" / "calibration.jsonl"
COUNTS = (1.0, 2.0, 3.5, 6.5, 12.0, 30.0)


def bands(of_set: str, feature: str, half: float, factor: float) -> list[dict[str, object]]:
    reads = [0.1, 0.08, 0.07, 0.1, 0.2, 0.3]
    return [
        {
            "set": of_set,
            "feature": feature,
            "count": count,
            "reads": read,
            "loss": factor * read * count / (count + half),
        }
        for count, read in zip(COUNTS, reads, strict=True)
    ]


def test_the_half_that_the_bands_were_made_with() -> None:
    rows = [*bands("one", "user", 8.0, 20.0), *bands("one", "ad", 8.0, 3.0), *bands("one", "cross", 1.0, 0.0)]
    assert half_learned(rows) == pytest.approx(8.0)


def test_the_median_over_sets() -> None:
    rows = [
        row
        for of_set, half in zip("abc", (2.0, 16.0, 64.0), strict=True)
        for row in bands(of_set, "u", half, 9.0)
    ]
    assert half_learned(rows) == pytest.approx(16.0)


def test_the_share_of_the_noise() -> None:
    shares = {"a": 0.02, "b": 0.04, "c": 0.3}
    rows = [
        {"set": of_set, "bits": bits, "share": share * NORMAL_ERROR[bits]}
        for of_set, share in shares.items()
        for bits in (1, 2, 3)
    ]
    assert unshared_directions(rows) == pytest.approx(0.04)


def test_the_curve_of_codes() -> None:
    rows = [
        {"code_bits": bits, "share": scale * 1.5 * 2 ** (-0.75 * bits)}
        for bits in range(2, 7)
        for scale in (0.5, 1.5)
    ]
    assert coding_curve(rows) == pytest.approx((1.5, 0.75))


def test_the_constants_of_the_planner_are_those_of_the_record_to_one_digit() -> None:
    """``make bench-quality OF=calibration`` made the record; what it measured is what the package uses."""
    lines = [json.loads(line) for line in RECORD.read_text().splitlines()]
    rows = [{"set": line["set"], **row} for line in lines for row in line["measures"]]
    of_kind = {kind: [row for row in rows if row["kind"] == kind] for kind in ("band", "rounding", "coding")}
    start, slope = coding_curve(of_kind["coding"])
    measured = half_learned(of_kind["band"]), unshared_directions(of_kind["rounding"]), start
    assert [float(f"{value:.1g}") for value in measured] == [HALF_LEARNED, UNSHARED_DIRECTIONS, CODING]
    assert float(f"{slope:.2g}") == CODING_SLOPE
