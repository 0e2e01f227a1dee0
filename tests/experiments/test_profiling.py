from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from hybridhash.errors import BudgetError
from hybridhash.experiments import ProfileSettings, Silence, profile
from hybridhash.experiments.profiling import Profile


def found_in(clicks: Path, **changes: Any) -> Profile:
    settings = ProfileSettings(
        **{
            "label": "clicked",
            "categorical": ("user_id", "site"),
            "numeric": ("price",),
            "list": ("tags",),
            "time": "ts",
            "num_bins": 10,
            "dim": 4,
            **changes,
        }
    )
    return profile([str(clicks)], settings, Silence())


def test_equals_a_brute_force_count(clicks: Path) -> None:
    found = found_in(clicks)
    table = pq.read_table(clicks).sort_by("ts").to_pydict()
    num_train = found.train_rows
    assert found.rows == num_train + found.test_rows == 1200
    assert found.positives == sum(table["clicked"])
    for name in ("user_id", "site", "tags"):
        [row] = [row for row in found.features if row.name == name]
        values = [item if isinstance(item, list) else [item] for item in table[name]]
        train = Counter(value for items in values[:num_train] for value in items)
        later = [value for items in values[num_train:] for value in items]
        assert row.keys == len(train), name
        assert row.nulls == train.get(None, 0), name
        assert row.null_share == pytest.approx(row.nulls / train.total())
        assert row.singletons == sum(count == 1 for count in train.values())
        assert row.unseen_share == pytest.approx(sum(value not in train for value in later) / len(later))
        # All features have fewer than a thousand keys, so the thousand most frequent are all.
        assert row.coverage == {"1000": 1.0, "10000": 1.0, "100000": 1.0}
        ranked = sorted(train.values(), reverse=True)
        fewest = next(k for k in range(1, len(ranked) + 1) if sum(ranked[:k]) >= 0.8 * train.total())
        assert row.head_rows == fewest
        # A row of its own: 4 floats, a wide weight and the key.
        assert row.suggested_budget_bytes == fewest * (4 * 5 + 8)
        for rank, share in zip(row.curve.rank, row.curve.share, strict=True):
            assert share == pytest.approx(sum(ranked[:rank]) / train.total())
    [price] = [row for row in found.features if row.name == "price"]
    assert price.keys == 10 + 1  # ten bins and null
    assert price.nulls == sum(value is None for value in table["price"][:num_train])


def test_the_budget_is_a_share_of_the_baseline(clicks: Path) -> None:
    found = found_in(clicks, budget="25%", model="mlp")
    num_rows = 1 << (found.keys - 1).bit_length()
    assert found.baseline_bytes == num_rows * 4 * 4
    assert found.budget_bytes == num_rows * 4
    with pytest.raises(BudgetError):
        found_in(clicks, budget="101%")
