"""Files to keys: schema, readers, discretiser, splits, batches, data set formats, the synthetic stream."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from hybridhash.data.batch import Bags, Batch, make_batch
from hybridhash.data.discretiser import Discretiser, percentile_edges
from hybridhash.data.durations import parse_duration
from hybridhash.data.encode import encode_batch, encode_columns
from hybridhash.data.schema import Columns, Feature, Label, Schema
from hybridhash.data.split import TEST, TRAIN, VALIDATION, Split, SplitResult
from hybridhash.data.windows import Window, cut_windows

if TYPE_CHECKING:
    from hybridhash.data.batches import batch_indices, iterate_batches
    from hybridhash.data.dataset import Dataset, prepare
    from hybridhash.data.encoded import EncodedRows
    from hybridhash.data.formats import FORMATS, open_source
    from hybridhash.data.mapped import pickle_mapped
    from hybridhash.data.read import RowBatch, read_columns
    from hybridhash.data.source import Source
    from hybridhash.data.synthetic import SyntheticStream
    from hybridhash.data.synthetic_presets import STREAM_PRESETS, stream_preset
    from hybridhash.data.synthetic_settings import (
        StreamCategorical,
        StreamColumns,
        StreamInteraction,
        StreamList,
        StreamNumeric,
        StreamSettings,
    )
    from hybridhash.data.synthetic_teacher import Teacher, best_reachable_rce

_LAZY = {  # these need the data stack, or only those who train need them
    "Dataset": "dataset",
    "EncodedRows": "encoded",
    "FORMATS": "formats",
    "RowBatch": "read",
    "STREAM_PRESETS": "synthetic_presets",
    "Source": "source",
    "StreamCategorical": "synthetic_settings",
    "StreamColumns": "synthetic_settings",
    "StreamInteraction": "synthetic_settings",
    "StreamList": "synthetic_settings",
    "StreamNumeric": "synthetic_settings",
    "StreamSettings": "synthetic_settings",
    "SyntheticStream": "synthetic",
    "Teacher": "synthetic_teacher",
    "batch_indices": "batches",
    "best_reachable_rce": "synthetic_teacher",
    "iterate_batches": "batches",
    "open_source": "formats",
    "pickle_mapped": "mapped",
    "prepare": "dataset",
    "read_columns": "read",
    "stream_preset": "synthetic_presets",
}

__all__ = [
    "FORMATS",
    "STREAM_PRESETS",
    "TEST",
    "TRAIN",
    "VALIDATION",
    "Bags",
    "Batch",
    "Columns",
    "Dataset",
    "Discretiser",
    "EncodedRows",
    "Feature",
    "Label",
    "RowBatch",
    "Schema",
    "Source",
    "Split",
    "SplitResult",
    "StreamCategorical",
    "StreamColumns",
    "StreamInteraction",
    "StreamList",
    "StreamNumeric",
    "StreamSettings",
    "SyntheticStream",
    "Teacher",
    "Window",
    "batch_indices",
    "best_reachable_rce",
    "cut_windows",
    "encode_batch",
    "encode_columns",
    "iterate_batches",
    "make_batch",
    "open_source",
    "parse_duration",
    "percentile_edges",
    "pickle_mapped",
    "prepare",
    "read_columns",
    "stream_preset",
]


def __getattr__(name: str) -> Any:
    """Load what needs the data stack when it is first asked for."""
    if name in _LAZY:
        return getattr(import_module(f"hybridhash.data.{_LAZY[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
