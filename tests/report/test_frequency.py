import re

import pytest

from hybridhash.errors import InvalidValueError
from hybridhash.report import FrequencyCurve, frequency_curves, inline_svg


def curve(label: str, shares: tuple[float, ...] = (0.1, 0.4, 1.0)) -> FrequencyCurve:
    return FrequencyCurve(label, (1, 10, 100), shares)


def test_few_curves_share_axes_and_carry_their_names() -> None:
    figure = frequency_curves([curve("user"), curve("genre", (0.5, 1.0, 1.0))])
    (axes,) = figure.axes
    lines = {line.get_label(): line.get_data() for line in axes.get_lines()}
    assert list(lines["user"][0]) == [1, 10, 100]
    assert list(lines["user"][1]) == pytest.approx([10, 40, 100])
    assert list(lines["genre"][1]) == pytest.approx([50, 100, 100])
    assert {text.get_text() for text in axes.texts} == {"user", "genre"}
    assert axes.get_xscale() == "log"
    assert "%" in axes.get_ylabel()


def test_a_name_stands_on_its_curve() -> None:
    (axes,) = frequency_curves([curve("user")]).axes
    (anchor,) = [line for line in axes.get_lines() if line.get_label() == "_anchor"]
    # The only curve is named at 25 %: halfway, in log rank, between (1, 10 %) and (10, 40 %).
    assert anchor.get_xdata()[0] == pytest.approx(10**0.5)
    assert anchor.get_ydata()[0] == pytest.approx(25)


@pytest.mark.parametrize(("shares", "rank"), [((0.9, 0.95, 1.0), 1), ((0.01, 0.02, 0.03), 100)])
def test_a_curve_beyond_the_level_is_named_at_its_nearer_end(shares: tuple[float, ...], rank: int) -> None:
    (axes,) = frequency_curves([curve("user", shares)]).axes
    (anchor,) = [line for line in axes.get_lines() if line.get_label() == "_anchor"]
    assert anchor.get_xdata()[0] == rank


@pytest.mark.parametrize(("num_curves", "num_panels"), [(6, 1), (7, 8), (39, 40)])
def test_many_curves_have_a_panel_each(num_curves: int, num_panels: int) -> None:
    curves = [curve(f"C{index}", (0.1, 0.2 + index / 100, 1.0)) for index in range(num_curves)]
    figure = frequency_curves(curves)
    assert len(figure.axes) == num_panels
    if num_panels > 1:
        for index, axes in enumerate(figure.axes[:num_curves]):
            assert axes.get_title(loc="left") == f"C{index}"
            assert list(axes.get_lines()[0].get_ydata()) == pytest.approx([10, 20 + index, 100])
        assert not any(axes.axison for axes in figure.axes[num_curves:])


def test_a_single_key_is_a_dot() -> None:
    (axes,) = frequency_curves([FrequencyCurve("country", (1,), (1.0,))]).axes
    assert axes.get_lines()[0].get_marker() == "."


@pytest.mark.parametrize("num_curves", [1, 7])
def test_dollar_signs_are_not_mathematics(num_curves: int) -> None:
    figure = frequency_curves([curve(r"$\x$")] * num_curves)
    assert inline_svg(figure, "frequency", "d").count(r"$\x$") >= num_curves


def test_a_flat_stretch_is_no_division_by_zero() -> None:
    frequency_curves([FrequencyCurve("a", (1, 2, 4), (0.0, 0.0, 1.0)), curve("b")])


@pytest.mark.parametrize(
    ("curves", "message"),
    [
        ([], "expected at least one, got none"),
        ([FrequencyCurve("user", (), ())], "got 0 ranks from None, 0 shares"),
        ([FrequencyCurve("user", (1, 2), (1.0,))], "got 2 ranks from 1, 1 shares"),
        ([FrequencyCurve("user", (0.5,), (1.0,))], "got 1 ranks from 0.5, 1 shares"),
    ],
)
def test_curves_that_cannot_be_drawn_are_refused(curves: list[FrequencyCurve], message: str) -> None:
    with pytest.raises(InvalidValueError, match=re.escape(message)):
        frequency_curves(curves)
