import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import log_loss

from hybridhash.data.synthetic.random import stream_salt
from hybridhash.data.synthetic.rows import NULL_ID, DrawnRows, draw_rows
from hybridhash.data.synthetic.settings import (
    StreamCategorical,
    StreamInteraction,
    StreamList,
    StreamNumeric,
    StreamSettings,
)
from hybridhash.data.synthetic.teacher import Teacher, best_reachable_rce
from hybridhash.errors import InvalidValueError
from hybridhash.hashing.mix import GOLDEN_GAMMA, mix64

SETTINGS = StreamSettings(
    num_rows=200_000,
    duration_s=1000,
    categorical=(
        StreamCategorical("user", 20_000, 1.1, 1.0),
        StreamCategorical("site", 50, 1.0, 0.7, null_share=0.1, text=True),
    ),
    numeric=(StreamNumeric("price", 20.0, 0.5, 0.9, null_share=0.1, nan_share=0.1),),
    lists=(StreamList("tags", 100, 1.0, 0.8, max_length=3),),
    interaction=StreamInteraction("user", "site", 0.6),
    positive_rate=0.2,
)
ROWS = np.arange(SETTINGS.num_rows)


def word(counter: int, purpose: str, name: str) -> int:
    return mix64(stream_salt(SETTINGS.seed, purpose, name) + counter * GOLDEN_GAMMA)


def normal(counter: int, name: str) -> float:
    bits = word(counter, "effect", name)
    radius = math.sqrt(-2 * math.log(((bits >> 32) + 0.5) / 2**32))
    return radius * math.cos(2 * math.pi * (bits & 0xFFFFFFFF) / 2**32)


def latent(counter: int, name: str) -> list[float]:
    bits = word(counter, "latent", name)
    return [((bits >> shift & 0xFFFF) - 32767.5) * math.sqrt(3) / 32768 for shift in (0, 16, 32, 48)]


def logit_by_hand(drawn: DrawnRows, row: int) -> float:
    """The documented formula for one row, in plain Python, without the bias."""
    user, site = (int(drawn.ids[name][row]) for name in ("user", "site"))
    total = 1.0 * normal(user, "user") + 0.7 * normal(site, "site")
    numbers = drawn.numbers["price"]
    if not (numbers.is_null[row] or numbers.is_nan[row]):
        phase = ((word(0, "phase", "price") >> 12) + 0.5) / 2**52
        quantile = 1 / (1 + (numbers.values[row] / 20.0) ** (-1 / 0.5))
        total += 0.9 * math.sqrt(2) * math.sin(2 * math.pi * (quantile + phase))
    end = int(drawn.lists["tags"].lengths[: row + 1].sum())
    tags = drawn.lists["tags"].ids[end - int(drawn.lists["tags"].lengths[row]) : end].tolist()
    if tags:
        total += 0.8 * sum(normal(tag, "tags") for tag in tags) / len(tags)
    pairs = zip(latent(user, "user"), latent(site, "site"), strict=True)
    return total + 0.6 * sum(a * b for a, b in pairs) / math.sqrt(4)


def test_probabilities_are_the_documented_function_of_the_columns() -> None:
    teacher = Teacher(SETTINGS)
    drawn = draw_rows(SETTINGS, ROWS[:300])
    assert (drawn.ids["site"] == NULL_ID).any()
    by_hand = [1 / (1 + math.exp(-teacher.bias - logit_by_hand(drawn, row))) for row in range(300)]
    np.testing.assert_allclose(teacher.probabilities(drawn), by_hand, rtol=1e-5)  # latents are float32


def test_an_id_has_one_effect_at_all_times() -> None:
    settings = replace(SETTINGS, categorical=SETTINGS.categorical[:1], numeric=(), lists=(), interaction=None)
    drawn = draw_rows(settings, ROWS)
    p = Teacher(settings).probabilities(drawn)
    _, first, group = np.unique(drawn.ids["user"], return_index=True, return_inverse=True)
    assert np.array_equal(p, p[first][group])


def test_effects_vary_as_much_among_rare_ids_as_among_frequent_ones() -> None:
    settings = replace(SETTINGS, categorical=SETTINGS.categorical[:1], numeric=(), lists=(), interaction=None)
    drawn = draw_rows(settings, ROWS)
    p = Teacher(settings).probabilities(drawn)
    _, first, counts = np.unique(drawn.ids["user"], return_index=True, return_counts=True)
    effects = np.log(p[first] / (1 - p[first]))[np.argsort(-counts)]
    frequent, rare = effects[:1500], effects[-1500:]
    # The ratio of two sample variances of 1500 normal numbers is within 1 +- 0.16 at three sigmas.
    assert frequent.var() / rare.var() == pytest.approx(1.0, abs=0.16)
    assert rare.std() == pytest.approx(1.0, abs=0.06)


@pytest.mark.parametrize("positive_rate", [0.001, 0.2, 0.9])
def test_the_mean_probability_is_the_positive_rate(positive_rate: float) -> None:
    settings = replace(SETTINGS, positive_rate=positive_rate)
    p = Teacher(settings).probabilities(draw_rows(settings, ROWS))
    assert p.mean() == pytest.approx(positive_rate, rel=0.05)


def test_labels_come_with_their_probability_in_every_decile() -> None:
    teacher = Teacher(SETTINGS)
    p = teacher.probabilities(draw_rows(SETTINGS, ROWS))
    labels = teacher.labels(p, ROWS)
    assert set(np.unique(labels)) == {0, 1}
    for rows in np.array_split(np.argsort(p), 10):
        sigma = math.sqrt((p[rows] * (1 - p[rows])).sum()) / rows.size
        assert labels[rows].mean() == pytest.approx(p[rows].mean(), abs=4 * sigma)


def test_the_teacher_reaches_the_best_reachable_rce_on_its_own_labels() -> None:
    teacher = Teacher(SETTINGS)
    p = teacher.probabilities(draw_rows(SETTINGS, ROWS))
    labels = teacher.labels(p, ROWS)
    mean = np.full(p.size, labels.mean())
    reached = 100 * (1 - log_loss(labels, p) / log_loss(labels, mean))
    assert best_reachable_rce(p) == pytest.approx(reached, abs=0.5)
    assert best_reachable_rce(p) > 20


@pytest.mark.parametrize("seed", range(3))
def test_no_distortion_of_the_probabilities_does_better(seed: int) -> None:
    teacher = Teacher(replace(SETTINGS, seed=seed))
    p = teacher.probabilities(draw_rows(replace(SETTINGS, seed=seed), ROWS))
    labels = teacher.labels(p, ROWS)
    logits = np.log(p / (1 - p))
    for factor, shift in [(0.8, 0.0), (1.2, 0.0), (1.0, 0.2), (1.0, -0.2)]:
        assert log_loss(labels, 1 / (1 + np.exp(-factor * logits - shift))) > log_loss(labels, p)


def test_best_reachable_rce_by_hand() -> None:
    # H(0.1) = 0.3250829733914482 nats, H(0.5) = ln 2.
    assert best_reachable_rce([0.1, 0.9]) == pytest.approx(
        100 * (1 - 0.3250829733914482 / math.log(2)), rel=1e-12
    )
    assert best_reachable_rce([0.3, 0.3]) == pytest.approx(0, abs=1e-12)
    assert best_reachable_rce([0.0, 1.0, 1.0]) == 100


@given(st.lists(st.floats(0.001, 0.999), min_size=1))
def test_best_reachable_rce_is_between_0_and_100(probabilities: list[float]) -> None:
    assert -1e-9 <= best_reachable_rce(probabilities) <= 100


@pytest.mark.parametrize("bad", [[], [0.5, -1e-9], [0.5, 1 + 1e-9], [0.5, math.nan]])
def test_what_is_no_probability_is_refused(bad: Any) -> None:
    with pytest.raises(InvalidValueError, match=r"probabilities: expected one or more numbers in \[0, 1\]"):
        best_reachable_rce(bad)


@pytest.mark.parametrize("certain", [0.0, 1.0])
def test_certain_labels_leave_nothing_to_predict(certain: float) -> None:
    with pytest.raises(InvalidValueError, match="mean between 0 and 1"):
        best_reachable_rce([certain, certain])
