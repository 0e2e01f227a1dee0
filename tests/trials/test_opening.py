"""Settings become groups of features; methods at a budget become blueprints."""

from typing import Any

import numpy as np
import pytest

from hybridhash.data import Feature, Schema
from hybridhash.errors import InvalidValueError
from hybridhash.trials import TableSettings, groups_of
from hybridhash.vocabulary import count_keys

SCHEMA = Schema(
    (
        Feature("user", "categorical", "int"),
        Feature("site", "categorical", "int"),
        Feature("user*site", "cross", "key", ("user", "site")),
    )
)
COUNTS = count_keys({"user": np.arange(9), "site": np.arange(9, 12), "user*site": np.arange(20, 40)}, 20)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, [("deep", ("user", "site"), 4, False), ("wide", ("user", "site", "user*site"), 1, False)]),
        ({"crosses": "both"}, [("deep", ("user", "site", "user*site"), 4, True)]),
        ({"crosses": "both", "model": "mlp"}, [("deep", ("user", "site", "user*site"), 4, False)]),
        (
            {"crosses": "both", "tables": "per-feature"},
            [("deep", (name,), 4, True) for name in SCHEMA.names],
        ),
    ],
)
def test_features_are_grouped_as_the_settings_say(changes: dict[str, Any], expected: list[Any]) -> None:
    groups = groups_of(SCHEMA, COUNTS, TableSettings(**{"dim": 4, **changes}))
    assert [(group.part, group.features, group.dim, group.carries_wide) for group in groups] == expected


def test_crosses_that_nothing_would_read_are_refused() -> None:
    with pytest.raises(
        InvalidValueError, match=r"--cross: expected none, got user\*site: an mlp has no wide"
    ):
        groups_of(SCHEMA, COUNTS, TableSettings(model="mlp"))
