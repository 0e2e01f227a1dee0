"""Preparing a source to learn from: rows are read, checked and split, bins are learned, values become keys."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from hybridhash.data.batch import Bags
from hybridhash.data.checked_rows import CheckedRows, OnError, check_rows
from hybridhash.data.column_sql import LABEL, PART, TIME, WEIGHT, learn_dtype
from hybridhash.data.columns import Columns, Label, cross_parts
from hybridhash.data.database import require_space
from hybridhash.data.discretiser import DEFAULT_NUM_BINS, Discretiser, Float64s, percentile_edges
from hybridhash.data.encode import encode_columns
from hybridhash.data.keyed_rows import KeyedRows, allocate
from hybridhash.data.progress import OnStage
from hybridhash.data.schema import Feature, Kind, Schema
from hybridhash.data.source import Source
from hybridhash.data.split import DEFAULT_VALIDATION_SHARE, TEST, Split, SplitResult, assign_parts
from hybridhash.errors import DataError, InvalidValueError

_BATCH_ROWS: Final = 1 << 16


@dataclass(frozen=True)
class Dataset:
    """A source that has been prepared: its rows as keys, and what was learned from them.

    Attributes:
        schema: The features and their types.
        discretiser: The bins of the numeric features, learned on the training span.
        rows: The rows as keys.
        label: What is predicted.
        split: How the rows were divided.
        skipped: How many rows were left out, by reason.
        num_positives: Rows with label 1.
        note: What a reader of the results should know of the files and the split; may be empty.
    """

    schema: Schema
    discretiser: Discretiser
    rows: KeyedRows
    label: Label
    split: SplitResult
    skipped: dict[str, int]
    num_positives: int
    note: str = ""

    @property
    def num_rows(self) -> int:
        """Rows in all parts together."""
        return self.rows.num_rows


def learn_schema(source: Source, columns: Columns, seed: int = 0) -> Schema:
    """Fix the features and the types of their values.

    Ids in text files are strings, since leading zeros matter; in Parquet they are what the column is.

    Args:
        source: The data to learn from.
        columns: What is used as what.
        seed: The seed of the key hash.

    Raises:
        DataError: A missing column, or a type that cannot be used.
    """
    kinds: list[tuple[Kind, Sequence[str]]] = [
        ("categorical", columns.categorical),
        ("numeric", columns.numeric),
        ("list", columns.lists),
    ]
    features = [
        Feature(name, kind, learn_dtype(source, name, kind)) for kind, names in kinds for name in names
    ]
    single = (*columns.categorical, *columns.numeric)
    features += [Feature(cross, "cross", "key", cross_parts(cross, single)) for cross in columns.crosses]
    return Schema(tuple(features), seed, columns.list_separator)


def prepare(
    source: Source,
    split: Split,
    work_dir: str | Path,
    *,
    columns: Columns | None = None,
    seed: int = 0,
    num_bins: int = DEFAULT_NUM_BINS,
    validation_share: float = DEFAULT_VALIDATION_SHARE,
    on_error: OnError = "raise",
    extra: Sequence[str] = (),
    progress: OnStage | None = None,
) -> Dataset:
    """Read a source, and turn its rows into keys; nothing is learned from the test rows.

    Args:
        source: The data.
        split: How to divide the rows.
        work_dir: The folder for the arrays of keys, and for temporary files of what does not fit memory. It is made
            where there is none, and it has to stay while the rows are used.
        columns: What is used as what; by default what the source's format says.
        seed: The seed of the key hash and of random draws.
        num_bins: Percentile bins per numeric feature, at least 2.
        validation_share: The share of the training span that is for validation, in [0, 1); not used where the split
            names its validation.
        on_error: ``raise`` on the first row that cannot be used, or ``skip`` and count such rows.
        extra: Columns of numbers that are passed through to `KeyedRows.extra`.
        progress: Told how far ``read``, ``sort``, ``discretise`` and ``encode`` are.

    Returns:
        The data set.

    Raises:
        InvalidValueError: No columns or no label, or an argument out of range.
        DataError: Data that cannot be used; see `check_rows` and `assign_parts`; labels that are all
            equal; a folder that cannot be written or is too small.

    Example:
        >>> from hybridhash.data import Columns, Label, Split, open_source, prepare
        >>> columns = Columns(Label("clicked"), categorical=("user_id", "site"), time="ts")
        >>> data = prepare(open_source("clicks.parquet"), Split("time"), "work", columns=columns)
        >>> [feature.name for feature in data.schema.features]
        ['user_id', 'site']
    """
    columns = columns or source.defaults
    if columns is None or columns.label is None:
        raise InvalidValueError(
            "columns: expected features and a label, got none; name them, or a format that has them"
        )
    if num_bins < 2:
        raise InvalidValueError(f"num_bins: expected 2 or more, got {num_bins}")
    folder = _make_folder(Path(work_dir).absolute())
    schema = learn_schema(source, columns, seed)
    checked = check_rows(
        source, columns, schema, split, folder, extra=extra, on_error=on_error, progress=progress
    )
    sides = _read_sides(checked, folder, extra)
    labels = sides[LABEL]
    num_positives = int(np.count_nonzero(labels))
    if num_positives in (0, checked.num_rows):
        raise DataError(
            f"{source.name}, label {str(columns.label)!r}: expected both 0 and 1, got only {int(labels[0])} "
            f"in {checked.num_rows} rows; choose another column or comparison"
        )
    part = sides.pop(PART)
    result = assign_parts(
        split, part, times=sides.get(TIME), rows=sides["row"], validation_share=validation_share, seed=seed
    )
    _require_both_labels(labels, part, result)
    discretiser = _learn_discretiser(checked, schema, part, num_bins, folder, progress)
    singles, lists = _encode(checked, schema, discretiser, folder, progress)
    checked.path.unlink()
    (folder / "row.npy").unlink()
    passed = {name: sides[f"x{index}"] for index, name in enumerate(extra)}
    note = "; ".join(filter(None, (checked.note, result.note)))
    rows = KeyedRows(schema, singles, lists, labels, part, sides.get(WEIGHT), sides.get(TIME), passed)
    return Dataset(schema, discretiser, rows, columns.label, result, checked.skipped, num_positives, note)


def _make_folder(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".probe"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise DataError(f"{folder}: expected a work directory that can be written, got: {error}") from error
    return folder


def _read_sides(checked: CheckedRows, folder: Path, extra: Sequence[str]) -> dict[str, npt.NDArray[Any]]:
    """Copy what is not a feature into memory-mapped arrays."""
    dtypes: dict[str, Any] = {
        LABEL: np.float32,
        WEIGHT: np.float32,
        TIME: np.float64,
        PART: np.uint8,
        "row": np.int64,
    }
    dtypes |= {f"x{index}": np.float64 for index in range(len(extra))}
    present = [name for name in dtypes if name in checked.columns]
    sides = {
        name: allocate(folder / f"{name}.npy", dtypes[name], (checked.num_rows,)) for name in {*present, PART}
    }
    start = 0
    for batch in checked.batches(present, _BATCH_ROWS):
        for name in present:
            sides[name][start : start + batch.num_rows] = batch.column(name).to_numpy(zero_copy_only=False)
        start += batch.num_rows
    return sides


def _require_both_labels(
    labels: npt.NDArray[np.float32], part: npt.NDArray[np.uint8], result: SplitResult
) -> None:
    for name, chosen in (("training span", part < TEST), ("test", part == TEST)):
        positives = int(np.count_nonzero(labels[chosen]))
        if positives in (0, int(np.count_nonzero(chosen))):
            raise DataError(
                f"split {result.split}: expected both labels in the {name}, got only {int(positives > 0)}; "
                + "; ".join(filter(None, ("use another split", result.note)))
            )


def _learn_discretiser(
    checked: CheckedRows,
    schema: Schema,
    part: npt.NDArray[np.uint8],
    num_bins: int,
    folder: Path,
    progress: OnStage | None,
) -> Discretiser:
    """Learn the edges on the training span, one column at a time, in a file that may exceed memory."""
    num_span = int(np.count_nonzero(part < TEST))
    edges: dict[str, Float64s] = {}
    numeric = schema.of_kind("numeric")
    path = folder / "values.npy"
    for number, feature in enumerate(numeric):
        column = f"f{schema.columns.index(feature.name)}"
        if not number:
            require_space(folder, 8 * num_span, "one numeric column")
        values = allocate(path, np.float64, (num_span,))
        start, filled = 0, 0
        for batch in checked.batches([column], _BATCH_ROWS):
            floats = batch.column(0).to_numpy(zero_copy_only=False)  # null becomes NaN
            chosen = floats[part[start : start + batch.num_rows] < TEST]
            values[filled : filled + chosen.size] = chosen
            start += batch.num_rows
            filled += chosen.size
        edges[feature.name] = percentile_edges(values, num_bins)
        if progress is not None:
            progress("discretise", number + 1, len(numeric))
    path.unlink(missing_ok=True)
    return Discretiser(edges)


def _encode(
    checked: CheckedRows, schema: Schema, discretiser: Discretiser, folder: Path, progress: OnStage | None
) -> tuple[npt.NDArray[np.int64], tuple[Bags, ...]]:
    names = [f"f{index}" for index in range(len(schema.columns))]
    list_features = schema.of_kind("list")
    num_single = len(schema.features) - len(list_features)
    num_ids = [
        int(checked.scalar(f"coalesce(sum(coalesce(len(f{schema.columns.index(feature.name)}), 1)), 0)"))
        for feature in list_features
    ]
    needed_bytes = 8 * (checked.num_rows * (num_single + len(list_features)) + sum(num_ids))
    require_space(folder, needed_bytes, "the keys of the rows")
    singles = allocate(folder / "singles.npy", np.int64, (checked.num_rows, num_single))
    lists = [
        Bags(
            allocate(folder / f"list{index}_keys.npy", np.int64, (count,)),
            allocate(folder / f"list{index}_offsets.npy", np.int64, (checked.num_rows + 1,)),
        )
        for index, count in enumerate(num_ids)
    ]
    ends = [0] * len(lists)
    start = 0
    for batch in checked.batches(names, _BATCH_ROWS):
        columns = {name: batch.column(index) for index, name in enumerate(schema.columns)}
        features = encode_columns(columns, schema, discretiser, first_row=start)
        single = [bags.keys for bags in features if bags.offsets is None]
        end = start + batch.num_rows
        for index, keys in enumerate(single):
            singles[start:end, index] = keys
        several = [bags for bags in features if bags.offsets is not None]
        for index, (bags, into) in enumerate(zip(several, lists, strict=True)):
            if bags.offsets is not None and into.offsets is not None:
                into.offsets[start + 1 : end + 1] = bags.offsets[1:] + ends[index]
            into.keys[ends[index] : ends[index] + bags.keys.size] = bags.keys
            ends[index] += bags.keys.size
        start = end
        if progress is not None:
            progress("encode", start, checked.num_rows)
    return singles, tuple(lists)
