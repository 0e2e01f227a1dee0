"""A plan comes back from its text as it was."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridhash.errors import InvalidValueError
from hybridhash.hashing import EXACT, Fingerprints
from hybridhash.planner import format_loss, read_plan, write_plan
from hybridhash.spec import Tier

TIERS = st.builds(
    Tier,
    st.integers(0, 10**9),
    st.sampled_from([0, 2, 3, 4, 8, 32]),
    st.sampled_from([0, 2, 100, 65536]),
    st.sampled_from([*map(Fingerprints, (4, 9, 32)), EXACT]),
)
NAMES = st.text("abz :=_.-é", min_size=1).filter(lambda name: name == name.strip())


def test_the_text_is_what_the_docs_show() -> None:
    plan = {"deep:joint": (Tier(22, 8, 0, Fingerprints(16)), Tier(900, 4, 128, Fingerprints(9)), Tier(50, 0))}
    assert write_plan(plan) == ("deep:joint = 22/8/16 900/4x128/9 50/0/64",)


@given(st.dictionaries(NAMES, st.lists(TIERS, min_size=1).map(tuple)))
def test_text_and_back(plan: dict[str, tuple[Tier, ...]]) -> None:
    assert read_plan(write_plan(plan)) == plan


@pytest.mark.parametrize("line", ["", "deep", "deep = ", "deep = 1/8", "deep = 1/8/x", "deep = 1/8/16,2/4/8"])
def test_another_text_is_refused(line: str) -> None:
    with pytest.raises(InvalidValueError, match="--plan: expected a line such as"):
        read_plan([line])


def test_numbers_that_describe_no_tier() -> None:
    with pytest.raises(InvalidValueError, match="bits: expected"):
        read_plan(["deep = 10/5/16"])


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0.0, "0%"),
        (1.0, "100.00%"),
        (0.05, "5.00%"),
        (0.00123, "0.12%"),
        (0.0000999, "0.0100%"),
        (3.4e-9, "0.00000034%"),
    ],
)
def test_a_small_loss_is_not_called_none(share: float, text: str) -> None:
    assert format_loss(share) == text
