import pytest

from hybridhash.experiments.figures import edge_note
from hybridhash.trials import Diverged, Trained, Tuned

GRID = (0.05, 0.02, 0.1)


@pytest.mark.parametrize(
    ("rate", "words"),
    [
        (0.02, "0.02, the smallest of those tried; a smaller"),
        (0.1, "0.1, the largest of those tried; a larger"),
    ],
)
def test_a_rate_at_an_end_of_the_grid_is_said(rate: float, words: str) -> None:
    note = edge_note("auto", Trained(Tuned(rate, 1, 3.0)), GRID)
    assert note is not None
    assert note.startswith("auto: ")
    assert words in note


def test_a_rate_between_others_and_the_only_one_are_no_news() -> None:
    assert edge_note("auto", Trained(Tuned(0.05, 1, 3.0)), GRID) is None
    assert edge_note("auto", Trained(Tuned(0.05, 1, 3.0)), (0.05,)) is None
    assert edge_note("auto", Trained(Diverged("at every rate")), GRID) is None
