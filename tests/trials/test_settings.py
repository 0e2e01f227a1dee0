"""What is read once of the settings, and lists that stand elsewhere too."""

from typing import get_args

import pytest

from hybridhash.data import FORMATS
from hybridhash.errors import BudgetError
from hybridhash.spec import Tier
from hybridhash.training import OPTIMIZERS as OF_LAYERS
from hybridhash.trials import OPTIMIZERS, FitSettings
from hybridhash.trials.settings import DataFormat


def test_budget_and_plan_are_read_once() -> None:
    settings = FitSettings(budget="5%-of-full", plan="deep:joint = 3/8/64", head_share=0.4, combine="sum")
    assert settings.asked is settings.asked
    assert (settings.asked.text, settings.asked.share_of) == ("5%-of-full", "full")
    assert settings.options is settings.options
    assert (settings.options.head_share, settings.options.combine) == (0.4, "sum")
    [tier] = settings.options.tiers["deep:joint"]
    assert tier == Tier(3, 8, 0, tier.dictionary)


def test_a_copy_reads_what_was_changed() -> None:
    settings = FitSettings(budget="5%", head_share=0.4)
    assert (settings.asked.text, settings.options.head_share) == ("5%", 0.4)
    other = settings.model_copy(update={"budget": "7%", "head_share": 0.2})
    assert (other.asked.text, other.options.head_share) == ("7%", 0.2)
    assert (settings.asked.text, settings.options.head_share) == ("5%", 0.4)


def test_what_was_read_is_no_setting() -> None:
    settings = FitSettings(budget="5%")
    before = settings.model_dump(mode="json")
    _ = settings.asked, settings.options
    assert settings.model_dump(mode="json") == before
    assert settings == FitSettings(budget="5%")


def test_a_budget_that_cannot_be_read() -> None:
    with pytest.raises(BudgetError, match="expected a share such as"):
        _ = FitSettings(budget="lots").asked


def test_the_lists_agree() -> None:
    assert set(get_args(DataFormat)) == set(FORMATS)
    assert (
        set(get_args(FitSettings.model_fields["optimizer"].annotation)) == set(OPTIMIZERS) == set(OF_LAYERS)
    )
