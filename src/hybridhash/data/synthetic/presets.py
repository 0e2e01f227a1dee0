"""Ready-made synthetic streams: a small one to try things on, and two of the size of the paper's."""

import math
from collections.abc import Callable
from typing import Final

from hybridhash.data.synthetic.settings import (
    StreamCategorical,
    StreamInteraction,
    StreamList,
    StreamNumeric,
    StreamSettings,
)
from hybridhash.errors import InvalidValueError

_HOUR_S: Final = 3600
_DAY_S: Final = 24 * _HOUR_S


def stream_preset(name: str, scale: float = 1.0, seed: int = 0) -> StreamSettings:
    """Return the settings of a ready-made stream.

    - ``demo``: 200,000 rows in five days, about 50,000 distinct ids.
    - ``ads``: 40 million rows in 52 hours (48 to learn from, 4 to test on), about 4 million distinct ids.
    - ``timeline``: 20 million rows in two days (one to learn from, the next to test on), about 4 million
      distinct ids, with fewer rows per user and item than ``ads``.

    Args:
        name: ``demo``, ``ads`` or ``timeline``.
        scale: Multiplies the rows and the ids of the larger features, above 0.
        seed: The seed, in [0, 2**64).

    Returns:
        The settings; change one with ``dataclasses.replace``.

    Raises:
        InvalidValueError: There is no such preset, or scale or seed are out of range.

    Source: Zhang et al. 2020, section 4.1, for the spans and the number of ids of the two large ones.

    Example:
        >>> stream_preset("ads", scale=0.01).num_rows
        400000
    """
    if name not in _PRESETS:
        raise InvalidValueError(f"preset: expected one of {', '.join(_PRESETS)}, got {name!r}")
    if not 0 < scale < math.inf:
        raise InvalidValueError(f"scale: expected a number above 0, got {scale}")
    return _PRESETS[name](scale, seed)


def _scaled(count: int, scale: float) -> int:
    return max(1, round(count * scale))


def _demo(scale: float, seed: int) -> StreamSettings:
    return StreamSettings(
        num_rows=_scaled(200_000, scale),
        duration_s=5 * _DAY_S,
        categorical=(
            StreamCategorical("user_id", _scaled(30_000, scale), 0.9, 1.6, lifetime_s=40 * _DAY_S),
            StreamCategorical("ad_id", _scaled(25_000, scale), 1.0, 1.6, lifetime_s=20 * _DAY_S),
            StreamCategorical("site", _scaled(5_000, scale), 1.0, 1.0, text=True, null_share=0.03),
        ),
        numeric=(
            StreamNumeric("price", median=20.0, shape=0.6, strength=0.4, null_share=0.05),
            StreamNumeric("age", median=36.0, shape=0.2, strength=0.3, null_share=0.02, nan_share=0.02),
        ),
        lists=(StreamList("tags", _scaled(2_000, scale), 1.0, 1.2, text=True),),
        interaction=StreamInteraction("user_id", "ad_id", 0.5),
        positive_rate=0.3,
        seed=seed,
    )


def _ads(scale: float, seed: int) -> StreamSettings:
    return StreamSettings(
        num_rows=_scaled(40_000_000, scale),
        duration_s=52 * _HOUR_S,
        categorical=(
            StreamCategorical("user_id", _scaled(2_000_000, scale), 0.8, 1.0, lifetime_s=30 * _DAY_S),
            StreamCategorical("ad_id", _scaled(500_000, scale), 1.0, 1.0, lifetime_s=5 * _DAY_S),
            StreamCategorical("advertiser_id", _scaled(50_000, scale), 1.0, 0.6),
            StreamCategorical("site", _scaled(1_000_000, scale), 1.0, 0.8, text=True, null_share=0.03),
            StreamCategorical("device", 40, 1.2, 0.3, text=True),
        ),
        numeric=(
            StreamNumeric("price", median=20.0, shape=0.6, strength=0.4, null_share=0.05),
            StreamNumeric("age", median=36.0, shape=0.2, strength=0.3, null_share=0.02, nan_share=0.02),
        ),
        lists=(StreamList("tags", _scaled(300_000, scale), 1.0, 0.8, text=True),),
        interaction=StreamInteraction("user_id", "ad_id", 0.6),
        positive_rate=0.05,
        seed=seed,
    )


def _timeline(scale: float, seed: int) -> StreamSettings:
    return StreamSettings(
        num_rows=_scaled(20_000_000, scale),
        duration_s=2 * _DAY_S,
        categorical=(
            StreamCategorical("user_id", _scaled(2_000_000, scale), 0.6, 1.0, lifetime_s=30 * _DAY_S),
            StreamCategorical("item_id", _scaled(900_000, scale), 0.9, 1.0, lifetime_s=1.5 * _DAY_S),
            StreamCategorical("author_id", _scaled(500_000, scale), 0.9, 0.8),
            StreamCategorical("language", 60, 1.5, 0.3, text=True, null_share=0.02),
        ),
        numeric=(StreamNumeric("age", median=7200.0, shape=1.0, strength=0.4, null_share=0.01),),
        lists=(StreamList("topics", _scaled(20_000, scale), 1.0, 0.8, text=True, max_length=8),),
        interaction=StreamInteraction("user_id", "author_id", 0.6),
        positive_rate=0.1,
        seed=seed,
    )


_PRESETS: Final[dict[str, Callable[[float, int], StreamSettings]]] = {
    "demo": _demo,
    "ads": _ads,
    "timeline": _timeline,
}

STREAM_PRESETS: Final = tuple(_PRESETS)
