from hybridhash.experiments.figures import edge_notes
from hybridhash.trials import Diverged, Trained, Tuned

GRID = (0.05, 0.02, 0.1)


def trained(**rates: float) -> dict[str, Trained]:
    return {title: Trained(Tuned(rate, 1, 3.0)) for title, rate in rates.items()}


def test_rates_at_an_end_of_the_grid_are_said_with_all_that_have_them() -> None:
    smallest, largest = edge_notes(trained(full=0.1, hashed=0.02, hybrid=0.05, auto=0.1), GRID)
    assert smallest.startswith("hashed: ")
    assert "0.02, the smallest of those tried; a smaller one" in smallest
    assert largest.startswith("full, auto: ")
    assert "0.1, the largest of those tried; a larger one" in largest


def test_a_rate_between_others_and_the_only_one_are_no_news() -> None:
    assert edge_notes(trained(auto=0.05), GRID) == []
    assert edge_notes(trained(auto=0.05), (0.05,)) == []
    assert edge_notes({"auto": Trained(Diverged("at every rate"))}, GRID) == []
