from fractions import Fraction

import pytest

from hybridhash.training import StepRate


def test_nothing_before_the_first_step() -> None:
    assert StepRate().per_second == 0


def test_steps_of_one_length_give_their_rate_from_the_start() -> None:
    rate = StepRate()
    for _ in range(5):
        rate.update(0.02)
        assert rate.per_second == pytest.approx(50)


def test_equals_the_weighted_mean_by_hand() -> None:
    smoothing, seconds = Fraction(3, 4), [Fraction(1), Fraction(1, 2), Fraction(1, 8)]
    weights = [smoothing ** (len(seconds) - 1 - index) for index in range(len(seconds))]
    expected = sum(weights) / sum(weight * second for weight, second in zip(weights, seconds, strict=True))
    rate = StepRate(float(smoothing))
    for second in seconds:
        rate.update(float(second))
    # 37/16 weight over 9/16 + 6/16 + 2/16 seconds: 37/17.
    assert expected == Fraction(37, 17)
    assert rate.per_second == pytest.approx(float(expected))


def test_the_papers_smoothing_is_the_default() -> None:
    assert StepRate().smoothing == 0.995
