"""The teacher of a synthetic stream: the true probability of every label, and what it makes reachable."""

from typing import Final

import numpy as np
import numpy.typing as npt

from hybridhash.data.synthetic.random import LATENT_DIM, Floats, latents, normals, stream_salt, uniforms
from hybridhash.data.synthetic.rows import DrawnLists, DrawnNumbers, DrawnRows, draw_rows
from hybridhash.data.synthetic.settings import StreamSettings
from hybridhash.errors import InvalidValueError

_BIAS_ROWS: Final = 1 << 16  # enough for the mean probability to three digits
_BIAS_LIMIT: Final = 64.0


class Teacher:
    """The true probability of a positive label, as a function of a row's features.

    The logit is ``bias + sum of effects``. Each effect is a strength times a number of mean 0 and
    variance 1 that depends on the seed, the feature and the value only:

    - an id: a normal number of its own, as large for rare ids as for frequent ones;
    - a list: the mean of its ids' normal numbers, 0 if it is empty;
    - a number with quantile q: ``sqrt(2) * sin(2 * pi * (q + phase))``, 0 for null and NaN;
    - the interaction of two ids: the dot product of their latent vectors over ``sqrt(LATENT_DIM)``.

    Args:
        settings: What the stream is made of.
    """

    def __init__(self, settings: StreamSettings) -> None:
        """Choose the bias so that the mean probability is the settings' positive rate.

        The mean is taken over 65,536 rows evenly spread over the stream (all rows, if there are fewer).
        """
        self._settings = settings
        num_rows = min(settings.num_rows, _BIAS_ROWS)
        rows = (np.arange(num_rows) * (settings.num_rows / num_rows)).astype(np.int64)
        self.bias = _bias_for(self._effects(draw_rows(settings, rows)), settings.positive_rate)

    def probabilities(self, drawn: DrawnRows) -> Floats:
        """Return the probability of a positive label.

        Args:
            drawn: The features of B rows.

        Returns:
            float64[B], in (0, 1).
        """
        return _sigmoid(self._effects(drawn) + self.bias)

    def labels(self, probabilities: Floats, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.int8]:
        """Draw the labels.

        Args:
            probabilities: float64[B], from `probabilities`.
            rows: int64[B], the row numbers.

        Returns:
            int8[B], 0 or 1.
        """
        chances = uniforms(rows, stream_salt(self._settings.seed, "label"))
        return (chances < probabilities).astype(np.int8)

    def _effects(self, drawn: DrawnRows) -> Floats:
        total = np.zeros(drawn.times_s.size)
        seed = self._settings.seed
        for categorical in self._settings.categorical:
            salt = stream_salt(seed, "effect", categorical.name)
            total += categorical.strength * normals(drawn.ids[categorical.name], salt)
        for numeric in self._settings.numeric:
            phase = float(uniforms(np.zeros(1, dtype=np.int64), stream_salt(seed, "phase", numeric.name))[0])
            total += numeric.strength * _number_effects(drawn.numbers[numeric.name], phase)
        for list_feature in self._settings.lists:
            salt = stream_salt(seed, "effect", list_feature.name)
            total += list_feature.strength * _list_effects(drawn.lists[list_feature.name], salt)
        pair = self._settings.interaction
        if pair:
            first = latents(drawn.ids[pair.first], stream_salt(seed, "latent", pair.first))
            second = latents(drawn.ids[pair.second], stream_salt(seed, "latent", pair.second))
            total += pair.strength / np.sqrt(LATENT_DIM) * np.einsum("bd,bd->b", first, second)
        return total


def best_reachable_rce(probabilities: npt.ArrayLike) -> float:
    """Return the relative cross entropy that predicting the true probabilities has in expectation.

    ``100 * (1 - mean(H(p)) / H(mean(p)))`` with H the entropy of a coin: no model can expect more,
    whatever it is made of. On the sample's own labels the figure scatters around this one.

    Args:
        probabilities: [N] true probabilities of a positive label, in [0, 1].

    Returns:
        In [0, 100]; 0 if the probabilities are all the same.

    Raises:
        InvalidValueError: There are none, one is outside [0, 1], or their mean is 0 or 1, which leaves
            nothing to predict.

    Example:
        >>> round(best_reachable_rce([0.1, 0.9]), 2)
        53.1
    """
    p = np.asarray(probabilities, dtype=np.float64)
    if not p.size or not ((p >= 0) & (p <= 1)).all():
        raise InvalidValueError("probabilities: expected one or more numbers in [0, 1], got none or others")
    mean = p.mean()
    if mean in (0, 1):
        raise InvalidValueError(
            f"probabilities: expected a mean between 0 and 1, got {mean:g}; nothing is left to predict"
        )
    return float(100 * (1 - _entropy(p).mean() / _entropy(np.array([mean]))[0]))


def _entropy(p: Floats) -> Floats:
    """Return the entropy of coins in nats; 0 at the ends."""
    safe = np.clip(p, np.finfo(np.float64).tiny, None)
    safe_rest = np.clip(1 - p, np.finfo(np.float64).tiny, None)
    return -(p * np.log(safe) + (1 - p) * np.log(safe_rest))


def _number_effects(numbers: DrawnNumbers, phase: float) -> Floats:
    effects: Floats = np.sqrt(2) * np.sin(2 * np.pi * (numbers.quantiles + phase))
    effects[numbers.is_null | numbers.is_nan] = 0
    return effects


def _list_effects(lists: DrawnLists, salt: int) -> Floats:
    rows = np.repeat(np.arange(lists.lengths.size), lists.lengths)
    sums = np.bincount(rows, weights=normals(lists.ids, salt), minlength=lists.lengths.size)
    return sums / np.maximum(lists.lengths, 1)


def _sigmoid(x: Floats) -> Floats:
    out: Floats = np.exp(-x)
    out += 1
    np.reciprocal(out, out=out)
    return out


def _bias_for(effects: Floats, positive_rate: float) -> float:
    """Find by bisection the bias whose mean probability is the positive rate."""
    low, high = -_BIAS_LIMIT, _BIAS_LIMIT
    for _ in range(60):
        middle = (low + high) / 2
        if _sigmoid(effects + middle).mean() < positive_rate:
            low = middle
        else:
            high = middle
    return high
