"""Every line is named where it ends, names do not lie upon each other, panels are the data sets."""

import io
from itertools import pairwise

import pytest
from benchmarks.quality.methods import FULL, METHODS
from benchmarks.quality.plot import _GAP, _GREY, rce_against_bytes
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
        assert "full table, 10.0 kB" in labels
        heights = sorted(text.xyann[1] for text in axes.texts)
        assert all(above - below >= _GAP - 1e-9 for below, above in pairwise(heights))
        assert axes.get_xscale() == "log"
    with house_style():
        figure.savefig(io.BytesIO(), format="svg")


def test_names_stay_within_the_panel() -> None:
    [axes] = rce_against_bytes([panel("Set")]).axes
    heights = [text.xyann[1] for text in axes.texts]
    assert max(heights) <= 1 + 1e-9
    assert len(set(heights)) == len(METHODS)


def test_ours_hashing_and_the_best_other_method_are_in_colour_and_the_rest_is_grey() -> None:
    """Bloom is ahead at the largest budget, CAFE at the others."""
    means = {"Bloom": (17.0, 10.0), "CAFE": (16.0, 16.5)}
    points = [
        Point(name, share, int(share * 10_000), (mean,), 0.1, 1, 0.5, at_edge=False)
        for name in METHODS
        if name != FULL
        for share, mean in zip((0.1, 0.025), means.get(name, (15.0, 14.0)), strict=True)
    ]
    [axes] = rce_against_bytes([Panel("Set", 10_000, tuple(points))]).axes
    colours = {line.get_label(): line[0].get_color() for line in axes.containers}
    shown = ["auto", "hybrid", "hashed", "Bloom"]
    assert len({colours[name] for name in shown}) == 4
    assert {colour for name, colour in colours.items() if name not in shown} == {_GREY}
    assert {line.get_label() for line in axes.containers if line.has_yerr} == set(shown)
