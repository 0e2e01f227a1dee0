import math
from pathlib import Path

import pytest
from paper.plots import Line, draw_lines, new_figure, save_figure, spread


def test_labels_that_touch_are_moved_apart_and_stay_in_order() -> None:
    moved = spread([0.5, 0.1, 0.52, 0.51], 0.1)
    assert moved[1] == 0.1
    assert sorted([moved[0], moved[3], moved[2]]) == [moved[0], moved[3], moved[2]]
    gaps = [moved[3] - moved[0], moved[2] - moved[3]]
    assert gaps == pytest.approx([0.1, 0.1])
    assert sum([moved[0], moved[2], moved[3]]) / 3 == pytest.approx(0.51)


def test_a_group_that_grows_into_the_next_takes_it_in() -> None:
    assert spread([0.0, 0.05, 0.16], 0.1) == pytest.approx([-0.03, 0.07, 0.17])


def test_places_apart_stay() -> None:
    assert spread([0.9, 0.1], 0.1) == [0.9, 0.1]


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
