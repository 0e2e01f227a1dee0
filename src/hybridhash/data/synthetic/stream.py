"""The synthetic stream: a seeded click log of any length with a known teacher, made block by block."""

from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import numpy as np

from hybridhash.data.paths import PARQUET, extension
from hybridhash.data.synthetic.arrow import stream_batch, stream_schema
from hybridhash.data.synthetic.rows import draw_rows
from hybridhash.data.synthetic.settings import StreamColumns, StreamSettings
from hybridhash.data.synthetic.teacher import Teacher
from hybridhash.data.synthetic.writing import check_stream_name, write_parquet, write_text
from hybridhash.errors import InvalidValueError
from hybridhash.files import replacing

DEFAULT_BLOCK_ROWS: Final = 1 << 15
MAX_BLOCK_ROWS: Final = 1 << 20


class SyntheticStream:
    """A click log that exists nowhere: every block of rows is made when it is asked for.

    A row depends on the settings and its number alone, so blocks can be made in any order, in any
    process, and of any size. `hybridhash.data.synthetic.teacher.Teacher` says what the labels depend on.

    Results are the same bit for bit on one machine with one numpy; another build of numpy may round a
    logarithm differently, which moves a probability by its last digits.

    Args:
        settings: What the stream is made of.
        block_rows: Rows of a block, in [1, 2**20]; the last block has what is left.

    Raises:
        InvalidValueError: ``block_rows`` is out of range.

    Example:
        >>> from hybridhash.data.synthetic.settings import StreamCategorical
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
            index: The index, in [0, num_blocks).

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

    def write(self, path: str | Path, progress: Callable[[int, int], None] | None = None) -> None:
        """Write the stream to a file of the kind that its name says: Parquet, or text with a header.

        About 2**18 rows are held at a time. The file appears under its name when it is complete.

        Args:
            path: A name that ends in ``.parquet`` or ``.pq``; or in ``.csv``, ``.tsv``, ``.txt`` or ``.dat``, also with
                ``.gz`` or ``.zst`` behind it. A file that exists is replaced.
            progress: Called with the rows written so far and the rows in all.

        Raises:
            InvalidValueError: Another ending.
            FileAccessError: The file cannot be written.
        """
        target = Path(path)
        check_stream_name(target)
        if extension(target.name) in PARQUET:
            self.write_parquet(target, progress)
            return
        with replacing(target) as file:
            self._count(write_text(file, target, self.schema, self.batches()), progress)

    def write_parquet(self, path: str | Path, progress: Callable[[int, int], None] | None = None) -> None:
        """Write the stream to a Parquet file of any name, holding about 2**18 rows at a time.

        Args:
            path: The file, which appears under its name when it is complete; one that exists is replaced.
            progress: Called with the rows written so far and the rows in all, once per row group.

        Raises:
            FileAccessError: The file cannot be written.
        """
        with replacing(Path(path)) as file:
            self._count(write_parquet(file, self.schema, self.batches()), progress)

    def _count(self, written: Generator[int], progress: Callable[[int, int], None] | None) -> None:
        """Let all rows be written, and say how far it is."""
        num_written = 0
        with closing(written):
            for num_rows in written:
                num_written += num_rows
                if progress:
                    progress(num_written, self.num_rows)
