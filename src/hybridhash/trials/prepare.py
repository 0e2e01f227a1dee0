"""From files and settings to rows as keys, and counts of the keys."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import gettempdir
from typing import Any

from hybridhash.data import (
    TEST,
    TRAIN,
    VALIDATION,
    Columns,
    Dataset,
    KeyedRows,
    Label,
    Source,
    Split,
    open_source,
    prepare,
)
from hybridhash.data.column_names import find_name
from hybridhash.errors import InvalidValueError
from hybridhash.files import scratch_folder
from hybridhash.trials.progress import Listener
from hybridhash.trials.settings import DataSettings
from hybridhash.vocabulary import Counts, count_key_chunks


@dataclass(frozen=True)
class Prepared:
    """Rows ready to train on.

    Attributes:
        dataset: The schema, the discretiser, the rows as keys, and what was found while they were read.
        counts: Keys of the training span, validation rows included.
        source: The files as a person would name them.
        files: Every file that was read.
    """

    dataset: Dataset
    counts: Counts
    source: str
    files: tuple[str, ...]

    def count_test(self) -> Counts:
        """Count the keys of the test rows, to say how many were never seen; nothing is learned from them."""
        return _count(self.dataset.rows, (TEST,), self.dataset.schema.seed)


def resolve_columns(source: Source, settings: DataSettings, *, label_required: bool = True) -> Columns:
    """Return the columns to use: those of the format, with what the settings name in their place.

    Args:
        source: The opened files.
        settings: What was asked for.
        label_required: Whether the rows must have a label.

    Returns:
        The columns.

    Raises:
        InvalidValueError: No label, or no features.
    """

    def found(names: Sequence[str]) -> tuple[str, ...]:
        return tuple(find_name(name, source.columns) for name in names)

    label = Label.parse(settings.label) if settings.label else None
    given: dict[str, Any] = {
        "label": label and replace(label, column=find_name(label.column, source.columns)),
        "categorical": found(settings.categorical),
        "numeric": found(settings.numeric),
        "lists": found(settings.list),
        "crosses": tuple(cross.strip() for cross in settings.cross),
        "time": settings.time,
        "weight": settings.weight,
        "list_separator": settings.list_separator,
    }
    if source.defaults is not None:
        columns = replace(source.defaults, **{name: value for name, value in given.items() if value})
    else:
        columns = Columns(**given)
    if label_required and columns.label is None:
        raise InvalidValueError(
            "--label: expected what to predict, such as --label clicked or --label 'rating>=8'"
        )
    return columns


@contextmanager
def work_folder(settings: DataSettings) -> Iterator[Path]:
    """Yield a folder for temporary files and remove it afterwards, with folders that killed processes have left.

    Raises:
        InvalidValueError: ``work_dir`` is not a folder that can be written to.
    """
    with ExitStack() as stack:
        try:
            parent = Path(settings.work_dir or gettempdir())
            folder = stack.enter_context(scratch_folder(parent, "hybridhash-"))
        except OSError as error:
            raise InvalidValueError(
                f"--work-dir: expected a folder that can be written to, got {settings.work_dir} ({error.strerror})"
            ) from error
        yield folder


def prepare_rows(
    data: Sequence[str], settings: DataSettings, work_dir: Path, listener: Listener, *, seed: int = 0
) -> Prepared:
    """Read, check, split, discretise, encode and count.

    Vocabulary and discretiser see the training span only.

    Args:
        data: Files, globs or folders.
        settings: Columns and split.
        work_dir: The folder for the keys of the rows, which are read from there as long as they are used.
        listener: Hears how far it is.
        seed: The seed of the key hash and of random splits.

    Returns:
        The rows and the counts.

    Raises:
        DataError: The data cannot be used.
    """
    if not data:
        raise InvalidValueError("data: expected one or more files, got none")
    source = open_source(list(data), settings.format, quote=settings.quote)
    dataset = prepare(
        source,
        Split.parse(settings.split, settings.validation),
        work_dir,
        columns=resolve_columns(source, settings),
        seed=seed,
        num_bins=settings.num_bins,
        validation_share=settings.validation_share,
        on_error=settings.on_error,
        progress=listener.stage,
        extra=(settings.reference,) if settings.reference else (),
    )
    if dataset.note:
        listener.note(dataset.note)
    if dataset.skipped:
        reasons = "; ".join(f"{count:,} ({reason})" for reason, count in dataset.skipped.items())
        listener.note(f"skipped rows: {reasons}")
    listener.stage("count keys", 0, None)
    counts = _count(dataset.rows, (TRAIN, VALIDATION), seed)
    listener.stage("count keys", 1, 1)
    return Prepared(dataset, counts, ", ".join(data), source.files)


def _count(rows: KeyedRows, parts: tuple[int, ...], seed: int) -> Counts:
    num_rows = int(rows.indices(*parts).size)
    return count_key_chunks(rows.key_chunks(*parts), rows.schema.names, num_rows, seed)
