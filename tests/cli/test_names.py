"""Names of columns are text: nothing in them is read as markup, emoji, a separator or a comparison."""

import json
import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

Run = Callable[..., Any]
QUICK = ["--epochs", "1", "--learning-rate", "0.1", "--budget", "100%", "--dim", "4", "--hidden", "4"]
MARKUP = [
    "price[usd]",
    "[red]",
    "a[/b]",
    ":smile:",
    "[bold]x[/bold]",
    "$x_1$",
    "a  b",
    "{task}",
    "%s",
    "<b>",
    "\\[x]",
]


def write(path: Path, *names: str, label: str = "y", time: str = "ts") -> Path:
    """A table of 400 rows in which every named column holds ids."""
    columns = {name: [row * 7 % (30 + place) for row in range(400)] for place, name in enumerate(names)}
    pq.write_table(
        pa.table({**columns, label: [row * 3 % 7 % 2 for row in range(400)], time: range(400)}), path
    )
    return path


def test_names_are_printed_as_they_are(run: Run, tmp_path: Path) -> None:
    data = write(tmp_path / "rows.parquet", *MARKUP)
    given = [data, "--label", "y", "--categorical", ",".join(MARKUP), "--time", "ts"]
    model = tmp_path / "m.hh"
    profiled, planned = run("profile", *given), run("plan", *given, *QUICK)
    assert run("train", *given, *QUICK, "--out", model).code == 0
    inspected = run("inspect", model)
    for ended in (profiled, planned, inspected):
        assert ended.code == 0, ended.err
        for name in MARKUP:
            assert name in ended.out
    features = ", ".join(f"{name} (categorical, int)" for name in MARKUP)
    assert f"features: {features}\n" in inspected.out


def test_a_path_is_printed_as_it_is(run: Run, clicks: Path, model: Path, tmp_path: Path) -> None:
    out = tmp_path / "[red]:smile:.csv"
    ended = run("predict", model, clicks, "--out", out)
    assert (ended.code, ended.err) == (0, f"written: {out}, 1,200 rows\n")


def test_an_error_keeps_the_spaces_of_a_name(run: Run, tmp_path: Path) -> None:
    data = write(tmp_path / "rows.parquet", "a  b")
    error = run("profile", data, "--label", "y", "--categorical", "a  c").error
    assert "'a  c'; did you mean 'a  b'?" in error.replace(", found none of that name", "")


PADDED = "user, ad, y, ts\n" + "".join(f"u{row % 7},{row % 9},{row % 2},{row}\n" for row in range(100))


def features(run: Run, *arguments: Any) -> list[str]:
    ended = run("profile", *arguments, "--json")
    assert ended.code == 0, ended.err
    return [row["name"] for row in json.loads(ended.out)["features"]]


def test_names_that_begin_with_a_space(run: Run, tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text(PADDED)
    (tmp_path / "e.toml").write_text('label = " y"\ncategorical = ["user", " ad"]\ntime = " ts"\n')
    data, rest = tmp_path / "log.csv", ("--label", " y", "--time", " ts")
    for given in ("user, ad", 'user," ad"', '"user"," ad"'):
        assert features(run, data, "--categorical", given, *rest) == ["user", " ad"]
    assert features(run, data, "--categorical", "user", "--categorical", " ad", *rest) == ["user", " ad"]
    assert features(run, data, "--experiment", tmp_path / "e.toml") == ["user", " ad"]


def test_spaces_around_names_that_have_none(run: Run, tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text(PADDED.replace(", ", ","))
    given = ("--label", " y", "--categorical", " user , ad ", "--cross", "user * ad", "--time", "ts")
    assert features(run, tmp_path / "log.csv", *given) == ["user", "ad", "user * ad"]


@pytest.mark.parametrize("name", ["price, eur", 'five" screen', '"all"', "a*b", " ,", "x>=3"])
def test_names_that_hold_what_separates(run: Run, tmp_path: Path, name: str) -> None:
    data = write(tmp_path / "rows.parquet", name, "other", label=f"{name} y", time=f"{name} ts")
    quoted = '"' + name.replace('"', '""') + '"'
    label = ("--label", f'{quoted[:-1]} y"==1', "--time", f"{name} ts")
    (tmp_path / "e.toml").write_text(
        f"data = {json.dumps([str(data)])}\ncategorical = {json.dumps([name, 'other'])}\n"
    )
    assert features(run, data, "--categorical", f"other,{quoted}", *label) == ["other", name]
    assert features(run, "--experiment", tmp_path / "e.toml", *label) == [name, "other"]
    cross = ("--cross", f"{quoted}*other,other*{quoted}")
    found = features(run, "--experiment", tmp_path / "e.toml", *label, *cross)
    assert found == [name, "other", f"{quoted}*other", f"other*{quoted}"]
    split = ("--split", f"column:{quoted}=3", "--validation", f"column:{quoted}=4")
    ended = run("profile", "--experiment", tmp_path / "e.toml", *label, *split, "--json")
    assert ended.code == 0, ended.err
    assert json.loads(ended.out)["test_rows"] == 14  # row * 7 % 30 is 3 in rows 9, 39, ..., 399


@pytest.mark.parametrize(
    ("name", "typed"), [(" ad", "adx"), ("ad ", "adx"), ("price, eur", "price eur"), ('"ad"', "ad")]
)
def test_a_suggestion_can_be_typed(run: Run, tmp_path: Path, name: str, typed: str) -> None:
    """In a flag as the error writes it, and in an experiment file as the name is."""
    data = write(tmp_path / "rows.parquet", name)
    rest = ("--label", "y", "--time", "ts")
    error = run("profile", data, "--categorical", typed, *rest).error
    suggested = re.search(r"did you mean '(.*?)'(?: \(in a flag: '(.*?)'\))?\?", error)
    assert suggested is not None, error
    assert suggested[1] == name
    assert features(run, data, "--categorical", suggested[2] or suggested[1], *rest) == [name]


@pytest.mark.parametrize("wrong", ['"ad', '"a"d', 'user,"a""'])
def test_quotes_that_do_not_close_are_refused(run: Run, tmp_path: Path, wrong: str) -> None:
    data = write(tmp_path / "rows.parquet", "ad")
    error = run("profile", data, "--label", "y", "--categorical", wrong, "--time", "ts").error
    assert "--categorical: names: expected a name in double quotes" in error


def test_a_plan_of_odd_names_is_an_experiment(run: Run, tmp_path: Path) -> None:
    names = ("price, eur", " ad", "a*b", ":smile:")
    data, out = write(tmp_path / "rows, all.parquet", *names), tmp_path / "plan it.toml"
    typed = ",".join(f'"{name}"' for name in names)
    given = ("--label", "y", "--time", "ts", "--cross", '"a*b"*:smile:', *QUICK)
    ended = run("plan", data, "--categorical", typed, *given, "--out", out)
    assert ended.code == 0, ended.err
    [line] = [line for line in ended.out.splitlines() if line.startswith("written: ")]
    command = shlex.split(line[line.index("(") + 1 : -1])
    assert run(*command[1:], "--seeds", "1", "--out", tmp_path / "out").code == 0
    results = json.loads((tmp_path / "out" / "results.json").read_text())
    assert [row["name"] for row in results["data"]["features"]] == [*names, '"a*b"*:smile:']
