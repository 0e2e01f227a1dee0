"""Writing a synthetic stream to a file: Parquet or text, as the file's name says."""

import os
from collections.abc import Generator, Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, Final

from hybridhash.data.paths import COMPRESSED, PARQUET, TEXT, extension
from hybridhash.data.synthetic.arrow import arrow
from hybridhash.errors import InvalidValueError

GROUP_ROWS: Final = 1 << 18  # rows that are held at a time, and of a Parquet row group
LIST_SEPARATOR: Final = "|"

_CODECS: Final = {".gz": "gzip", ".zst": "zstd"}


def check_stream_name(path: Path) -> None:
    """Refuse a name that says no kind of file.

    Raises:
        InvalidValueError: The ending is none of Parquet's and of text, or a compressed Parquet file is asked for.
    """
    kind = extension(str(path))
    if kind not in PARQUET + TEXT or (kind in PARQUET and path.suffix.lower() in COMPRESSED):
        raise InvalidValueError(
            f"{path}: expected a name that ends in one of {', '.join(PARQUET + TEXT)} (text also with "
            f"{' or '.join(COMPRESSED)}), got {path.suffix or 'no ending'!r}; choose the kind of file by its ending"
        )


def write_parquet(file: BinaryIO, schema: Any, batches: Iterable[Any]) -> Generator[int]:
    """Write record batches as Parquet, a row group of about 2**18 rows at a time.

    Args:
        file: Open for bytes.
        schema: The schema of the batches.
        batches: ``pyarrow.RecordBatch``es.

    Yields:
        The rows of each group when it is written.
    """
    import pyarrow.parquet as pq

    with pq.ParquetWriter(file, schema, compression="zstd") as writer:
        for table in _groups(batches):
            writer.write_table(table, row_group_size=table.num_rows)
            yield table.num_rows


def write_text(file: BinaryIO, path: Path, schema: Any, batches: Iterable[Any]) -> Generator[int]:
    """Write record batches as text with a header, as the readers take it.

    A null is an empty field, NaN is ``nan``, and a bar stands between the elements of a list. An empty list cannot be
    told from a null.

    Args:
        file: Open for bytes.
        path: Its name, which says delimiter and compression.
        schema: The schema of the batches.
        batches: ``pyarrow.RecordBatch``es.

    Yields:
        As `write_parquet`.
    """
    pa = arrow()
    import pyarrow.csv

    ending = path.suffix.lower()
    out: Any = file
    if ending in _CODECS:  # which closes what it writes to
        out = pa.CompressedOutputStream(os.fdopen(os.dup(file.fileno()), "wb"), _CODECS[ending])
    options = pyarrow.csv.WriteOptions(
        delimiter="\t" if extension(str(path)) == ".tsv" else ",", quoting_style="needed"
    )
    texts = pa.schema([(field.name, _text_type(field.type)) for field in schema])
    with pyarrow.csv.CSVWriter(out, texts, write_options=options) as writer:
        for table in _groups(batches):
            columns = [_as_text(column) for column in table.columns]
            writer.write_table(pa.table(columns, schema=texts))
            yield table.num_rows
    if out is not file:
        out.close()


def _text_type(kind: Any) -> Any:
    pa = arrow()
    return pa.string() if pa.types.is_list(kind) else kind


def _as_text(column: Any) -> Any:
    """Return a column of lists as text, and any other as it is."""
    pa = arrow()
    import pyarrow.compute as pc

    if not pa.types.is_list(column.type):
        return column
    return pc.binary_join(column.cast(pa.list_(pa.string())), LIST_SEPARATOR)


def _groups(batches: Iterable[Any]) -> Iterator[Any]:
    """Put batches together to tables of about `GROUP_ROWS` rows."""
    group: list[Any] = []
    for batch in batches:
        group.append(batch)
        if sum(part.num_rows for part in group) >= GROUP_ROWS:
            yield arrow().Table.from_batches(group)
            group = []
    if group:
        yield arrow().Table.from_batches(group)
