"""What a way to keep an id loses of the id's effect, as a share of that effect.

The shares below add up over ids once each is weighted by its traffic and by how much was learned of it. Their constants
were measured on the validation slices of two real data sets and two streams (`make bench-quality OF=calibration`), to
one digit. One digit is enough: the data sets differ by factors of two to five, and the ways to keep an id differ by
factors of four.
"""

import math
from typing import Final

import numpy as np
import numpy.typing as npt

from hybridhash.errors import InvalidValueError

UNSHARED_DIRECTIONS: Final = 0.04
"""Share of a row's rounding noise that moves the prediction: the effect of an id lies in few directions of its row,
and the noise in all of them."""

HALF_LEARNED: Final = 8.0
"""Occurrences after which a model knows half of an id's effect."""

CODING: Final = 0.6
"""Share of an id's effect that one shared row for all ids would lose, if the curve of codes held there."""

CODING_SLOPE: Final = 1.8
"""Halvings of the loss by one more bit of a code."""

# Mean squared error of the best uniform quantiser of a normal variable with 2**bits levels, relative to its variance
# (Max, "Quantizing for minimum distortion", 1960, table II).
NORMAL_ERROR: Final = {1: 0.3634, 2: 0.1188, 3: 0.03744, 4: 0.01154, 8: 0.0001}


def learned_share(count: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Return how much of an id's effect a model has learned from so many occurrences: ``n / (n + 8)``.

    Leaving out ids of one count loses about this share of what leaving out frequent ids of the same feature loses per
    coming occurrence.

    Args:
        count: Occurrences in the training span, any shape.

    Returns:
        Shares in [0, 1), float64 of the same shape.
    """
    occurrences = np.asarray(count, dtype=np.float64)
    return occurrences / (occurrences + HALF_LEARNED)


def rounding_loss(bits: int) -> float:
    """Return the share of an id's effect that rounding its row to so many bits loses.

    Args:
        bits: 1, 2, 3, 4, 8 or 32 of each float.

    Returns:
        `UNSHARED_DIRECTIONS` times the squared error of a uniform quantiser; 0 for 32 bits.

    Raises:
        InvalidValueError: Other bits.
    """
    if bits == 32:
        return 0.0
    if bits not in NORMAL_ERROR:
        raise InvalidValueError(f"bits: expected one of {[*NORMAL_ERROR, 32]}, got {bits}")
    return UNSHARED_DIRECTIONS * NORMAL_ERROR[bits]


def coding_loss(code_bits: float) -> float:
    """Return the share of an id's effect that is lost where it reads the best of ``2**code_bits`` shared rows.

    Quantising one dimension at R bits leaves ``2**(-2 R)`` of a normal variable's variance (Shannon's bound), and
    the predictions depend nearly on one direction of a row alone, the same for all ids of a feature. The slope that was
    measured is a little less than that.

    Args:
        code_bits: Logarithm of the number of rows to the base 2, 0 or more.

    Returns:
        ``0.6 * 2**(-1.8 * code_bits)``.
    """
    return CODING * math.pow(2.0, -CODING_SLOPE * code_bits)
