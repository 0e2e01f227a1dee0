"""The file of ``predict``: probabilities, and columns of the input that are kept beside them, as CSV or Parquet."""

from collections.abc import Iterable, Mapping
from typing import Any, BinaryIO, Final

import numpy as np
import numpy.typing as npt

from hybridhash.errors import InvalidTypeError

COLUMN: Final = "probability"

Scores = Iterable[tuple[Mapping[str, Any], npt.NDArray[np.float32]]]
"""Chunk by chunk the Arrow arrays of the columns that are kept, by name, and the probabilities of the same rows."""


def write_csv(scores: Scores, file: BinaryIO, list_separator: str) -> int:
    """Write probabilities as CSV with a header, in which a null is an empty field.

    Args:
        scores: The probabilities and what stands beside them.
        file: A file that is open for bytes.
        list_separator: What stands between the elements of a list.

    Returns:
        The number of rows.

    Raises:
        InvalidTypeError: A kept column whose values have no text, such as structs.
    """
    num_rows = 0
    for kept, part in scores:
        texts = [f"{value}" for value in part]
        if kept:
            file.write(_csv_of(kept, texts, list_separator, with_header=not num_rows))
        else:
            header = "" if num_rows else f"{COLUMN}\n"  # not before the first rows have proved good
            file.write((header + "".join(f"{text}\n" for text in texts)).encode())
        num_rows += part.size
    return num_rows


def write_parquet(scores: Scores, file: BinaryIO) -> int:
    """Write probabilities as Parquet, and the kept columns in the types that they have in the data.

    Args:
        scores: The probabilities and what stands beside them.
        file: A file that is open for bytes.

    Returns:
        The number of rows.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    writer: Any = None
    num_rows = 0
    try:
        for kept, part in scores:
            table = pa.table({**kept, COLUMN: pa.array(part, pa.float32())})
            writer = writer or pq.ParquetWriter(file, table.schema)
            writer.write_table(table)
            num_rows += part.size
    finally:
        if writer is not None:
            writer.close()
    return num_rows


def _csv_of(kept: Mapping[str, Any], texts: list[str], list_separator: str, *, with_header: bool) -> bytes:
    import pyarrow as pa
    import pyarrow.csv

    columns = {name: _as_text(name, values, list_separator) for name, values in kept.items()}
    out = pa.BufferOutputStream()
    options = pyarrow.csv.WriteOptions(include_header=with_header, quoting_style="needed")
    pyarrow.csv.write_csv(pa.table({**columns, COLUMN: texts}), out, options)
    return out.getvalue().to_pybytes()  # type: ignore[no-any-return]


def _as_text(name: str, values: Any, list_separator: str) -> Any:
    """Return an Arrow column of lists as text, and any other column as it is."""
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = values.type
    try:
        if pa.types.is_list(kind):
            return pc.binary_join(values.cast(pa.list_(pa.string())), list_separator)
        if pa.types.is_nested(kind):
            raise pa.ArrowNotImplementedError
        return values if pa.types.is_primitive(kind) else values.cast(pa.string())
    except pa.ArrowException:
        raise InvalidTypeError(
            f"--keep {name}: expected values that CSV can hold, got {kind}; write a .parquet file instead"
        ) from None
