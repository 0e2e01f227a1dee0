"""Drawn rows of a synthetic stream as Arrow record batches."""

from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt

from hybridhash.data.synthetic.ids import TEXT_ID_CHARS, text_ids
from hybridhash.data.synthetic.random import Floats
from hybridhash.data.synthetic.rows import NULL_ID, DrawnLists, DrawnNumbers, DrawnRows
from hybridhash.data.synthetic.settings import LABEL_COLUMN, PROBABILITY_COLUMN, TIME_COLUMN, StreamSettings
from hybridhash.errors import MissingDependencyError
from hybridhash.hashing.mix import UInt64s


def arrow() -> ModuleType:
    """Import pyarrow when it is first needed.

    Raises:
        MissingDependencyError: It is not installed.
    """
    try:
        import pyarrow as pa
    except ImportError as error:
        raise MissingDependencyError(
            "the synthetic stream: expected pyarrow, which is not installed; pip install 'hybridhash[cli]'"
        ) from error
    return pa  # type: ignore[no-any-return]


def stream_schema(settings: StreamSettings) -> Any:
    """Return the columns and types of a stream: time, features, label, the teacher's probability.

    Args:
        settings: What the stream is made of.

    Returns:
        A ``pyarrow.Schema``.
    """
    pa = arrow()
    ids = {True: pa.string(), False: pa.int64()}
    return pa.schema(
        [(TIME_COLUMN, pa.int64())]
        + [(feature.name, ids[feature.text]) for feature in settings.categorical]
        + [(feature.name, pa.float64()) for feature in settings.numeric]
        + [(feature.name, pa.list_(ids[feature.text])) for feature in settings.lists]
        + [(LABEL_COLUMN, pa.int8()), (PROBABILITY_COLUMN, pa.float64())]
    )


def stream_batch(
    settings: StreamSettings, drawn: DrawnRows, labels: npt.NDArray[np.int8], probabilities: Floats
) -> Any:
    """Put drawn rows into a record batch.

    Args:
        settings: What the stream is made of.
        drawn: The features of B rows.
        labels: int8[B].
        probabilities: float64[B].

    Returns:
        A ``pyarrow.RecordBatch`` of B rows with the columns of `stream_schema`.
    """
    pa = arrow()
    columns = [pa.array(drawn.times_s)]
    columns += [_id_array(drawn.ids[feature.name], feature.text) for feature in settings.categorical]
    columns += [_number_array(drawn.numbers[feature.name]) for feature in settings.numeric]
    columns += [_list_array(drawn.lists[feature.name], feature.text) for feature in settings.lists]
    columns += [pa.array(labels), pa.array(probabilities)]
    return pa.RecordBatch.from_arrays(columns, schema=stream_schema(settings))


def _id_array(ids: UInt64s, text: bool) -> Any:
    pa = arrow()
    is_null = ids == np.uint64(NULL_ID)
    if not text:
        return pa.array(ids.view(np.int64), mask=is_null)
    num_nulls = int(np.count_nonzero(is_null))
    present = pa.py_buffer(np.packbits(~is_null, bitorder="little")) if num_nulls else None
    offsets = np.arange(ids.size + 1, dtype=np.int32) * np.int32(TEXT_ID_CHARS)
    # The characters under a null are unused: its bits beyond an id's are cut off.
    return pa.StringArray.from_buffers(
        ids.size, pa.py_buffer(offsets), pa.py_buffer(text_ids(ids)), present, num_nulls
    )


def _list_array(lists: DrawnLists, text: bool) -> Any:
    offsets = np.zeros(lists.lengths.size + 1, dtype=np.int32)
    np.cumsum(lists.lengths, out=offsets[1:])
    return arrow().ListArray.from_arrays(offsets, _id_array(lists.ids, text))


def _number_array(numbers: DrawnNumbers) -> Any:
    values = np.where(numbers.is_nan, np.nan, numbers.values)
    return arrow().array(values, mask=numbers.is_null)
