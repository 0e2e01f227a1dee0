import re
import statistics

import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hybridhash.errors import InvalidValueError
from hybridhash.report import QualityPoint, inline_svg, quality_by_method


def line(figure: Figure, label: str) -> tuple[list[float], list[float]]:
    axes = figure.axes[0]
    bars = [container[0] for container in axes.containers if container.get_label() == label]
    (found,) = bars or [entry for entry in axes.get_lines() if entry.get_label() == label]
    x, y = found.get_data()
    return list(x), list(y)


def error_bars(axes: Axes, label: str) -> list[tuple[float, float]]:
    (container,) = [entry for entry in axes.containers if entry.get_label() == label]
    return [(segment[0, 0], segment[1, 0]) for bars in container[2] for segment in bars.get_segments()]


def test_marks_are_means_and_bars_one_standard_deviation() -> None:
    values = (17.0, 18.0, 17.2)
    figure = quality_by_method([QualityPoint("hybrid", 1e6, values), QualityPoint("full", 1e7, (18.0,))])
    mean, std = statistics.mean(values), statistics.stdev(values)
    assert line(figure, "hybrid") == ([pytest.approx(mean)], [1])
    assert line(figure, "_hybrid seeds") == (list(values), [1] * 3)
    ((low, high),) = error_bars(figure.axes[0], "hybrid")
    assert (low, high) == pytest.approx((mean - std, mean + std))


def test_one_seed_has_no_bar() -> None:
    figure = quality_by_method([QualityPoint("hybrid", 1e6, (17.0,))])
    assert line(figure, "hybrid") == ([17.0], [0])
    assert error_bars(figure.axes[0], "hybrid") == []
    assert QualityPoint("hybrid", 1e6, (17.0,)).std == 0


def test_references_stand_above_the_others_which_are_ordered_by_their_means() -> None:
    means = {"hashed": 9.0, "full": 18.0, "auto": 17.5, "baseline": 17.0, "hybrid": 17.2}
    figure = quality_by_method([QualityPoint(name, 1e6, (mean,)) for name, mean in means.items()])
    places = {name: line(figure, name)[1][0] for name in means}
    assert sorted(places, key=lambda name: places[name]) == ["full", "baseline", "auto", "hybrid", "hashed"]
    assert figure.axes[0].yaxis_inverted()


def test_the_bytes_of_every_method_are_written_and_no_mark_is_moved() -> None:
    points = [QualityPoint("auto", 425_000, (17.0,)), QualityPoint("hybrid", 446_000, (17.0,))]
    figure = quality_by_method(points)
    assert [text.get_text() for text in figure.axes[0].texts] == ["auto", "425 kB", "hybrid", "446 kB"]
    assert [line(figure, point.label)[0] for point in points] == [[17.0], [17.0]]


@pytest.mark.parametrize(("best", "is_line"), [(18.4, True), (46.0, False)])
def test_what_cannot_be_reached_does_not_stretch_the_axis(best: float, is_line: bool) -> None:
    figure = quality_by_method([QualityPoint("hybrid", 1e6, (17.0, 18.0))], best, quality="AUC")
    (axes,) = figure.axes
    assert axes.get_xlabel() == "AUC"
    lines = [entry.get_xdata() for entry in axes.get_lines() if entry.get_label() == "best reachable"]
    assert lines == ([[best, best]] if is_line else [])
    assert axes.get_xlim()[1] < 20
    assert any(text.get_text().startswith(f"best reachable {best:.2f}") for text in axes.texts)


def test_dollar_signs_are_not_mathematics() -> None:
    figure = quality_by_method([QualityPoint(r"$\x$", 1e6, (17.0, 17.1))])
    assert r"$\x$" in inline_svg(figure, "quality", "d")


@pytest.mark.parametrize(
    ("points", "message"),
    [
        ([], "expected at least one, got none"),
        ([QualityPoint("full", 0, (1.0,))], "got 0 bytes and 1 values for 'full'"),
        ([QualityPoint("full", 1, ())], "got 1 bytes and 0 values for 'full'"),
    ],
)
def test_points_that_cannot_be_drawn_are_refused(points: list[QualityPoint], message: str) -> None:
    with pytest.raises(InvalidValueError, match=re.escape(message)):
        quality_by_method(points)
