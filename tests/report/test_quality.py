import re
import statistics

import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hybridhash.errors import InvalidValueError
from hybridhash.report import QualityPoint, inline_svg, quality_against_bytes


def line(figure: Figure, label: str) -> tuple[list[float], list[float]]:
    axes = figure.axes[0]
    bars = [container[0] for container in axes.containers if container.get_label() == label]
    (found,) = bars or [entry for entry in axes.get_lines() if entry.get_label() == label]
    x, y = found.get_data()
    return list(x), list(y)


def error_bars(axes: Axes, label: str) -> list[tuple[float, float]]:
    (container,) = [entry for entry in axes.containers if entry.get_label() == label]
    return [(segment[0, 1], segment[1, 1]) for bars in container[2] for segment in bars.get_segments()]


def test_marks_are_means_and_bars_one_standard_deviation() -> None:
    values = (17.0, 18.0, 17.2)
    figure = quality_against_bytes([QualityPoint("hybrid", 1e6, values), QualityPoint("full", 1e7, (18.0,))])
    mean, std = statistics.mean(values), statistics.stdev(values)
    assert line(figure, "hybrid") == ([1e6], [pytest.approx(mean)])
    assert line(figure, "_hybrid seeds") == ([1e6] * 3, list(values))
    ((low, high),) = error_bars(figure.axes[0], "hybrid")
    assert (low, high) == pytest.approx((mean - std, mean + std))


def test_one_seed_has_no_bar() -> None:
    figure = quality_against_bytes([QualityPoint("hybrid", 1e6, (17.0,))])
    assert line(figure, "hybrid") == ([1e6], [17.0])
    assert error_bars(figure.axes[0], "hybrid") == []
    assert QualityPoint("hybrid", 1e6, (17.0,)).std == 0


def test_points_of_one_label_are_joined_in_order_of_size() -> None:
    points = [
        QualityPoint("hybrid", size, (quality,)) for size, quality in ((4e6, 17.0), (1e6, 15.0), (2e6, 16.0))
    ]
    assert line(quality_against_bytes(points), "hybrid") == ([1e6, 2e6, 4e6], [15.0, 16.0, 17.0])


def test_axes_say_what_they_are_and_hold_everything() -> None:
    figure = quality_against_bytes(
        [QualityPoint("hybrid", 1e6, (17.0, 18.0))], best_reachable=25.0, quality="AUC"
    )
    (axes,) = figure.axes
    assert axes.get_xscale() == "log"
    assert "bytes" in axes.get_xlabel()
    assert axes.get_ylabel() == "AUC"
    assert line(figure, "best reachable")[1] == [25.0, 25.0]
    assert axes.get_ylim()[0] < 17 < 25 < axes.get_ylim()[1]
    # The one size stands in the middle of 0.7 decades.
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["500 kB", "1 MB", "2 MB"]


def test_every_label_is_written_once() -> None:
    names = ["full", "hashed", "double", r"$\x$"]
    figure = quality_against_bytes([QualityPoint(name, 1e6, (17.0, 17.1)) for name in names])
    assert sorted(text.get_text() for text in figure.axes[0].texts) == sorted(names)
    # Dollar signs are not mathematics.
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
        quality_against_bytes(points)
