"""Every engine that can hold the rows to be counted."""

from collections.abc import Callable
from typing import Any

import duckdb
import narwhals as nw
import numpy as np
import polars as pl
import pyarrow as pa

INT64 = np.iinfo(np.int64)
ENGINES: dict[str, Callable[[pa.Table], Any]] = {
    "arrow": lambda table: table,
    "Arrow batch": lambda table: (
        table.combine_chunks().to_batches(max_chunksize=len(table) or None)[0] if len(table) else table
    ),
    "duckdb": lambda table: duckdb.from_arrow(table),
    "polars": lambda table: pl.from_arrow(table),
    "polars-lazy": lambda table: pl.from_arrow(table).lazy(),  # type: ignore[union-attr]
    "narwhals": lambda table: nw.from_native(pl.from_arrow(table)),
}
