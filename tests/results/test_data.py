"""Facts on rows that cannot be are refused."""

import pytest

from hybridhash.errors import InvalidValueError
from hybridhash.results import Curve


def test_a_curve_has_a_share_for_every_rank() -> None:
    assert Curve() == Curve((), ())
    with pytest.raises(InvalidValueError, match="expected as many ranks as shares, got 2 and 1"):
        Curve((1, 3), (1.0,))
