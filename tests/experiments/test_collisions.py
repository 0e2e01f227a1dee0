import numpy as np
import pytest

from hybridhash.data import Feature, Schema
from hybridhash.experiments import CompareSettings
from hybridhash.experiments.collisions import collision_shares
from hybridhash.hashing import hash_buckets
from hybridhash.planner import lay_out
from hybridhash.results import Shares
from hybridhash.trials import groups_of
from hybridhash.vocabulary import count_keys

SCHEMA = Schema((Feature("u", "categorical", "int"),))


@pytest.mark.parametrize("method", ["hashed", "double", "frequency", "full"])
def test_measured_shares_equal_a_brute_force_count(method: str) -> None:
    random = np.random.default_rng(0)
    occurrences = random.zipf(1.3, 3000) % 200
    settings = CompareSettings(dim=4, combine="sum", model="mlp")
    groups = groups_of(SCHEMA, count_keys({"u": occurrences}, occurrences.size), settings)
    blueprint = lay_out(method, groups, 2400, settings.hidden, settings.options, seed=1)
    table = blueprint.spec.deep[0].table
    head = set(blueprint.blueprints["deep:joint"].vocabulary.keys.tolist())
    assert bool(head) == (method in ("frequency", "full"))
    keys, counts = np.unique(occurrences, return_counts=True)
    tail = [key for key in keys.tolist() if key not in head]
    buckets = {
        key: hash_buckets(np.array([key]), table.num_buckets, table.num_hashes, table.seed)[0] for key in tail
    }
    traffic = dict(zip(keys.tolist(), counts.tolist(), strict=True))

    def rows_of(key: int) -> set[int]:
        return set(buckets[key].tolist())

    exclusive, fully = 0, 0
    for key in keys.tolist():
        others = [rows_of(other) for other in tail if other != key]
        if key in head or not rows_of(key) & set().union(*others):
            exclusive += traffic[key]
        elif any(sorted(buckets[key]) == sorted(buckets[other]) for other in tail if other != key):
            fully += traffic[key]
    found = collision_shares(groups, blueprint.spec)
    assert sum(vars(found.measured).values()) == pytest.approx(1)
    assert found.measured.exclusive == pytest.approx(exclusive / 3000)
    assert found.measured.fully_shared == pytest.approx(fully / 3000)
    # The prediction knows the counts and not the hash functions.
    assert found.predicted.exclusive == pytest.approx(found.measured.exclusive, abs=0.15)


def test_keys_with_a_code_share_and_keys_that_are_not_shipped_read_the_tail() -> None:
    """Counts of 10, 9, ... 1: two rows of their own, three codes, five keys in the one row of the tail."""
    occurrences = np.repeat(np.arange(10), np.arange(10, 0, -1))
    settings = CompareSettings(dim=4, model="mlp", plan=("deep:joint = 2/8/16 3/4x2/16 5/0/64",))
    groups = groups_of(SCHEMA, count_keys({"u": occurrences}, occurrences.size), settings)
    spec = lay_out("auto", groups, 2400, settings.hidden, settings.options, seed=1).spec
    expected = {"exclusive": 19 / 55, "half_shared": 0, "fully_shared": 36 / 55}
    found = collision_shares(groups, spec)
    for shares in (found.predicted, found.measured):
        assert vars(shares) == pytest.approx(expected)


def test_every_key_with_a_code() -> None:
    settings = CompareSettings(dim=4, model="mlp", plan=("deep:joint = 9/4x2/16",))
    groups = groups_of(SCHEMA, count_keys({"u": np.arange(9)}, 9), settings)
    found = collision_shares(
        groups, lay_out("auto", groups, 2400, settings.hidden, settings.options, seed=1).spec
    )
    assert found.measured == found.predicted == Shares(0, 0, 1)
