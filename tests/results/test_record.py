"""Files of results are read as they were written, and refused in words where they are others."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from hybridhash.errors import FileAccessError, FileFormatError
from hybridhash.results import (
    Comparison,
    Sweep,
    from_json,
    read_record,
)

from .conftest import COMPARISON


def test_what_was_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    path.write_text(COMPARISON.to_json())
    assert read_record(Comparison, path) == COMPARISON
    assert json.loads(path.read_text())["methods"][0]["rce"] == [1.5, 2.0]


def test_parts_that_came_later_may_be_missing_and_others_are_passed_over(tmp_path: Path) -> None:
    content = json.loads(COMPARISON.to_json())
    for method in content["methods"]:
        del method["gauc"], method["bundle"]
        method["colour"] = "red"
    (tmp_path / "results.json").write_text(json.dumps(content))
    assert read_record(Comparison, tmp_path / "results.json") == COMPARISON


def test_another_format_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    path.write_text(COMPARISON.to_json())
    with pytest.raises(
        FileFormatError,
        match=r"expected format 'hybridhash-sweep/1', got 'hybridhash-results/1'; read it with the version that "
        r"wrote it, 1",
    ):
        read_record(Sweep, path)
    path.write_text("[1]")
    with pytest.raises(FileFormatError, match="got None"):
        read_record(Comparison, path)


def test_what_is_no_file_of_results_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileAccessError, match="cannot read it"):
        read_record(Comparison, tmp_path / "absent.json")
    (tmp_path / "broken.json").write_text("{")
    with pytest.raises(FileFormatError, match="expected a file of results in JSON"):
        read_record(Comparison, tmp_path / "broken.json")


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("data",), None, "in data: "),
        (("methods",), {}, "in methods: "),
        (("methods", 1, "name"), None, "in methods[1].name: "),
        (("methods", 1, "auc_mean"), "0.7", "in methods[1].auc_mean: "),
        (("methods", 0, "rows"), True, "in methods[0].rows: "),
        (("data", "features", 0, "curve", "rank"), [1], "expected as many ranks as shares, got 1 and 2"),
    ],
)
def test_a_broken_part_is_named(path: tuple[Any, ...], value: Any, message: str) -> None:
    content = json.loads(COMPARISON.to_json())
    part: Any = content
    for step in path[:-1]:
        part = part[step]
    part[path[-1]] = value
    with pytest.raises(FileFormatError, match=re.escape(message)):
        from_json(Comparison, content)
