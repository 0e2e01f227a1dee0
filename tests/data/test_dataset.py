from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hybridhash.data import TEST, TRAIN, VALIDATION, Columns, Dataset, Label, Split
from hybridhash.errors import DataError, InvalidValueError
from hybridhash.hashing import cross_keys, hash_keys, null_key

Write = Callable[..., Path]
Load = Callable[..., Dataset]


def test_a_click_log_by_hand(write: Write, load: Load, clicks: list[str], columns: Columns) -> None:
    data = load(write(clicks), columns=replace(columns, crosses=("user_id*site",)), num_bins=4)
    assert data.schema.names == ("user_id", "site", "price", "tags", "user_id*site")
    assert [feature.dtype for feature in data.schema.features] == [
        "string",
        "string",
        "float",
        "string",
        "key",
    ]
    users = hash_keys([f"{row % 5:03d}" for row in range(20)], "user_id")
    sites = hash_keys([f"s{row % 3}" for row in range(20)], "site")
    assert data.rows.singles[:, 0].tolist() == users.tolist()
    assert data.rows.singles[:, 1].tolist() == sites.tolist()
    assert data.rows.singles[:, 3].tolist() == cross_keys([users, sites], "user_id*site").tolist()
    # 16 rows train (8 times of two rows each): prices 0 to 3.75, whose quarters end at 0.75, 1.75, 2.75.
    assert data.discretiser.edges["price"].tolist() == [0.75, 1.75, 2.75]
    bins = [min(row // 4, 3) for row in range(20)]
    assert data.rows.singles[:, 2].tolist() == hash_keys(bins, "price").tolist()
    tags = [tag for row in range(20) for tag in (["a", "b"] if row % 2 else ["c"])]
    assert data.rows.lists[0].keys.tolist() == hash_keys(tags, "tags").tolist()
    assert data.rows.labels.tolist() == [int(row % 3 == 0) for row in range(20)]
    assert data.rows.part.tolist() == [TRAIN] * 14 + [VALIDATION] * 2 + [TEST] * 4
    assert (data.num_rows, data.num_positives, data.skipped) == (20, 7, {})
    assert data.split.cut_time == 1008.0
    assert str(data.label) == "clicked"


def test_csv_and_parquet_of_the_same_strings_have_the_same_keys(
    write: Write, load: Load, clicks: list[str], tmp_path: Path
) -> None:
    names = clicks[0].split(",")
    values = list(zip(*(line.split(",") for line in clicks[1:]), strict=True))
    table = pa.table(dict(zip(names, map(list, values), strict=True)))
    table = table.set_column(3, "tags", pa.array([text.split("|") for text in values[3]]))
    pq.write_table(table, tmp_path / "clicks.parquet")
    packed = load(tmp_path / "clicks.parquet")
    text = load(write(clicks), work_dir=tmp_path / "text")
    zipped = load(
        write([line.replace(",", "\t") for line in clicks], "clicks.tsv"), work_dir=tmp_path / "tsv"
    )
    for other in (text, zipped):
        assert (packed.rows.singles == other.rows.singles).all()
        assert (packed.rows.lists[0].keys == other.rows.lists[0].keys).all()
        assert packed.schema == other.schema


def test_integers_in_parquet_stay_integers(load: Load, tmp_path: Path) -> None:
    table = pa.table(
        {
            "id": pa.array([None, 2**63 + 5, 3] * 4, pa.uint64()),
            "flag": pa.array([True, None, False] * 4),
            "ids": pa.array([[1, None], None, []] * 4, pa.list_(pa.int32())),
            "kind": pa.array(["x", None, "y"] * 4).dictionary_encode(),
            "y": [0, 1] * 6,
        }
    )
    pq.write_table(table, tmp_path / "a.parquet")
    columns = Columns(Label("y"), ("id", "flag", "kind"), lists=("ids",))
    data = load(tmp_path / "a.parquet", columns=columns, validation_share=0)
    assert [feature.dtype for feature in data.schema.features] == ["int", "int", "string", "int"]
    assert data.rows.singles[:3, 0].tolist() == hash_keys([None, 2**63 + 5, 3], "id").tolist()
    assert data.rows.singles[:3, 1].tolist() == hash_keys([1, None, 0], "flag").tolist()
    assert data.rows.singles[:3, 2].tolist() == hash_keys(["x", None, "y"], "kind").tolist()
    [bags] = data.rows.lists
    assert bags.offsets is not None
    assert bags.offsets[:4].tolist() == [0, 2, 3, 3]
    null = null_key("ids")
    assert bags.keys[:3].tolist() == [hash_keys([1], "ids")[0], null, null]


def test_nulls_are_values_of_their_own(write: Write, load: Load) -> None:
    lines = ["a,n,l,y"] + [",,,0", "x,nan,p||q,1"] * 6
    data = load(write(lines), columns=Columns(Label("y"), ("a",), ("n",), ("l",)))
    assert data.rows.singles[0].tolist() == [null_key("a"), null_key("n")]
    assert data.rows.singles[1].tolist() == [hash_keys(["x"], "a")[0], null_key("n")]
    [bags] = data.rows.lists
    pq_keys = hash_keys(["p", None, "q"], "l").tolist()
    assert bags.keys[:4].tolist() == [null_key("l"), *pq_keys]


def test_names_may_hold_anything(write: Write, load: Load) -> None:
    names = ['a"b', "sélect ; --", "x.y", "it's", "{raw}", "label", "f0"]
    quoted = ",".join('"' + name.replace('"', '""') + '"' for name in names)
    lines = [quoted] + [f"{row},{row},{row / 2},a|b,{row},{row % 2},{row}" for row in range(12)]
    columns = Columns(Label("label"), (names[0], names[1], "f0"), ("x.y",), ("it's",), time="{raw}")
    data = load(write(lines), columns=columns)
    assert data.rows.singles[:, 0].tolist() == hash_keys([str(row) for row in range(12)], names[0]).tolist()
    assert data.rows.singles[:, 2].tolist() == hash_keys([str(row) for row in range(12)], "f0").tolist()
    lines[3] = "1,1,inf,a,1,0,2"
    with pytest.raises(DataError, match=r"row 3, column 'x\.y'"):
        load(write(lines), columns=columns)


@pytest.mark.parametrize("split", ["time:0.8", "random:0.5", "column:fold=5"])
def test_the_test_span_teaches_nothing(
    write: Write, load: Load, clicks: list[str], columns: Columns, split: str, tmp_path: Path
) -> None:
    lines = [clicks[0] + ",fold"] + [f"{line},{row % 5 + 1}" for row, line in enumerate(clicks[1:])]
    data = load(write(lines), columns=columns, split=Split.parse(split))
    poisoned = list(lines)
    for row in data.rows.indices(TEST).tolist():  # the click log is in the order of time
        fields = poisoned[row + 1].split(",")
        fields[0], fields[2] = "evil", "1000000"
        poisoned[row + 1] = ",".join(fields)
    other = load(write(poisoned), columns=columns, split=Split.parse(split), work_dir=tmp_path / "other")
    assert data.rows.part.tolist() == other.rows.part.tolist()
    assert data.discretiser.edges["price"].tolist() == other.discretiser.edges["price"].tolist()
    train = data.rows.indices(TRAIN, VALIDATION)
    assert (data.rows.singles[train] == other.rows.singles[train]).all()
    fields = poisoned[int(train[0]) + 1].split(",")
    poisoned[int(train[0]) + 1] = ",".join([*fields[:2], "1000000", *fields[3:]])
    third = load(write(poisoned), columns=columns, split=Split.parse(split), work_dir=tmp_path / "third")
    assert data.discretiser.edges["price"].tolist() != third.discretiser.edges["price"].tolist()


def test_a_column_says_the_parts(write: Write, load: Load) -> None:
    lines = ["a,p,y", "x,train,0", "x,Train,1", "x,validation,0", "x,test,1", "x,test,0"]
    columns = Columns(Label("y"), ("a",))
    data = load(write(lines), columns=columns, split=Split.parse("column:p"))
    assert data.rows.part.tolist() == [0, 0, 1, 2, 2]
    zeros = [line.replace("Train", "0").replace("train", "0").replace("validation", "0").replace("test", "1")
             for line in lines]  # fmt: skip
    data = load(write(zeros), columns=columns, split=Split.parse("column:p"), validation_share=0)
    assert data.rows.part.tolist() == [0, 0, 0, 2, 2]
    lines[2] = "x,maybe,1"
    with pytest.raises(DataError, match="row 2, column 'p': expected train, test or validation"):
        load(write(lines), columns=columns, split=Split.parse("column:p"))
    with pytest.raises(DataError, match="to test on, got 4 and 0 of 5"):
        load(write(zeros), columns=columns, split=Split.parse("column:p=9"))
    with pytest.raises(DataError, match="expected a column 'q'"):
        load(write(zeros), columns=columns, split=Split.parse("column:q=9"))


def test_a_number_in_the_split_is_a_number_in_the_column(load: Load, tmp_path: Path) -> None:
    pq.write_table(
        pa.table({"a": ["x"] * 6, "fold": [1.0, 1, 2, 2, 5, 5], "y": [0, 1] * 3}), tmp_path / "a.parquet"
    )
    data = load(
        tmp_path / "a.parquet", columns=Columns(Label("y"), ("a",)), split=Split.parse("column:fold=5")
    )
    assert data.rows.indices(TEST).tolist() == [4, 5]


def test_one_label_only_is_refused(write: Write, load: Load, clicks: list[str]) -> None:
    zeros = [clicks[0]] + [line[:-1] + "0" for line in clicks[1:]]
    with pytest.raises(
        DataError, match=r"clicks\.csv, label 'clicked': expected both 0 and 1, got only 0 in 20 rows"
    ):
        load(write(zeros))
    ones = [clicks[0]] + [line[:-1] + "1" for line in clicks[1:]]
    with pytest.raises(DataError, match="got only 1"):
        load(write(ones))
    late = [*zeros[:-1], zeros[-1][:-1] + "1"]
    with pytest.raises(DataError, match="both labels in the training span, got only 0"):
        load(write(late))
    early = [zeros[0], zeros[1][:-1] + "1", *zeros[2:]]
    with pytest.raises(DataError, match="both labels in the test, got only 0"):
        load(write(early))


@pytest.mark.parametrize(
    ("kind", "column", "message"),
    [
        ("categorical", "x", "DOUBLE; declare it as numeric"),
        ("categorical", "day", "DATE; cast it"),
        ("categorical", "ids", "declare it as a list"),
        ("numeric", "day", "expected numbers, got DATE"),
        ("lists", "n", "BIGINT; declare it as categorical"),
        ("lists", "xs", r"DOUBLE\[\]; cast it|DOUBLE\[\]; declare it"),
    ],
)
def test_a_column_of_the_wrong_type(load: Load, tmp_path: Path, kind: str, column: str, message: str) -> None:
    table = pa.table(
        {
            "x": [1.5] * 4,
            "day": pa.array([1] * 4, pa.date32()),
            "ids": [[1]] * 4,
            "xs": [[1.5]] * 4,
            "n": [1] * 4,
            "y": [0, 1] * 2,
        }
    )
    pq.write_table(table, tmp_path / "a.parquet")
    with pytest.raises(DataError, match=rf"a\.parquet, column '{column}': .*{message}"):
        load(tmp_path / "a.parquet", columns=Columns(Label("y"), **{kind: (column,)}))  # type: ignore[arg-type]


def test_the_same_seed_gives_the_same_rows(
    write: Write, load: Load, clicks: list[str], tmp_path: Path
) -> None:
    path = write(clicks)
    one, two, three = (
        load(path, split=Split("random"), seed=seed, work_dir=tmp_path / name)
        for seed, name in ((1, "a"), (1, "b"), (2, "c"))
    )
    assert (one.rows.singles == two.rows.singles).all()
    assert (one.rows.part == two.rows.part).all()
    assert (one.rows.singles != three.rows.singles).all()


def test_the_work_directory_holds_the_arrays_and_nothing_else(
    write: Write, load: Load, clicks: list[str], tmp_path: Path
) -> None:
    data = load(write(clicks), extra=("price",))
    names = {path.name for path in (tmp_path / "work").iterdir()}
    assert names == {
        "label.npy", "list0_keys.npy", "list0_offsets.npy", "part.npy", "singles.npy", "time.npy", "x0.npy"
    }  # fmt: skip
    assert (np.load(tmp_path / "work" / "singles.npy") == data.rows.singles).all()
    assert data.rows.extra["price"].tolist() == [row / 4 for row in range(20)]


def test_progress_is_told(write: Write, load: Load, clicks: list[str]) -> None:
    told: list[tuple[str, int, int | None]] = []
    load(write(clicks), progress=lambda *news: told.append(news))
    assert ("read", 100, 100) in told
    assert told[-2:] == [("discretise", 1, 1), ("encode", 20, 20)]


def test_arguments_out_of_range(write: Write, load: Load, clicks: list[str], columns: Columns) -> None:
    path = write(clicks)
    for wrong in (None, replace(columns, label=None)):
        with pytest.raises(InvalidValueError, match="expected features and a label"):
            load(path, columns=wrong)
    with pytest.raises(InvalidValueError, match="num_bins"):
        load(path, num_bins=1)
    with pytest.raises(InvalidValueError, match="validation_share"):
        load(path, validation_share=1.0)


def test_a_work_directory_that_is_a_file(write: Write, load: Load, clicks: list[str]) -> None:
    path = write(clicks)
    with pytest.raises(DataError, match="work directory"):
        load(path, work_dir=path)


def test_a_failed_reading_leaves_nothing(write: Write, load: Load, clicks: list[str], tmp_path: Path) -> None:
    with pytest.raises(DataError, match="row 20"):
        load(write([*clicks[:-1], clicks[-1][:-1] + "9"]))
    assert list((tmp_path / "work").iterdir()) == []


def test_a_span_over_milliseconds_says_what_was_meant_and_the_advice_works(write: Write, load: Load) -> None:
    lines = [f"u{row % 9},{row * 7 % 3 % 2},{1704067200000 + 100 * row}" for row in range(4_000)]
    path, columns = write(["u,y,ts", *lines]), Columns(Label("y"), ("u",), time="ts")
    meant = "1704067200[0-9]* looks like milliseconds: write 60000s for 60s"
    with pytest.raises(DataError, match=f"expected both labels in the training span.*{meant}"):
        load(write(["u,y,ts", *(line.replace(",1,", ",0,") for line in lines[:9]), *lines[9:]]), columns=columns,
             split=Split.parse("time:1min"))  # fmt: skip
    assert "looks like milliseconds" in load(path, columns=columns, split=Split.parse("time:1h")).note
    data = load(path, columns=columns, split=Split.parse("time:60000s"))
    assert (data.rows.part < 2).sum() == 600
