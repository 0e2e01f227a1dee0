"""Every bad input: exit code 2, one line that names the place, no traceback, no half-written output."""

import gzip
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

HEADER = "user,site,price,clicked"
GOOD = [f"{index % 7},{'ab'[index % 2]},{index}.5,{index // 2 % 2}" for index in range(60)]
GIVEN = {
    "--label": "clicked",
    "--categorical": "user,site",
    "--numeric": "price",
    "--dim": "4",
    "--hidden": "8",
}
FLAGS = [part for flag in GIVEN.items() for part in flag]
COMMANDS = {
    "compare": ["--epochs=1", "--learning-rate=0.1", "--seeds", "1", "--method", "hashed"],
    "train": ["--epochs=1", "--learning-rate=0.1"],
    "profile": [],
}


def text_of(rows: list[str], header: str = HEADER) -> bytes:
    return "\n".join([header, *rows, ""]).encode()


def with_row(number: int, row: str) -> bytes:
    """The good rows with another one in place of this one, counted from 1 below the header."""
    return text_of([*GOOD[: number - 1], row, *GOOD[number:]])


BAD_FILES: dict[str, tuple[str, bytes, str]] = {
    "missing column": ("rows.csv", text_of(GOOD, "user,sight,price,clicked"), r"rows\.csv.*'site'.*'sight'"),
    "label 2": ("rows.csv", with_row(30, "1,a,1,2"), r"rows\.csv, row 30, column 'clicked'.*'2'"),
    "label text": ("rows.csv", with_row(30, "1,a,1,yes"), r"rows\.csv, row 30, column 'clicked'.*'yes'"),
    "label NaN": ("rows.csv", with_row(30, "1,a,1,nan"), r"rows\.csv, row 30, column 'clicked'.*'nan'"),
    "label missing": ("rows.csv", with_row(30, "1,a,1,"), r"rows\.csv, row 30, column 'clicked'.*null"),
    "labels all equal": (
        "rows.csv",
        text_of([row.rpartition(",")[0] + ",1" for row in GOOD]),
        r"rows\.csv.*'clicked'.*only 1",
    ),
    "empty file": ("rows.csv", b"", r"rows\.csv.*empty file"),
    "header only": ("rows.csv", text_of([]), r"rows\.csv.*header only"),
    "truncated gzip": ("rows.csv.gz", gzip.compress(text_of(GOOD * 50), mtime=0)[:-40], r"rows\.csv\.gz"),
    "too few fields": ("rows.csv", with_row(30, "1,a,1"), r"rows\.csv, line 31"),
    "infinite number": ("rows.csv", with_row(30, "1,a,inf,0"), r"rows\.csv, row 30, column 'price'.*'inf'"),
    "number in words": ("rows.csv", with_row(30, "1,a,ten,0"), r"rows\.csv, row 30, column 'price'.*'ten'"),
    "not UTF-8": ("rows.csv", with_row(30, "1,x,1,0").replace(b"x", b"\xff\xfe"), r"rows\.csv.*UTF-8"),
    "no Parquet": ("rows.parquet", b"PAR1 but no more", r"rows\.parquet"),
    "unknown ending": ("rows.doc", text_of(GOOD), r"rows\.doc.*'\.doc'"),
}


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("case", BAD_FILES)
def test_bad_data(run: Callable[..., Any], tmp_path: Path, command: str, case: str) -> None:
    name, content, message = BAD_FILES[case]
    (tmp_path / name).write_bytes(content)
    out = ["--out", tmp_path / "out"] if command != "profile" else []
    work = tmp_path / "work"
    work.mkdir()
    ended = run(command, tmp_path / name, *FLAGS, *COMMANDS[command], *out, "--work-dir", work)
    assert ended.code == 2
    assert re.search(message, ended.error), ended.error
    assert ended.out == ""
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([name, "work"])
    assert list(work.iterdir()) == []


def test_the_good_rows_are_good(run: Callable[..., Any], tmp_path: Path) -> None:
    """Guards the cases above: without the fault the same call goes through."""
    (tmp_path / "rows.csv").write_bytes(text_of(GOOD))
    for command, flags in COMMANDS.items():
        out = ["--out", tmp_path / f"out-{command}"] if command != "profile" else []
        assert run(command, tmp_path / "rows.csv", *FLAGS, *flags, "--budget", "60%", *out).code == 0


BAD_FLAGS: dict[str, tuple[list[str], str]] = {
    "unknown column in a flag": (["--categorical", "sight"], "'sight'.*did you mean 'site'"),
    "unknown time column": (["--time", "when"], "'when'"),
    "unknown weight column": (["--weight", "mass"], "'mass'"),
    "unknown cross": (["--cross", "user*sight"], "'sight'.*did you mean 'site'"),
    "label as a feature": (["--categorical", "clicked"], "'clicked' is the label"),
    "a list of numbers": (["--list", "absent"], "'absent'"),
    "no threshold": (["--label", "clicked>=high"], "expected a number behind '>='"),
    "budget below one row per feature": (["--budget", "59B"], "at least 60 bytes"),
    "budget over 100 %": (["--budget", "101%"], "at most 100%"),
    "no budget": (["--budget", "0%"], "at least one byte"),
    "budget in words": (["--budget", "small"], "'small'"),
    "unknown flag": (["--budgte", "10%"], "--budgte"),
    "a flag without its value": (["--budget"], "--budget"),
    "bad number": (["--dim", "four"], "--dim.*'?four'?"),
    "number out of range": (["--dim", "0"], "--dim: .*'0'"),
    "bad choice": (["--model", "tree"], "--model.*tree"),
    "bad split": (["--split", "time:2"], "split: .*2.0"),
    "unknown split": (["--split", "weekly"], "split: .*weekly"),
    "split column absent": (["--split", "column:fold"], "'fold'"),
    "validation of a split by time": (["--validation", "column:site=a"], "expected none with split time"),
    "validation without a value": (
        ["--split", "column:site=a", "--validation", "column:site"],
        "a column and a value",
    ),
    "unknown format": (["--format", "excel"], "--format.*excel"),
    "work folder absent": (["--work-dir", "/absent/folder"], "--work-dir.*/absent/folder"),
    "experiment file absent": (["--experiment", "/absent/x.toml"], "/absent/x.toml"),
}


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("case", [case for case in BAD_FLAGS if "below one row" not in case])
def test_bad_flags(run: Callable[..., Any], tmp_path: Path, command: str, case: str) -> None:
    flags, message = BAD_FLAGS[case]
    (tmp_path / "rows.csv").write_bytes(text_of(GOOD))
    out = ["--out", tmp_path / "out"] if command != "profile" else []
    others = [part for flag in GIVEN.items() if flag[0] != flags[0] for part in flag]
    ended = run(command, tmp_path / "rows.csv", *others, *COMMANDS[command], *out, *flags)
    assert ended.code == 2
    assert re.search(message, ended.error), ended.error
    assert ended.out == ""
    assert [path.name for path in tmp_path.iterdir()] == ["rows.csv"]


@pytest.mark.parametrize("command", ["compare", "train"])
def test_a_budget_below_one_row_per_feature(run: Callable[..., Any], tmp_path: Path, command: str) -> None:
    """A profile takes any budget: it is there to find one."""
    test_bad_flags(run, tmp_path, command, "budget below one row per feature")


@pytest.mark.parametrize("command", COMMANDS)
def test_no_data_no_label_no_features(run: Callable[..., Any], tmp_path: Path, command: str) -> None:
    (tmp_path / "rows.csv").write_bytes(text_of(GOOD))
    assert "expected one or more files" in run(command, *FLAGS).error
    assert "absent.csv: no such file" in run(command, tmp_path / "absent.csv", *FLAGS).error
    assert "matches none" in run(command, tmp_path / "*.tsv", *FLAGS).error
    assert "--label" in run(command, tmp_path / "rows.csv", "--categorical", "user").error
    assert "at least one feature" in run(command, tmp_path / "rows.csv", "--label", "clicked").error
    assert run(command).code == 2


def test_an_unknown_method(run: Callable[..., Any], tmp_path: Path) -> None:
    for command in ("compare", "train"):
        ended = run(command, tmp_path / "rows.csv", *FLAGS, "--method", "hybird")
        assert (ended.code, "'hybird'" in ended.error) == (2, True)


def test_an_output_that_cannot_be_written(run: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_bytes(text_of(GOOD))
    (tmp_path / "file").write_text("here already")
    for command, out in (
        ("compare", "file"),
        ("compare", "file/below"),
        ("train", "file/model.hh"),
        ("train", "."),
    ):
        ended = run(command, tmp_path / "rows.csv", *FLAGS, *COMMANDS[command], "--out", tmp_path / out)
        assert ended.code == 2
        assert str((tmp_path / out).parent if out == "file/model.hh" else tmp_path / out) in ended.error
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "rows.csv"]
    assert (tmp_path / "file").read_text() == "here already"


def test_bad_rows_are_skipped_and_counted_on_request(run: Callable[..., Any], tmp_path: Path) -> None:
    rows = [*GOOD, "1,a,1,2", "1,a,1,3", "1,a,inf,0", "1,a,1"]
    (tmp_path / "rows.csv").write_bytes(text_of(rows))
    for command, flags in COMMANDS.items():
        out = ["--out", tmp_path / f"out-{command}"] if command != "profile" else []
        given = [*FLAGS, *flags, "--budget", "60%", "--on-error", "skip"]
        ended = run(command, tmp_path / "rows.csv", *given, *out)
        assert ended.code == 0, ended.err
        [note] = [line for line in ended.err.splitlines() if line.startswith("note: skipped rows: ")]
        assert "2 (column 'clicked'" in note
        assert "1 (column 'price'" in note


@pytest.mark.parametrize("command", ["evaluate", "predict", "inspect"])
def test_a_damaged_model(
    run: Callable[..., Any], model: Path, clicks: Path, tmp_path: Path, command: str
) -> None:
    content = model.read_bytes()
    flipped = bytearray(content)
    flipped[len(content) // 2] ^= 1
    path = tmp_path / "model.hh"
    data = [] if command == "inspect" else [clicks]
    for damaged in (content[: len(content) // 2], content[:-1], bytes(flipped), b"", b"text, and no bundle"):
        path.write_bytes(damaged)
        ended = run(command, path, *data)
        assert ended.code == 2
        assert str(path) in ended.error
        assert ended.out == ""
    path.unlink()
    assert str(path) in run(command, path, *data).error


@pytest.mark.parametrize("command", ["evaluate", "predict"])
def test_rows_that_a_model_cannot_read(
    run: Callable[..., Any], model: Path, tmp_path: Path, command: str
) -> None:
    rows = tmp_path / "rows.csv"
    rows.write_text("user_id,ad_id,site,price,age,clicked\n1,2,a,3,4,1\n")
    assert "'tags'" in run(command, model, rows).error
    rows.write_text("user_id,ad_id,site,price,age,tags,clicked\n1,2,a,3,4,x|y,1\nfive,2,a,3,4,x,0\n")
    ended = run(command, model, rows)
    assert ended.code == 2
    assert "row 2, column 'user_id'" in ended.error
    assert "one or more files" in run(command, model).error
