import math

import numpy as np
import pytest

from hybridhash.data.synthetic.ids import generations, zipf_shares
from hybridhash.data.synthetic.presets import STREAM_PRESETS, stream_preset
from hybridhash.data.synthetic.settings import StreamCategorical, StreamIds, StreamSettings
from hybridhash.data.synthetic.stream import SyntheticStream
from hybridhash.errors import InvalidValueError

NUM_SPANS = 64


def expected_distinct(feature: StreamIds, num_draws: float, duration_s: float) -> float:
    """Sum over all (rank, occupant) the chance to be drawn at least once; time is cut in NUM_SPANS."""
    ranks = np.arange(feature.num_ids)
    draws_per_span = zipf_shares(ranks, feature.num_ids, feature.exponent) * num_draws / NUM_SPANS
    if math.isinf(feature.lifetime_s):
        return float(-np.expm1(-draws_per_span * NUM_SPANS).sum())
    total, occupant, draws = 0.0, np.full(ranks.size, -1), np.zeros(ranks.size)
    for span in range(NUM_SPANS):
        elapsed_s = np.full(ranks.size, (span + 0.5) / NUM_SPANS * duration_s)
        current = generations(ranks, elapsed_s, feature.lifetime_s)
        left = current != occupant
        total += float(-np.expm1(-draws[left]).sum())
        draws[left] = 0
        draws += draws_per_span
        occupant = current
    return total + float(-np.expm1(-draws).sum())


def expected_distinct_in(settings: StreamSettings) -> float:
    single = [(f, settings.num_rows * (1 - f.null_share)) for f in settings.categorical]
    lists = [(f, settings.num_rows * f.max_length / 2) for f in settings.lists]
    return sum(expected_distinct(feature, draws, settings.duration_s) for feature, draws in [*single, *lists])


def test_demo_is_of_the_documented_size() -> None:
    settings = stream_preset("demo")
    distinct: dict[str, set[object]] = {}
    for batch in SyntheticStream(settings):
        for feature in (*settings.categorical, *settings.lists):
            column = batch[feature.name]
            flat = column if isinstance(feature, StreamCategorical) else column.flatten()
            distinct.setdefault(feature.name, set()).update(flat.drop_null().unique().to_pylist())
    total = sum(map(len, distinct.values()))
    assert settings.num_rows == 200_000
    assert 50_000 < total < 60_000
    assert total == pytest.approx(expected_distinct_in(settings), rel=0.01)


@pytest.mark.parametrize(
    ("name", "num_rows", "hours"), [("ads", 40_000_000, 52), ("timeline", 20_000_000, 48)]
)
def test_the_large_ones_have_about_four_million_ids(name: str, num_rows: int, hours: int) -> None:
    settings = stream_preset(name)
    assert settings.num_rows == num_rows
    assert settings.duration_s == hours * 3600
    # Counted on a hundredth: the expectation scales with the rows and ids.
    assert expected_distinct_in(stream_preset(name, scale=0.01)) * 100 == pytest.approx(4e6, rel=0.1)


@pytest.mark.parametrize("name", STREAM_PRESETS)
def test_scale_multiplies_rows_and_ids(name: str) -> None:
    whole, tenth = stream_preset(name), stream_preset(name, scale=0.1)
    assert tenth.num_rows * 10 == whole.num_rows
    assert tenth.categorical[0].num_ids * 10 == whole.categorical[0].num_ids
    assert tenth.duration_s == whole.duration_s
    assert stream_preset(name, scale=1e-9).num_rows == 1


def test_seed_is_the_only_difference_it_makes() -> None:
    assert stream_preset("demo", seed=7).seed == 7
    assert stream_preset("demo", seed=7) != stream_preset("demo")
    assert stream_preset("demo", seed=0) == stream_preset("demo")


def test_an_unknown_preset_is_named_with_the_known_ones() -> None:
    with pytest.raises(InvalidValueError, match="demo, ads, timeline, got 'adz'"):
        stream_preset("adz")


@pytest.mark.parametrize("scale", [0.0, -1.0, math.inf, math.nan])
def test_a_scale_out_of_range_is_refused(scale: float) -> None:
    with pytest.raises(InvalidValueError, match="scale: expected"):
        stream_preset("demo", scale=scale)
