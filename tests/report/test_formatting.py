import pytest

from hybridhash.report.formatting import (
    format_bytes,
    format_count,
    format_number,
    format_share,
    format_short_count,
    format_spread,
)


@pytest.mark.parametrize(
    ("num_bytes", "expected"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.00 kB"),
        (1234, "1.23 kB"),
        (9_994, "9.99 kB"),
        (9_996, "10.0 kB"),
        (99_960, "100 kB"),
        (999_499, "999 kB"),
        (999_500, "1.00 MB"),
        (67_108_864, "67.1 MB"),
        (5 * 10**9, "5.00 GB"),
        (123 * 10**18, "123000 PB"),
        (None, "–"),
    ],
)
def test_bytes(num_bytes: float | None, expected: str) -> None:
    assert format_bytes(num_bytes) == expected


@pytest.mark.parametrize(
    ("count", "expected"), [(1, "1"), (10, "10"), (2500, "2.5k"), (10**6, "1M"), (10**12, "1000G")]
)
def test_short_counts(count: float, expected: str) -> None:
    assert format_short_count(count) == expected


def test_counts_shares_and_numbers() -> None:
    assert format_count(1234567) == "1,234,567"
    assert format_share(0.1004) == "10.0%"
    assert format_number(0.77123, 4) == "0.7712"
    assert format_number(12345.6, 0) == "12,346"
    assert format_spread(17.604, 0.208) == "17.60 ± 0.21"
    assert format_spread(17.604, None) == "17.60"


def test_what_is_not_known_is_a_dash() -> None:
    assert (
        format_count(None) == format_share(None) == format_number(None, 2) == format_spread(None, 0.1) == "–"
    )
