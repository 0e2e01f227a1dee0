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


def test_a_figure_keeps_its_drawing_and_escapes_its_caption() -> None:
    figure = html_figure("<svg></svg>", "1 < 2")
    assert "<svg></svg>" in figure
    assert "<figcaption>1 &lt; 2</figcaption>" in figure
