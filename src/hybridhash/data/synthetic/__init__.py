"""A synthetic click log with a known teacher: what a stream is made of, its rows block by block, and its file."""

from hybridhash.data.synthetic.presets import STREAM_PRESETS, stream_preset
from hybridhash.data.synthetic.settings import (
    StreamCategorical,
    StreamColumns,
    StreamInteraction,
    StreamList,
    StreamNumeric,
    StreamSettings,
)
from hybridhash.data.synthetic.stream import SyntheticStream
from hybridhash.data.synthetic.teacher import Teacher, best_reachable_rce

__all__ = [
    "STREAM_PRESETS",
    "StreamCategorical",
    "StreamColumns",
    "StreamInteraction",
    "StreamList",
    "StreamNumeric",
    "StreamSettings",
    "SyntheticStream",
    "Teacher",
    "best_reachable_rce",
    "stream_preset",
]
