import json
import math
import re
import stat
import subprocess
import sys
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from hybridhash.errors import FileAccessError, FileFormatError
from hybridhash.report import read_results, render_html, write_report
from hybridhash.report.page import headline

Results = dict[str, Any]
_VOID = {"meta", "link", "br", "img", "hr", "input"}


class Reader(HTMLParser):
    """Collects tags, ids and the rows of tables; fails on tags that do not match."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.rows: list[list[str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        self.ids += [value or "" for name, value in attrs if name == "id"]
        if tag not in _VOID:
            self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in _VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in ("td", "th"):
            self.rows[-1][-1] += data


def read(page: str) -> Reader:
    reader = Reader()
    reader.feed(page)
    reader.close()
    assert not reader.open
    return reader


def test_it_holds_every_method_and_figure(results: Results) -> None:
    page = read(render_html(results))
    for name in ("full", "baseline", "hashed", "double", "frequency"):
        assert any(row[0] == name for row in page.rows)
    assert page.tags.count("svg") == 3
    assert len(page.ids) == len(set(page.ids))
    hybrid = next(row for row in page.rows if row[0] == "hybrid ★")
    assert hybrid[:7] == ["hybrid ★", "21,000", "445 kB", "10.0%", "17.53 ± 0.15", "0.7698", "0.5136"]


def test_its_tables_hold_the_mapping(results: Results) -> None:
    rows = read(render_html(results)).rows
    ledger = next(row for row in rows if row[0] == "tail rows")
    assert ledger[1:] == [f"{method['embedding_bytes'] // 2:,}" for method in results["methods"]]
    total = next(row for row in rows if row[0] == "all parts")
    assert total[-1] == f"{sum(results['methods'][-1]['ledger'].values()):,}"
    assert ["user_id", "categorical", "8", "12", "2", "4.1%", "80.0%", "95.0%", "100.0%"] in rows
    assert ["learning_rate", *["0.05"] * 6] in rows
    assert ["hybrid", "62.00%", "61.00%", "33.00%", "34.00%", "5.00%", "5.00%"] in rows
    assert ["exported model", *(f"{method['name']}.hh" for method in results["methods"])] in rows


def test_label_and_note_are_shown_where_there_are_any(results: Results) -> None:
    assert "<dt>label</dt>" not in render_html(results)
    results["data"].update(label="rating>=8", note="the split falls on <one> second")
    text = render_html(results)
    assert "<dt>label</dt><dd>rating&gt;=8</dd>" in text
    assert '<p class="note">the split falls on &lt;one&gt; second</p>' in text


def test_it_needs_nothing_else(results: Results) -> None:
    text = render_html(results)
    page = read(text)
    assert not {"script", "link", "img", "iframe", "object"} & set(page.tags)
    for name, value in page.attributes:
        if name in ("href", "src", "xlink:href"):
            assert (value or "").startswith("#")
    assert "@import" not in text
    assert not re.search(r"url\((?!#)", text)


def test_data_is_escaped(results: Results) -> None:
    attack = '<script>alert("1")</script>'
    results["data"]["source"] = results["command"] = attack
    results["data"]["features"][0]["name"] = attack
    results["data"]["features"][0]["kind"] = attack
    results["methods"][2]["name"] = attack
    results["methods"][2]["settings"] = {attack: attack}
    results["methods"][2]["ledger"] = {attack: 1}
    results["machine"]["cpu"] = attack
    text = render_html(results)
    page = read(text)
    assert "script" not in page.tags
    assert any(row[0] == attack for row in page.rows)


def test_the_same_results_give_the_same_bytes(results: Results, tmp_path: Path) -> None:
    here = render_html(results)
    assert render_html(results) == here
    (tmp_path / "results.json").write_text(json.dumps(results))
    program = (
        "import json, pathlib, sys; from hybridhash.report import write_report; "
        "write_report(json.loads(pathlib.Path('results.json').read_text()), 'report.html')"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", program], cwd=tmp_path, check=True)
    assert (tmp_path / "report.html").read_text(encoding="utf-8") == here


def test_many_features(results: Results, make_feature: Callable[[int, str], Results]) -> None:
    results["data"]["features"] = [make_feature(index, f"C{index}") for index in range(39)]
    rows = read(render_html(results)).rows
    assert {f"C{index}" for index in range(39)} <= {row[0] for row in rows}


def test_a_single_method_one_seed_and_unknown_numbers(results: Results) -> None:
    (method,) = results["methods"] = results["methods"][-1:]
    method.update(rce=[17.5], rce_mean=17.5, rce_std=0.0, auc_mean=math.nan, train_s=None, collisions=None)
    results["data"].update(best_reachable_rce=None, positives=None, features=[])
    page = read(render_html(results))
    row = next(row for row in page.rows if row[0] == "hybrid")
    assert row[4:6] == ["17.50", "–"]
    assert page.tags.count("svg") == 1


def test_no_number_at_all_still_gives_a_page(results: Results) -> None:
    for method in results["methods"]:
        method.update(rce=[None], rce_mean=math.nan, rce_std=None, collisions=None, ledger={}, settings={})
    results["data"]["features"] = []
    page = read(render_html(results))
    assert "svg" not in page.tags
    assert headline(read_results(results)) == "No compressed method gave a result."


def test_the_headline_says_what_came_out(results: Results) -> None:
    text = headline(read_results(results)).replace("\N{NO-BREAK SPACE}", " ")
    assert text == (
        "At 445 kB, 10.0% of the baseline, hybrid reaches an RCE of 17.53 ± 0.15; full reaches 17.83 ± 0.15 "
        "with 2.72 MB. The lead over frequency is 5.43, more than the spread of the seeds."
    )


@pytest.mark.parametrize(("mean", "verdict"), [(17.2, "more than the spread"), (17.4, "within the spread")])
def test_a_lead_within_the_spread_is_no_lead(results: Results, mean: float, verdict: str) -> None:
    results["methods"][4].update(rce_mean=mean, rce_std=0.1)  # hybrid: 17.53 with 0.15
    assert verdict in headline(read_results(results))


def test_one_seed_knows_no_spread(results: Results) -> None:
    for method in results["methods"]:
        method.update(rce=method["rce"][:1], rce_std=0.0)
    assert "with one seed it is not known" in headline(read_results(results))


def test_without_full_the_baseline_is_the_measure(results: Results) -> None:
    results["methods"] = [method for method in results["methods"] if method["name"] in ("baseline", "hybrid")]
    text = headline(read_results(results)).replace("\N{NO-BREAK SPACE}", " ")
    assert text.endswith("; baseline reaches 17.33 ± 0.15 with 4.46 MB.")


def test_the_file_is_whole_and_alone(results: Results, tmp_path: Path) -> None:
    target = tmp_path / "report.html"
    target.write_text("old")
    write_report(results, target)
    assert target.read_text(encoding="utf-8") == render_html(results)
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]
    plain = tmp_path / "plain"
    plain.touch()
    assert stat.S_IMODE(target.stat().st_mode) == stat.S_IMODE(plain.stat().st_mode)


def test_a_place_that_cannot_be_written_is_an_error_and_leaves_nothing(
    results: Results, tmp_path: Path
) -> None:
    with pytest.raises(FileAccessError, match=r"missing.*cannot be written"):
        write_report(results, tmp_path / "missing" / "report.html")
    (tmp_path / "folder").mkdir()
    with pytest.raises(FileAccessError, match="folder: cannot be written"):
        write_report(results, tmp_path / "folder")
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def test_bad_results_leave_the_old_report(results: Results, tmp_path: Path) -> None:
    target = tmp_path / "report.html"
    target.write_text("old")
    results["format"] = "other"
    with pytest.raises(FileFormatError, match="got 'other'"):
        write_report(results, target)
    assert target.read_text() == "old"


def test_notes_and_what_diverged_stand_on_the_page(results: dict[str, Any]) -> None:
    results["data"]["note"] = "split by the order of the rows"
    results["notes"] = ["the budget buys <no> head"]
    results["methods"][-1].update(rce=[17.4], rce_mean=None, diverged=["seed 2: training diverged"])
    page = render_html(results)
    for note in (
        "split by the order of the rows",
        "the budget buys &lt;no&gt; head",
        "hybrid: seed 2: training diverged",
    ):
        assert f'<p class="note">{note}</p>' in page
    assert "hybrid 17" not in page, "what diverged has no mark in the figure"
