"""Files to keys: schema, readers, discretiser, splits, batches, data set formats, the synthetic stream."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from hybridhash.data.batch import Bags, Batch, make_batch
from hybridhash.data.columns import Columns, Label
from hybridhash.data.discretiser import Discretiser, percentile_edges
from hybridhash.data.durations import parse_duration
from hybridhash.data.encode import encode_batch, encode_columns
from hybridhash.data.schema import Feature, Schema
from hybridhash.data.split import TEST, TRAIN, VALIDATION, Split, SplitResult
from hybridhash.data.windows import Window, cut_windows

if TYPE_CHECKING:
    from hybridhash.data.dataset import Dataset, prepare
    from hybridhash.data.formats import FORMATS, open_source
    from hybridhash.data.keyed_rows import KeyedRows
    from hybridhash.data.mapped_pickle import pickle_mapped
    from hybridhash.data.row_chunks import RowChunk, read_chunks
    from hybridhash.data.sampler import batch_indices, iterate_batches
    from hybridhash.data.source import Source
    from hybridhash.data.synthetic import (
        STREAM_PRESETS,
        StreamCategorical,
        StreamColumns,
        StreamInteraction,
        StreamList,
        StreamNumeric,
        StreamSettings,
        SyntheticStream,
        Teacher,
        best_reachable_rce,
        stream_preset,
    )

_LAZY = {  # these need the data stack, or only those who train need them
    "Dataset": "dataset",
    "FORMATS": "formats",
    "KeyedRows": "keyed_rows",
    "RowChunk": "row_chunks",
    "STREAM_PRESETS": "synthetic",
    "Source": "source",
    "StreamCategorical": "synthetic",
    "StreamColumns": "synthetic",
    "StreamInteraction": "synthetic",
    "StreamList": "synthetic",
    "StreamNumeric": "synthetic",
    "StreamSettings": "synthetic",
    "SyntheticStream": "synthetic",
    "Teacher": "synthetic",
    "batch_indices": "sampler",
    "best_reachable_rce": "synthetic",
    "iterate_batches": "sampler",
    "open_source": "formats",
    "pickle_mapped": "mapped_pickle",
    "prepare": "dataset",
    "read_chunks": "row_chunks",
    "stream_preset": "synthetic",
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
    "Feature",
    "KeyedRows",
    "Label",
    "RowChunk",
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
    "read_chunks",
    "stream_preset",
]


def __getattr__(name: str) -> Any:
    """Load what needs the data stack when it is first asked for."""
    if name in _LAZY:
        return getattr(import_module(f"hybridhash.data.{_LAZY[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
