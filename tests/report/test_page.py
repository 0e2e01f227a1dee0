import re
import stat
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from hybridhash.errors import FileAccessError
from hybridhash.report import render_html, write_report
from hybridhash.report.page import headline
from hybridhash.results import Comparison, DataFacts, Feature

from .conftest import changed, settings_of

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
        if {"td", "th"} & set(self.open):
            self.rows[-1][-1] += data


def read(page: str) -> Reader:
    reader = Reader()
    reader.feed(page)
    reader.close()
    assert not reader.open
    return reader


def test_it_holds_every_method_and_figure(results: Comparison) -> None:
    page = read(render_html(results))
    for name in ("full", "baseline", "hashed", "double", "frequency"):
        assert any(row[0] == name for row in page.rows)
    assert page.tags.count("svg") == 3
    assert len(page.ids) == len(set(page.ids))
    hybrid = next(row for row in page.rows if row[0] == "hybrid ★")
    assert hybrid[:7] == ["hybrid ★", "17.53 ± 0.15", "445 kB", "10.0%", "0.7698", "0.5136", "21,000"]


def test_its_tables_hold_the_figures(results: Comparison) -> None:
    rows = read(render_html(results)).rows
    ledger = next(row for row in rows if row[0] == "tail rows")
    assert ledger[1:] == [f"{method.embedding_bytes // 2:,}" for method in results.methods]
    total = next(row for row in rows if row[0] == "whole file")
    assert total[-1] == f"{results.methods[-1].file_bytes:,}"
    assert ["user_id", "categorical", "8", "12", "2", "4.1%", "80.0%", "95.0%", "100.0%"] in rows
    assert ["learning rate", *["0.05"] * 6] in rows
    assert ["hybrid", "62.00%", "61.00%", "33.00%", "34.00%", "5.00%", "5.00%"] in rows
    assert ["exported model", *(f"{method.name}.hh" for method in results.methods)] in rows


def test_label_and_note_are_shown(results: Comparison, data: DataFacts) -> None:
    noted = replace(data, label="rating>=8", note="the split falls on <one> second")
    text = render_html(replace(results, data=noted))
    assert "<dt>label</dt><dd>rating&gt;=8</dd>" in text
    assert '<p class="note">the split falls on &lt;one&gt; second</p>' in text


def test_it_needs_nothing_else(results: Comparison) -> None:
    text = render_html(results)
    page = read(text)
    assert not {"script", "link", "img", "iframe", "object"} & set(page.tags)
    for name, value in page.attributes:
        if name in ("href", "src", "xlink:href"):
            assert (value or "").startswith("#")
    assert "@import" not in text
    assert not re.search(r"url\((?!#)", text)


def test_data_is_escaped(results: Comparison, data: DataFacts) -> None:
    attack = '<script>alert("1")</script>'
    features = (replace(data.features[0], name=attack, kind=attack), *data.features[1:])
    attacked = replace(
        changed(results, 2, name=attack, settings=settings_of(optimizer=attack)),
        command=attack,
        data=replace(data, source=attack, features=features),
        machine=replace(results.machine, cpu=attack),
    )
    text = render_html(attacked)
    page = read(text)
    assert "script" not in page.tags
    assert any(row[0] == attack for row in page.rows)


def test_the_same_results_give_the_same_bytes(results: Comparison, tmp_path: Path) -> None:
    here = render_html(results)
    assert render_html(results) == here
    (tmp_path / "results.json").write_text(results.to_json())
    program = (
        "from hybridhash.report import write_report; from hybridhash.results import Comparison, read_record; "
        "write_report(read_record(Comparison, 'results.json'), 'report.html')"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", program], cwd=tmp_path, check=True)
    assert (tmp_path / "report.html").read_text(encoding="utf-8") == here


def test_many_features(
    results: Comparison, data: DataFacts, make_feature: Callable[[int, str], Feature]
) -> None:
    features = tuple(make_feature(index, f"C{index}") for index in range(39))
    rows = read(render_html(replace(results, data=replace(data, features=features)))).rows
    assert {f"C{index}" for index in range(39)} <= {row[0] for row in rows}


def test_a_single_method_one_seed_and_unknown_numbers(results: Comparison, data: DataFacts) -> None:
    unknown = {"rce": (17.5,), "rce_mean": 17.5, "rce_std": 0.0, "auc_mean": None, "train_s": None}
    method = replace(results.methods[-1], **unknown, collisions=None)
    bare = replace(data, best_reachable_rce=None, features=())
    page = read(render_html(replace(results, data=bare, methods=(method,))))
    row = next(row for row in page.rows if row[0] == "hybrid")
    assert (row[1], row[4]) == ("17.50", "–")
    assert page.tags.count("svg") == 1


def test_no_number_at_all_still_gives_a_page(results: Comparison, data: DataFacts) -> None:
    nothing = {"rce": (), "rce_mean": None, "rce_std": None, "collisions": None, "ledger": None}
    methods = tuple(replace(method, **nothing) for method in results.methods)
    empty = replace(results, data=replace(data, features=()), methods=methods)
    page = read(render_html(empty))
    assert "svg" not in page.tags
    assert headline(empty) == "No compressed method gave a result."


def test_the_headline_says_what_came_out(results: Comparison) -> None:
    text = headline(results).replace("\N{NO-BREAK SPACE}", " ")
    assert text == (
        "At 445 kB, 10.0% of the baseline, hybrid reaches an RCE of 17.53 ± 0.15; full reaches 17.83 ± 0.15 "
        "with 2.72 MB. The lead over frequency is 5.43, more than the spread of the seeds."
    )


@pytest.mark.parametrize(("mean", "verdict"), [(17.2, "more than the spread"), (17.4, "within the spread")])
def test_a_lead_within_the_spread_is_no_lead(results: Comparison, mean: float, verdict: str) -> None:
    assert verdict in headline(changed(results, 4, rce_mean=mean, rce_std=0.1))  # hybrid: 17.53 with 0.15


def test_one_seed_knows_no_spread(results: Comparison) -> None:
    methods = tuple(replace(method, rce=method.rce[:1], rce_std=0.0) for method in results.methods)
    assert "with one seed it is not known" in headline(replace(results, methods=methods))


def test_without_full_the_baseline_is_the_measure(results: Comparison) -> None:
    two = tuple(method for method in results.methods if method.name in ("baseline", "hybrid"))
    text = headline(replace(results, methods=two)).replace("\N{NO-BREAK SPACE}", " ")
    assert text.endswith("; baseline reaches 17.33 ± 0.15 with 4.46 MB.")


def test_the_file_is_whole_and_alone(results: Comparison, tmp_path: Path) -> None:
    target = tmp_path / "report.html"
    target.write_text("old")
    write_report(results, target)
    assert target.read_text(encoding="utf-8") == render_html(results)
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]
    plain = tmp_path / "plain"
    plain.touch()
    assert stat.S_IMODE(target.stat().st_mode) == stat.S_IMODE(plain.stat().st_mode)


def test_a_place_that_cannot_be_written_is_an_error_and_leaves_nothing(
    results: Comparison, tmp_path: Path
) -> None:
    with pytest.raises(FileAccessError, match=r"missing.*cannot be written"):
        write_report(results, tmp_path / "missing" / "report.html")
    (tmp_path / "folder").mkdir()
    with pytest.raises(FileAccessError, match="folder: cannot be written"):
        write_report(results, tmp_path / "folder")
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def test_notes_and_what_diverged_stand_on_the_page(results: Comparison, data: DataFacts) -> None:
    lost = changed(results, -1, rce=(17.4,), rce_mean=None, diverged=("seed 2: training diverged",))
    noted = replace(data, note="split by the order of the rows")
    page = render_html(replace(lost, data=noted, notes=("the budget buys <no> head",)))
    for note in (
        "split by the order of the rows",
        "the budget buys &lt;no&gt; head",
        "hybrid: seed 2: training diverged",
    ):
        assert f'<p class="note">{note}</p>' in page
    assert "hybrid 17" not in page, "what diverged has no mark in the figure"


def test_bytes_come_before_collisions_and_only_words_that_occur_are_explained(results: Comparison) -> None:
    page = render_html(results)
    assert page.index("Where the bytes are") < page.index("Collisions, predicted and measured")
    assert "tail_rows" not in page
    assert "<dt>singletons</dt>" in page
    assert "<dt>GAUC</dt>" not in page
