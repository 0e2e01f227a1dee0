"""A small stream, whole."""

from dataclasses import replace

import pyarrow as pa

from hybridhash.data.synthetic.presets import stream_preset
from hybridhash.data.synthetic.stream import SyntheticStream

SETTINGS = replace(stream_preset("demo", scale=0.1), num_rows=20_011)


def whole(stream: SyntheticStream) -> pa.Table:
    return pa.Table.from_batches(stream.batches()).combine_chunks()
