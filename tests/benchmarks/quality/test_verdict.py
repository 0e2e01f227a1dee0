"""Differences and wins worked out by hand."""

import pytest
from benchmarks.quality.summary import Panel, Point
from benchmarks.quality.verdict import Difference, difference, differences, has_won, page


def point(method: str, share: float, *rces: float) -> Point:
    return Point(method, share, 100, rces, 0.02, 1, None, at_edge=False)


PANEL = Panel(
    "Set S",
    1000,
    (
        point("full", 1.0, 20.0, 22.0),
        point("hybrid", 0.1, 10.0, 14.0),
        point("hybrid", 0.025, 6.0, 6.0),
        point("hybrid-sum", 0.1, 9.0, 9.0),
        point("hybrid-sum", 0.025, 6.6, 6.6),
        point("ahead", 0.1, 15.0, 15.0),
        point("ahead", 0.025, 6.5, 6.5),
        point("once", 0.1, 15.0, 15.0),
        point("once", 0.025, 6.0, 6.0),
        point("near", 0.1, 13.0, 13.0),
        point("near", 0.025, 7.0, 7.0),
        point("half", 0.1, 15.0, 15.0),
    ),
)


def test_the_error_is_that_of_a_difference_of_means() -> None:
    # Variances 8 and 2 over two seeds each: sqrt(4 + 1).
    found = difference(point("a", 0.1, 10.0, 14.0), point("b", 0.1, 9.0, 11.0))
    assert (found.mean, found.error) == (2.0, pytest.approx(5**0.5))
    assert not found.won
    assert Difference(5**0.5 + 0.01, 5**0.5).won
    assert difference(point("a", 0.1, 10.0), point("b", 0.1, 9.0, 11.0)) == Difference(0.0, None)
    assert not Difference(9.0, None).won, "one seed says nothing of the error"


def test_differences_are_taken_at_equal_bytes() -> None:
    assert {share: found.mean for share, found in differences(PANEL, "ahead").items()} == {
        0.1: 3.0,
        0.025: 0.5,
    }
    assert set(differences(PANEL, "half")) == {0.1}


@pytest.mark.parametrize(
    ("method", "won"),
    [
        ("ahead", True),
        ("once", False),
        ("near", False),
        ("half", False),
        ("hybrid", False),
        ("absent", False),
    ],
)
def test_a_set_is_won_at_every_budget(method: str, won: bool) -> None:
    """'near' is ahead by 1 at 10 %, where the error is 2."""
    assert has_won(PANEL, method) == won


def test_nothing_is_won_against_what_was_not_run() -> None:
    assert not has_won(PANEL, "ahead", reference="absent")


def test_the_page_counts_real_sets() -> None:
    other = Panel("Stream T", 1000, PANEL.points)
    text = page([PANEL, other], ["Set S"])
    places = "Set S 10.0% | Set S 2.5% | Stream T 10.0% | Stream T 2.5%"
    assert f"| method | {places} | real sets won | against `hybrid-sum` |" in text
    assert (
        "| ahead | **+3.00 ± 2.00** | **+0.50 ± 0.00** | **+3.00 ± 2.00** | **+0.50 ± 0.00** | 1 | 0 |"
        in text
    )
    assert "| near | +1.00 ± 2.00 | **+1.00 ± 0.00** | +1.00 ± 2.00 | **+1.00 ± 0.00** | 0 | 1 |" in text
    assert "| half | **+3.00 ± 2.00** | – | **+3.00 ± 2.00** | – | 0 | 0 |" in text
    assert text.count("## ") == 2
