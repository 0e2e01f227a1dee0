from hybridhash.report import Grid, html_figure, html_page, html_table


def test_a_page_holds_its_parts_and_escapes_text() -> None:
    page = html_page("a <kind>", "a & title", "<p>body</p>", "5 < 6")
    assert page.startswith("<!DOCTYPE html>")
    assert "<title>a &lt;kind&gt;: a &amp; title</title>" in page
    assert "<h1>a &amp; title</h1>" in page
    assert "<p>body</p>" in page
    assert "<footer>5 &lt; 6</footer>" in page


def test_a_page_has_its_style_inside() -> None:
    page = html_page("kind", "title", "", "")
    assert "--ink: #1f2328" in page
    assert "<link" not in page
    assert "<script" not in page


def test_a_table_escapes_its_cells_and_marks_the_strong_row() -> None:
    table = html_table(Grid(["method", "RCE"], [["<b>", "1"], ["best", "2"]], "best"), "caption & more")
    assert "&lt;b&gt;" in table
    assert "caption &amp; more" in table
    assert table.count('<tr class="strong">') == 1
    assert table.index('<tr class="strong">') < table.index("best")


def test_words_wrap_and_numbers_do_not() -> None:
    grid = Grid(
        ["holds", "claim", "RCE"], [["✗ no", "a claim of many words", "17.5 ± 0.1"], ["✓ yes", "b", "–"]]
    )
    assert grid.is_text == [True, True, False]
    table = html_table(grid, "caption")
    assert table.index("<figcaption>") < table.index('<div class="scroll"'), "a caption does not scroll away"
    assert table.count('<td class="text">') == 2
    assert "<td>17.5 ± 0.1</td>" in table


def test_a_table_says_from_which_width_on_it_has_to_be_scrolled() -> None:
    assert Grid(["a", "b"], [["x", "1"]]).width_class == "needs-8"
    wide = Grid(["name", *(f"column{n}" for n in range(10))], [["x", *["1,234,567"] * 10]])
    assert wide.width_class == "needs-64"
    assert ".needs-64 .hint { display: inline; }" in html_page("kind", "title", "", "")


def test_a_figure_keeps_its_drawing_and_escapes_its_caption() -> None:
    figure = html_figure("<svg></svg>", "1 < 2")
    assert "<svg></svg>" in figure
    assert "<figcaption>1 &lt; 2</figcaption>" in figure
