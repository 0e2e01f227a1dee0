import re
import xml.etree.ElementTree as ET

import matplotlib
import pytest
from matplotlib.figure import Figure

from hybridhash.report.style import PAPER, colours, house_style, inline_svg, log_ticks, shorten


def draw(title: str) -> Figure:
    with house_style():
        figure = Figure(figsize=(3, 2))
        axes = figure.add_subplot()
        axes.plot([0, 1], [0, 1], marker="o")
        axes.set_title(title, parse_math=False)
    return figure


def test_the_same_figure_gives_the_same_text() -> None:
    assert inline_svg(draw("a"), "one", "d") == inline_svg(draw("a"), "one", "d")


def test_it_is_one_element_that_names_itself_and_carries_no_colour_of_the_page() -> None:
    svg = inline_svg(draw("a"), "one", 'x "<&> y')
    root = ET.fromstring(svg)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert root.attrib["aria-label"] == 'x "<&> y'
    assert set(root.attrib) == {"viewBox", "role", "aria-label"}
    assert PAPER not in svg
    assert "var(--ink)" in svg
    assert "var(--grid)" in svg


def test_ids_are_its_own_and_are_found() -> None:
    svg = inline_svg(draw("a"), "one", "d")
    ids = re.findall(r'\bid="([^"]*)"', svg)
    used = set(re.findall(r'href="#([^"]*)"|url\(#([^)]*)\)', svg))
    assert ids
    assert all(name.startswith("one-") for name in ids)
    assert used
    assert {first or second for first, second in used} <= set(ids)


@pytest.mark.parametrize("title", ["<script>alert(1)</script>", "a & b", "$x$ and $y_", "用户 ид"])
def test_text_is_kept_as_it_is(title: str) -> None:
    root = ET.fromstring(inline_svg(draw(title), "one", "d"))
    texts = [element.text for element in root.iter("{http://www.w3.org/2000/svg}text")]
    assert title in texts


def test_the_readers_settings_are_neither_used_nor_changed() -> None:
    expected = inline_svg(draw("a"), "one", "d")
    with matplotlib.rc_context({"lines.linewidth": 9, "font.size": 30, "svg.fonttype": "path"}):
        assert inline_svg(draw("a"), "one", "d") == expected
        assert matplotlib.rcParams["lines.linewidth"] == 9


def test_methods_keep_their_colours_and_others_take_turns() -> None:
    palette = colours(["user", "hybrid", "item", "user"])
    assert palette["hybrid"] == colours(["hybrid"])["hybrid"]
    assert palette["user"] != palette["item"]
    assert set(palette) == {"user", "hybrid", "item"}


def test_shorten() -> None:
    assert shorten("abcdefgh", 8) == "abcdefgh"
    assert shorten("abcdefghi", 8) == "abc…fghi"


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (150, 5000, [200, 500, 1000, 2000, 5000]),
        (1, 1e6, [1, 10, 100, 1e3, 1e4, 1e5, 1e6]),
        (1, 1e9, [1, 1e2, 1e4, 1e6, 1e8]),
    ],
)
def test_log_ticks(low: float, high: float, expected: list[float]) -> None:
    assert log_ticks(low, high) == pytest.approx(expected)
