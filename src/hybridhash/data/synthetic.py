"""A seeded click log of any length with a known teacher, made block by block."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np

from hybridhash.data.synthetic_arrow import arrow, stream_batch, stream_schema
from hybridhash.data.synthetic_rows import draw_rows
from hybridhash.data.synthetic_settings import StreamColumns, StreamSettings
from hybridhash.data.synthetic_teacher import Teacher
from hybridhash.errors import DataError, InvalidValueError

DEFAULT_BLOCK_ROWS: Final = 1 << 15
MAX_BLOCK_ROWS: Final = 1 << 20

_GROUP_ROWS: Final = 1 << 18  # rows of a Parquet row group


class SyntheticStream:
    """A click log that exists nowhere: every block of rows is made when it is asked for.

    A row depends on the settings and its number alone, so blocks can be made in any order, in any
    process, and of any size. `hybridhash.data.synthetic_teacher.Teacher` says what the labels depend on.

    Results are the same bit for bit on one machine with one numpy; another build of numpy may round a
    logarithm differently, which moves a probability by its last digits.

    Args:
        settings: What the stream is made of.
        block_rows: Rows of a block, in [1, 2**20]; the last block has what is left.

    Raises:
        InvalidValueError: ``block_rows`` is out of range.

    Example:
        >>> from hybridhash.data.synthetic_settings import StreamCategorical
        >>> user = StreamCategorical("user_id", num_ids=1000, exponent=1.0, strength=1.0)
        >>> stream = SyntheticStream(StreamSettings(num_rows=70_000, duration_s=3600, categorical=(user,)))
        >>> [batch.num_rows for batch in stream.batches()]
        [32768, 32768, 4464]
        >>> stream.schema.names
        ['ts', 'user_id', 'clicked', 'probability']
    """

    def __init__(self, settings: StreamSettings, block_rows: int = DEFAULT_BLOCK_ROWS) -> None:
        """Set the teacher up, which draws up to 65,536 rows."""
        if not 1 <= block_rows <= MAX_BLOCK_ROWS:
            raise InvalidValueError(f"block_rows: expected an integer in [1, 2**20], got {block_rows}")
        self.settings = settings
        self.block_rows = block_rows
        self._teacher = Teacher(settings)

    @property
    def num_rows(self) -> int:
        """How many rows the stream has."""
        return self.settings.num_rows

    @property
    def num_blocks(self) -> int:
        """How many blocks the stream has."""
        return -(-self.num_rows // self.block_rows)

    @property
    def columns(self) -> StreamColumns:
        """Which column is what."""
        return self.settings.columns()

    @property
    def schema(self) -> Any:
        """The ``pyarrow.Schema`` of every batch."""
        return stream_schema(self.settings)

    def block(self, index: int) -> Any:
        """Make one block.

        Args:
            index: In [0, num_blocks).

        Returns:
            A ``pyarrow.RecordBatch`` of ``block_rows`` rows, fewer in the last block.

        Raises:
            InvalidValueError: There is no such block.
        """
        if not 0 <= index < self.num_blocks:
            raise InvalidValueError(f"block: expected an index in [0, {self.num_blocks}), got {index}")
        first = index * self.block_rows
        rows = np.arange(first, min(first + self.block_rows, self.num_rows), dtype=np.int64)
        drawn = draw_rows(self.settings, rows)
        probabilities = self._teacher.probabilities(drawn)
        labels = self._teacher.labels(probabilities, rows)
        return stream_batch(self.settings, drawn, labels, probabilities)

    def batches(self) -> Iterator[Any]:
        """Make all blocks in order, one at a time.

        Yields:
            ``pyarrow.RecordBatch``es, as from `block`.
        """
        for index in range(self.num_blocks):
            yield self.block(index)

    __iter__ = batches

    def write_parquet(self, path: str | Path, progress: Callable[[int, int], None] | None = None) -> None:
        """Write the stream to a Parquet file, holding about 2**18 rows at a time.

        The file appears under its name when it is complete: it is written beside it, synced and renamed.
        On an error or an interrupt nothing is left.

        Args:
            path: The file; one that exists is replaced.
            progress: Called with the rows written so far and the rows in all, once per row group.

        Raises:
            DataError: The file cannot be written.
        """
        target = Path(path)
        temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
        try:
            with temporary.open("wb") as file:
                self._write_groups(file, progress)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(target)
        except OSError as error:
            raise DataError(
                f"{target}: expected a file that can be written, got {error.strerror or error}; "
                "choose another folder or name"
            ) from error
        finally:
            temporary.unlink(missing_ok=True)

    def _write_groups(self, file: Any, progress: Callable[[int, int], None] | None) -> None:
        pa = arrow()
        import pyarrow.parquet as pq

        with pq.ParquetWriter(file, self.schema, compression="zstd") as writer:
            group: list[Any] = []
            num_written = 0
            for batch in self.batches():
                group.append(batch)
                num_pending = sum(part.num_rows for part in group)
                if num_pending < _GROUP_ROWS and num_written + num_pending < self.num_rows:
                    continue
                writer.write_table(pa.Table.from_batches(group), row_group_size=num_pending)
                num_written += num_pending
                group.clear()
                if progress:
                    progress(num_written, self.num_rows)
