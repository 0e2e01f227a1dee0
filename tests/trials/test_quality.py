from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import log_loss, roc_auc_score

from hybridhash.data import KeyedRows
from hybridhash.errors import InvalidValueError
from hybridhash.trials import check_group, judge, quality_of


def test_quality_is_that_of_scikit_learn() -> None:
    random = np.random.default_rng(0)
    labels, predictions = random.integers(0, 2, 50), random.random(50)
    weights = random.random(50)
    quality = quality_of(predictions, labels, weights)
    loss = log_loss(labels, predictions, sample_weight=weights)
    mean = np.average(labels, weights=weights)
    entropy = -(mean * np.log(mean) + (1 - mean) * np.log(1 - mean))
    assert quality.log_loss == pytest.approx(loss)
    assert quality.rce == pytest.approx(100 * (1 - loss / entropy))
    assert quality.normalised_entropy == pytest.approx(loss / entropy)
    assert quality.auc == pytest.approx(roc_auc_score(labels, predictions, sample_weight=weights))
    assert quality.calibration == pytest.approx(np.average(predictions, weights=weights) / mean)


def test_judged_are_the_test_rows(make_rows: Callable[..., KeyedRows], make_build: Any) -> None:
    rows = make_rows([0, 0, 0, 1, 1, 0, 1, 1], [0, 0, 0, 0, 2, 2, 2, 2])
    quality = judge(make_build()(0.1, 1).model, rows)
    assert quality.log_loss == pytest.approx(log_loss([1, 0, 1, 1], [1 / (1 + np.exp(-1.0))] * 4))
    assert quality.gauc is None


@pytest.mark.parametrize(
    ("group", "labels", "message"),
    [
        ("site", [0, 1, 0, 1], "--group: expected one of the categorical features user, got 'site'"),
        ("user", [0, 1, 1, 1], "--group user, test rows: "),
    ],
)
def test_a_group_that_says_nothing_is_refused(
    make_rows: Callable[..., KeyedRows], group: str, labels: list[int], message: str
) -> None:
    rows = make_rows(labels, [0, 0, 2, 2])
    check_group(rows, None)
    with pytest.raises(InvalidValueError, match=message):
        check_group(rows, group)
