"""The two surfaces of the paper's section 4.1.2 as synthetic streams: ads prediction and timeline ranking.

The paper's data is not public. These streams have what its method speaks of: ids that follow a power law and
keep arriving, crosses that make most of the distinct keys, and one joint space of 2 to 4 million keys, so that
the baseline has 2**22 rows. Every id has its own effect on the label, as large for a rare id as for a frequent
one, so a table that treats rare ids badly loses relative cross entropy.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from hybridhash.data import (
    StreamCategorical,
    StreamInteraction,
    StreamNumeric,
    StreamSettings,
    SyntheticStream,
)
from hybridhash.experiments import Listener
from paper.scale import Scale

HOUR_S: Final = 3600
DAY_S: Final = 24 * HOUR_S
# The head sizes of the paper's table 3.
HEADS: Final = (80_000, 90_000, 100_000, 110_000, 120_000)


@dataclass(frozen=True)
class Surface:
    """A stream, and how a model reads it.

    Attributes:
        name: ``ads`` or ``timeline``.
        stream: What the rows are made of.
        settings: Columns, split and model, by the names of the flags of ``hybridhash compare``.
        heads: The head sizes that table 3 tries, rising.
        printed_heads: The paper's head sizes that they stand for, in the same order.
        train_s: Seconds of the training span; the test begins then.
    """

    name: str
    stream: StreamSettings
    settings: Mapping[str, Any]
    heads: tuple[int, ...]
    printed_heads: tuple[int, ...]
    train_s: int

    def lasting(self, duration_s: int) -> "Surface":
        """Return the surface with another duration and as many rows per second as before."""
        num_rows = round(self.stream.num_rows * duration_s / self.stream.duration_s)
        stream = replace(self.stream, num_rows=num_rows, duration_s=duration_s)
        return replace(self, stream=stream, settings={**self.settings, **_split(self.train_s, duration_s)})

    def file(self, folder: Path, listener: Listener) -> Path:
        """Return the Parquet file of the stream, written if it is not in the folder yet.

        Args:
            folder: There already.
            listener: Hears how far it is.

        Returns:
            The file; its name follows from the stream's settings.
        """
        digest = hashlib.sha256(repr(self.stream).encode()).hexdigest()[:12]
        path = folder / f"{self.name}-{digest}.parquet"
        if not path.exists():
            stream = SyntheticStream(self.stream)
            stream.write_parquet(
                path, lambda done, total: listener.stage(f"generate {self.name}", done, total)
            )
        return path


def ads(scale: Scale) -> Surface:
    """Return ads prediction: wide & deep, two days to train and the next four hours to test.

    Args:
        scale: Its ``stream_share`` multiplies rows, ids and heads.

    Returns:
        The surface; at full scale 1.48 million training rows with 3.8 million distinct keys.
    """
    share = scale.stream_share
    train_s, duration_s = 2 * DAY_S, 2 * DAY_S + 4 * HOUR_S
    stream = StreamSettings(
        num_rows=_scaled(1_600_000, share),
        duration_s=duration_s,
        categorical=(
            StreamCategorical("user_id", _scaled(300_000, share), 0.8, 1.0, lifetime_s=30 * DAY_S),
            StreamCategorical("ad_id", _scaled(60_000, share), 1.0, 1.0, lifetime_s=5 * DAY_S),
            StreamCategorical("advertiser_id", _scaled(10_000, share), 1.0, 0.6),
            StreamCategorical("site", _scaled(100_000, share), 1.0, 0.8, text=True, null_share=0.03),
        ),
        numeric=(
            StreamNumeric("price", median=20.0, shape=0.6, strength=0.4, null_share=0.05),
            StreamNumeric("age", median=36.0, shape=0.2, strength=0.3, null_share=0.02, nan_share=0.02),
        ),
        interaction=StreamInteraction("user_id", "advertiser_id", 0.6),
        positive_rate=0.2,
    )
    settings = {
        "categorical": ("user_id", "ad_id", "advertiser_id", "site"),
        "numeric": ("price", "age"),
        "cross": ("user_id*advertiser_id", "user_id*site", "ad_id*site"),
        "model": "wide-deep",
        **_COMMON,
        **_split(train_s, duration_s),
    }
    return Surface("ads", stream, settings, *_heads(scale), train_s)


def timeline(scale: Scale) -> Surface:
    """Return timeline ranking: a multilayer perceptron, one day to train and the next day to test.

    More of its sparsity than that of `ads` lies in the ids of users and items: fewer rows per id, and items
    that live a day and a half.

    Args:
        scale: Its ``stream_share`` multiplies rows, ids and heads.

    Returns:
        The surface; at full scale 1.2 million training rows with 2.7 million distinct keys.
    """
    share = scale.stream_share
    train_s, duration_s = DAY_S, 2 * DAY_S
    stream = StreamSettings(
        num_rows=_scaled(2_400_000, share),
        duration_s=duration_s,
        categorical=(
            StreamCategorical("user_id", _scaled(250_000, share), 0.7, 1.0, lifetime_s=30 * DAY_S),
            StreamCategorical("item_id", _scaled(200_000, share), 0.9, 1.0, lifetime_s=1.5 * DAY_S),
            StreamCategorical("author_id", _scaled(60_000, share), 0.9, 0.8),
            StreamCategorical("language", 60, 1.5, 0.3, text=True, null_share=0.02),
        ),
        numeric=(StreamNumeric("age", median=7200.0, shape=1.0, strength=0.4, null_share=0.01),),
        interaction=StreamInteraction("user_id", "author_id", 0.6),
        positive_rate=0.3,
    )
    settings = {
        "categorical": ("user_id", "item_id", "author_id", "language"),
        "numeric": ("age",),
        "cross": ("user_id*author_id", "user_id*item_id"),
        "model": "mlp",
        "group": "user_id",
        **_COMMON,
        **_split(train_s, duration_s),
    }
    return Surface("timeline", stream, settings, *_heads(scale), train_s)


_COMMON: Final[Mapping[str, Any]] = {
    "label": "clicked",
    "time": "ts",
    "reference": "probability",
    "crosses": "both",  # one joint space, as in the paper
    "dim": 16,
    "hidden": (64, 32),
}


def _split(train_s: int, duration_s: int) -> dict[str, str]:
    return {"split": f"time:{train_s / duration_s:.12g}"}


def _scaled(count: int, share: float) -> int:
    return max(1, round(count * share))


def _heads(scale: Scale) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the head sizes at this scale, and those of the paper that they stand for."""
    printed = HEADS[-scale.printed_heads :]
    return tuple(_scaled(head, scale.stream_share) for head in printed), printed
