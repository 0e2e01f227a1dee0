import pytest

from hybridhash.errors import InvalidValueError
from hybridhash.metrics.rows import score_rows
from hybridhash.metrics.sums import Sums, sum_rows


def test_sums_by_hand() -> None:
    sums = sum_rows(score_rows([0.5, 0.25], [1, 0], [2, 4]))
    # -2 ln 0.5 - 4 ln 0.75
    assert sums.loss == pytest.approx(2 * 0.6931471805599453 + 4 * 0.2876820724517809, rel=1e-15)
    assert (sums.weight, sums.prediction, sums.label) == (6, 2, 2)


@pytest.mark.parametrize("name", ["mean_loss", "normalised_entropy", "relative_cross_entropy", "calibration"])
def test_no_rows_give_no_value(name: str) -> None:
    with pytest.raises(InvalidValueError, match="expected at least one row, got none"):
        getattr(Sums(0.0, 0.0, 0.0, 0.0), name)()
