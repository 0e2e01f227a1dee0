import math
from pathlib import Path

from paper.plots import Line, draw_lines, new_figure, save_figure


def test_every_line_has_its_name_at_its_end_and_no_legend(tmp_path: Path) -> None:
    figure, (axes,) = new_figure("step", "steps per second")
    lines = [
        Line("hybrid", [0, 1, 2], [1.0, 2.0, math.nan], [0.5, 1.5, math.nan], [1.5, 2.5, math.nan]),
        Line("baseline", [0, 1, 2], [1.0, 1.0, 1.0]),
    ]
    draw_lines(axes, lines)
    assert [text.get_text() for text in axes.texts] == ["hybrid", "baseline"]
    assert axes.get_legend() is None
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("step", "steps per second")
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        save_figure(figure, tmp_path / folder, "f")
    for name in ("f.png", "f.svg"):
        content = (tmp_path / "a" / name).read_bytes()
        assert content == (tmp_path / "b" / name).read_bytes()
        assert len(content) > 2000
