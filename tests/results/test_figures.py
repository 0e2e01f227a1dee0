"""What the seeds of one model say together."""

from dataclasses import replace

import pytest

from .conftest import METHOD


@pytest.mark.parametrize(("rce", "spread"), [((1.5, 2.0), 0.35), ((1.5,), None), ((), None)])
def test_one_seed_has_no_spread(rce: tuple[float, ...], spread: float | None) -> None:
    """Though its file says that the deviation is 0."""
    assert replace(METHOD, rce=rce).spread == spread
