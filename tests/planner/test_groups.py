"""Features in tables, and what each table must serve."""

import numpy as np

from hybridhash.hashing import Fingerprints
from hybridhash.planner import MethodOptions, group_features
from hybridhash.spec import Tier
from hybridhash.vocabulary import count_keys

PLAIN = ("user", "site", "sex")
COUNTS = count_keys(
    {
        "user": np.arange(1000),
        "site": np.arange(1000, 1100),
        "sex": np.arange(1100, 1103),
        "user*site": np.arange(2000, 4000),
    },
    2000,
)


def test_one_table_carries_the_wide_weights() -> None:
    [group] = group_features(COUNTS, PLAIN, dim=4, wide=True)
    assert (group.part, group.dictionary, group.features) == ("deep", "deep:joint", PLAIN)
    assert (group.dim, group.carries_wide, group.counts.num_keys) == (4, True, 1103)
    assert group.baseline_bytes == 2048 * 4 * (4 + 1)
    # 1103 keys at 7.6 in a line of eight, and two lines more; a neutral row; keys of 8 bytes and a salt.
    positions = 8 * (-(-5 * 1103 // 38) + 2)
    assert group.full_bytes == (positions + 1) * 4 * (4 + 1) + 8 * positions + 8


def test_a_model_without_a_wide_part() -> None:
    [group] = group_features(COUNTS, PLAIN, dim=4, wide=False)
    assert not group.carries_wide
    assert group.baseline_bytes == 2048 * 4 * 4


def test_crosses_stand_in_a_wide_table_of_their_own() -> None:
    deep, wide = group_features(COUNTS, PLAIN, ["user*site"], dim=4, wide=True)
    assert (deep.features, deep.carries_wide) == (PLAIN, False)
    assert (wide.features, wide.part, wide.dim) == ((*PLAIN, "user*site"), "wide", 1)
    assert (deep.counts.num_keys, wide.counts.num_keys) == (1103, 3103)


def test_tables_of_each_feature() -> None:
    groups = group_features(COUNTS, PLAIN, dim=4, wide=True, joint=False)
    assert [(group.dictionary, group.features, group.counts.num_keys) for group in groups] == [
        ("deep:user", ("user",), 1000),
        ("deep:site", ("site",), 100),
        ("deep:sex", ("sex",), 3),
    ]


def test_a_demand_has_the_choices_of_the_user() -> None:
    [group] = group_features(COUNTS, PLAIN, dim=4, wide=True)
    tiers = (Tier(100, 8, 0, Fingerprints(16)), Tier(1003, 0))
    options = MethodOptions(0.4, 2, "sum", {"deep:joint": tiers, "wide:joint": ()})
    demand = group.demand(9000, options, seed=4)
    assert (demand.num_keys, demand.num_features, demand.dim, demand.wide) == (1103, 3, 4, True)
    assert (demand.budget_bytes, demand.head_share, demand.num_hashes, demand.combine) == (
        9000,
        0.4,
        2,
        "sum",
    )
    assert (demand.seed, demand.tiers, demand.counts) == (4, tiers, group.counts)
    plain = group.demand(9000)
    assert (plain.head_share, plain.num_hashes, plain.combine, plain.tiers) == (0.3, None, "concat", ())


def test_single_weights_are_not_joined() -> None:
    _, wide = group_features(COUNTS, PLAIN, ["user*site"], dim=4, wide=True)
    assert wide.demand(9000).combine == "mean"
    assert wide.demand(9000, MethodOptions(combine="sum")).combine == "sum"
