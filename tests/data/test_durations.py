import pytest

from hybridhash.data import parse_duration
from hybridhash.data.durations import unit_hint
from hybridhash.errors import InvalidValueError


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("15min", 900), ("1h", 3600), ("2d", 172800), (" 1.5 H ", 5400)]
)
def test_a_duration_is_seconds(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "h", "1", "1m", "1 week", "-1h", "0s", "0.0h", "1h30min", "nan h"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(InvalidValueError, match=r"expected a span of time.*such as 90s, 15min, 1h or 2d"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("per_second", "unit"), [(10**3, "milliseconds"), (10**6, "microseconds"), (10**9, "nanoseconds")]
)
def test_times_in_a_finer_unit_are_told_from_seconds(per_second: int, unit: str) -> None:
    hint = unit_hint(1_704_067_200 * per_second, 60)
    assert f"looks like {unit}: write {60 * per_second}s for 60s" in hint
    assert unit_hint(1_704_067_200, 60) == ""
