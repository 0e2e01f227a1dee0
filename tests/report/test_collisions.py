import pytest
from matplotlib.patches import Rectangle

from hybridhash.errors import InvalidValueError
from hybridhash.report import CollisionBar, collision_bars, inline_svg
from hybridhash.results import Shares


def test_bars_are_the_shares_in_percent_end_to_end() -> None:
    predicted, measured = Shares(0.5, 0.3, 0.2), Shares(0.6, 0.35, 0.05)
    (axes,) = collision_bars([CollisionBar("hybrid", predicted, measured)]).axes
    bars = [patch for patch in axes.patches if isinstance(patch, Rectangle)]
    assert [bar.get_x() for bar in bars] == pytest.approx([0, 50, 80, 0, 60, 95])
    assert [bar.get_width() for bar in bars] == pytest.approx([50, 30, 20, 60, 35, 5])
    texts = [text.get_text() for text in axes.texts]
    assert texts == ["50.0", "30.0", "20.0", "60.0", "35.0", "hybrid"]  # 5 % has no room for its number
    assert [tick.get_text() for tick in axes.get_yticklabels()] == ["predicted", "measured"]
    assert "%" in axes.get_xlabel()
    legend = axes.get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == ["exclusive", "partly shared", "fully shared"]


def test_what_was_not_measured_has_no_bar() -> None:
    (axes,) = collision_bars([CollisionBar("hashed", Shares(0.5, 0.0, 0.5), None)]).axes
    assert len(axes.patches) == 3
    assert [tick.get_text() for tick in axes.get_yticklabels()] == ["predicted"]


def test_dollar_signs_are_not_mathematics() -> None:
    figure = collision_bars([CollisionBar(r"$\x$", Shares(0.5, 0.0, 0.5), None)])
    assert r"$\x$" in inline_svg(figure, "collisions", "d")


def test_nothing_to_draw_is_refused() -> None:
    with pytest.raises(InvalidValueError, match="expected at least one, got none"):
        collision_bars([])
    with pytest.raises(
        InvalidValueError, match="bar 'full': expected predicted or measured shares, got neither"
    ):
        collision_bars([CollisionBar("full", None, None)])
