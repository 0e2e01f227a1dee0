"""Every line is named where it ends, names do not lie upon each other, panels are the data sets."""

import io
from itertools import pairwise

import pytest
from benchmarks.quality.methods import FULL, METHODS
from benchmarks.quality.plot import _GAP, rce_against_bytes
from benchmarks.quality.summary import Panel, Point

from hybridhash.report import house_style


def panel(title: str) -> Panel:
    shares = (0.1, 0.05, 0.025)
    points = [
        Point(name, share, int(share * 10_000), (15.0, 15.2), 0.1, 1, 0.5, at_edge=False)
        for name in METHODS
        for share in ((1.0,) if name == FULL else shares)
    ]
    return Panel(title, 10_000, tuple(points))


@pytest.mark.parametrize("num_panels", [1, 3, 4])
def test_panels_and_names(num_panels: int) -> None:
    figure = rce_against_bytes([panel(f"Set {index}") for index in range(num_panels)])
    assert [axes.get_title("left") for axes in figure.axes] == [f"Set {index}" for index in range(num_panels)]
    for axes in figure.axes:
        labels = {text.get_text().removesuffix(" (ours)"): text for text in axes.texts}
        assert set(METHODS) - {FULL} < set(labels)
        assert any(text.startswith("full table, 10.0 kB: 15.10") for text in labels)
        heights = sorted(labels[name].xyann[1] for name in METHODS if name != FULL)
        assert all(above - below >= _GAP - 1e-9 for below, above in pairwise(heights))
        assert axes.get_xscale() == "log"
    with house_style():
        figure.savefig(io.BytesIO(), format="svg")


def test_names_stay_within_the_panel() -> None:
    [axes] = rce_against_bytes([panel("Set")]).axes
    heights = [text.xyann[1] for text in axes.texts if not text.get_text().startswith("full table")]
    assert max(heights) <= 1 + 1e-9
    assert len(set(heights)) == len(METHODS) - 1
