from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridhash.data import TEST, TRAIN, VALIDATION, Split
from hybridhash.data.split import assign_parts
from hybridhash.errors import DataError, InvalidValueError


@pytest.mark.parametrize(
    "text", ["time:0.8", "time:86400s", "random:0.75", "column:fold", "column:fold=5", "column:a b=x=y"]
)
def test_a_split_survives_its_text(text: str) -> None:
    assert str(Split.parse(text)) == text
    assert Split.parse("time") == Split("time", 0.8)
    assert Split.parse("column:a b=x=y").value == "x=y"
    assert Split.parse('column:"a=b"" "=x') == Split("column", column='a=b" ', value="x")


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "times:0.8",
            "time:",
            "time:x",
            "time:0",
            "time:1",
            "random:1.1",
            "time:nan",
            "column",
            "column:=5",
        ),
        *("random:2h", "times:2h"),
    ],
)
def test_a_split_without_a_meaning_is_refused(text: str) -> None:
    with pytest.raises(InvalidValueError, match=r"write time:0\.8"):
        Split.parse(text)


def test_a_share_split_has_no_column() -> None:
    with pytest.raises(InvalidValueError, match="column"):
        Split("time", column="fold")
    with pytest.raises(InvalidValueError, match="column"):
        Split("random", value="5")


@given(
    st.lists(st.integers(0, 8), min_size=2, max_size=40), st.integers(1, 9), st.sampled_from([0.0, 0.1, 0.5])
)
def test_no_time_is_on_both_sides(values: list[int], tenths: int, validation_share: float) -> None:
    times = np.sort(np.array(values, dtype=np.float64))
    parts = np.empty(times.size, dtype=np.uint8)
    split = Split("time", tenths / 10)
    if len(set(values)) == 1:
        with pytest.raises(DataError, match="different times"):
            assign_parts(split, parts, times=times, validation_share=validation_share)
        return
    result = assign_parts(split, parts, times=times, validation_share=validation_share)
    assert (np.diff(parts.astype(int)) >= 0).all()
    by_part = [set(times[parts == part].tolist()) for part in (TRAIN, VALIDATION, TEST)]
    assert not by_part[0] & by_part[1] | by_part[1] & by_part[2] | by_part[0] & by_part[2]
    assert by_part[0]
    assert min(by_part[2]) == result.cut_time
    assert [result.num_train, result.num_validation, result.num_test] == np.bincount(
        parts, minlength=3
    ).tolist()
    # No other boundary between two times is nearer to the share.
    cut = int(np.count_nonzero(parts < TEST))
    boundaries = [int(b) for b in np.flatnonzero(np.diff(times)) + 1]
    target = max(times.size * tenths // 10, 1)
    assert abs(cut - target) == min(abs(b - target) for b in boundaries)


def test_a_time_split_by_hand() -> None:
    parts = np.empty(10, dtype=np.uint8)
    result = assign_parts(Split("time", 0.8), parts, times=np.arange(10.0), validation_share=0.25)
    assert parts.tolist() == [0] * 6 + [1] * 2 + [2] * 2
    assert (result.cut_time, result.note) == (8.0, "")
    result = assign_parts(Split("time", 0.8), parts, validation_share=0.25)
    assert parts.tolist() == [0] * 6 + [1] * 2 + [2] * 2
    assert "order of the rows" in result.note
    assert result.cut_time is None


def test_a_split_by_a_span() -> None:
    parts = np.empty(10, dtype=np.uint8)
    result = assign_parts(
        Split.parse("time:6min"), parts, times=7 + 60 * np.arange(10.0), validation_share=0.25
    )
    assert parts.tolist() == [0] * 4 + [1] * 2 + [2] * 4, "a row at the very end of the span is of the test"
    assert result.cut_time == 7 + 360
    with pytest.raises(DataError, match="split time:360s: expected a time column, got none"):
        assign_parts(Split.parse("time:6min"), parts)
    with pytest.raises(DataError, match=r"split time:600s: expected times beyond the span, got 540 s in all"):
        assign_parts(Split.parse("time:10min"), parts, times=60 * np.arange(10.0))
    for span_s in (0.0, -1.0, float("inf")):
        with pytest.raises(InvalidValueError, match="expected a span above 0 s"):
            Split("time", span_s=span_s)


def test_a_short_training_span_has_no_validation_and_says_so() -> None:
    parts = np.empty(2, dtype=np.uint8)
    result = assign_parts(Split("time", 0.5), parts, times=np.arange(2.0))
    assert parts.tolist() == [0, 2]
    assert "no validation" in result.note


def test_a_random_split_depends_on_the_row_and_the_seed() -> None:
    parts = np.empty(20_000, dtype=np.uint8)
    result = assign_parts(Split("random", 0.8), parts, validation_share=0.1, seed=4)
    # Binomial: 20,000 rows have a standard deviation of 57 at 0.8 and 36 at 0.072.
    assert abs(result.num_test - 4000) < 250
    assert abs(result.num_validation - 1600) < 200
    order = np.random.default_rng(0).permutation(20_000)
    again = np.empty_like(parts)
    assign_parts(Split("random", 0.8), again, rows=order, validation_share=0.1, seed=4)
    assert (again == parts[order]).all()
    other = np.empty_like(parts)
    assign_parts(Split("random", 0.8), other, validation_share=0.1, seed=5)
    assert (other != parts).any()


def test_a_column_split_keeps_its_validation_or_draws_it() -> None:
    parts = np.array([0, 1, 2, 0], dtype=np.uint8)
    assign_parts(Split("column", column="p"), parts, validation_share=0.5)
    assert parts.tolist() == [0, 1, 2, 0]
    parts = np.array([0] * 5000 + [2] * 10, dtype=np.uint8)
    result = assign_parts(Split("column", column="p"), parts, validation_share=0.5)
    assert 2300 < result.num_validation < 2700
    assert result.num_test == 10
    assert (parts[5000:] == TEST).all()


def test_a_named_validation_survives_its_text() -> None:
    split = Split.parse("column:fold=5", "column:part=x")
    assert split.validation == Split.parse("column:part=x")
    assert str(split) == "column:fold=5, validation column:part=x"


@pytest.mark.parametrize("text", ["time:0.8", "time:24h", "random:0.8"])
def test_a_named_validation_is_for_column_splits_only(text: str) -> None:
    with pytest.raises(InvalidValueError, match=r"validation: expected none with split (time|random)"):
        Split.parse(text, "column:fold=4")


@pytest.mark.parametrize("text", ["column:fold", "time:0.8", "random:0.8"])
def test_a_validation_without_a_value_is_refused(text: str) -> None:
    with pytest.raises(
        InvalidValueError, match=r"validation: expected a column and a value, .*column:NAME=VALUE"
    ):
        Split.parse("column:fold=5", text)


def test_a_validation_of_a_validation_is_refused() -> None:
    nested = Split.parse("column:fold=5", "column:fold=4")
    with pytest.raises(InvalidValueError, match="validation: expected a column and a value"):
        Split("column", column="fold", value="3", validation=nested)


def test_a_named_validation_is_not_drawn_and_not_empty() -> None:
    split = Split.parse("column:fold=5", "column:fold=4")
    parts = np.array([0] * 500 + [1] * 3 + [2] * 10, dtype=np.uint8)
    result = assign_parts(split, parts, validation_share=0.5)
    assert (result.num_train, result.num_validation, result.num_test) == (500, 3, 10)
    with pytest.raises(DataError, match="validation column:fold=4: expected rows with this value"):
        assign_parts(split, np.array([0] * 500 + [2] * 10, dtype=np.uint8), validation_share=0.5)


def test_empty_sides_are_refused() -> None:
    for values in ([0, 0], [2, 2]):
        with pytest.raises(DataError, match="check the column's values"):
            assign_parts(Split("column", column="p"), np.array(values, dtype=np.uint8), validation_share=0)
    with pytest.raises(DataError, match="got 1 row"):
        assign_parts(Split("time"), np.empty(1, dtype=np.uint8), times=np.zeros(1))
    with pytest.raises(DataError, match="more rows"):
        assign_parts(Split("random"), np.empty(1, dtype=np.uint8))
    for share in (-0.1, 1.0):
        with pytest.raises(InvalidValueError, match="validation_share"):
            assign_parts(Split("time"), np.empty(4, dtype=np.uint8), validation_share=share)


def test_the_real_sets_are_cut_as_their_description_says(
    real_data: Path, load: object, tmp_path: Path
) -> None:
    data = load(real_data / "movietweetings", format="movietweetings", columns=None)  # type: ignore[operator]
    assert data.num_rows == 141_695
    train = np.unique(np.concatenate(list(data.rows.keys_of("user", TRAIN, VALIDATION))))
    test = np.concatenate(list(data.rows.keys_of("user", TEST)))
    # "20 % of test rows have a user never seen, 11 % a movie never seen"
    assert round(float(np.mean(~np.isin(test, train))), 2) == 0.20
    train = np.unique(np.concatenate(list(data.rows.keys_of("movie", TRAIN, VALIDATION))))
    test = np.concatenate(list(data.rows.keys_of("movie", TEST)))
    assert round(float(np.mean(~np.isin(test, train))), 2) == 0.11
