"""Names stand beside the last points of their curves, apart from each other."""

from itertools import pairwise

import pytest
from matplotlib.figure import Figure

from hybridhash.report.ends import name_ends


def test_names_stand_in_the_order_of_the_ends_and_do_not_touch() -> None:
    figure = Figure(figsize=(6, 4))
    axes = figure.subplots()
    axes.set_ylim(0, 10)
    curves = {"top": [1.0, 9.0, None], "low": [2.0, 5.0], "near": [8.0, float("nan"), 5.01]}
    name_ends(axes, curves, dict.fromkeys(curves, "black"), x=2, strong=["near"])
    names = {text.get_text(): text for text in axes.texts}
    assert {name: text.xy for name, text in names.items()} == {
        "top": (2, 9.0),
        "low": (2, 5.0),
        "near": (2, 5.01),
    }
    figure.canvas.draw()
    boxes = [names[name].get_window_extent() for name in ("low", "near", "top")]
    assert all(below.y1 <= above.y0 for below, above in pairwise(boxes))
    assert names["top"].xyann[1] == pytest.approx(0.9), "a name that is alone stands at the height of its end"
    assert [text.get_fontweight() for text in axes.texts] == ["normal", "normal", "bold"]
    assert axes.get_ylim() == (0, 10)
