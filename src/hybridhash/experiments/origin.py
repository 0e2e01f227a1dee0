"""Which rows a bundle was trained on, and whether other rows are among them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from hybridhash.trials import Prepared

NOTE: Final = "rows"
"""The note of a bundle that says it."""


def origin_of(prepared: Prepared) -> dict[str, Any]:
    """Return the note of a bundle on its rows: the files by name and size, and how many rows were learned from.

    Args:
        prepared: The rows.
    """
    split = prepared.dataset.split
    return {
        "files": _named(prepared.files),
        "all": prepared.dataset.num_rows,
        "train": split.num_train + split.num_validation,
    }


def trained_on(notes: Mapping[str, Any], files: Sequence[str]) -> str | None:
    """Say that a model has learned from the files that it is to be judged on.

    Args:
        notes: Notes of the bundle.
        files: The files.

    Returns:
        One sentence; None where a file is another one, by name or size, or the bundle does not tell.
    """
    origin = notes.get(NOTE)
    if origin is None or not all(named in origin["files"] for named in _named(files)):
        return None
    return (
        f"the model was trained on {origin['train']:,} of the {origin['all']:,} rows of its files, and these are among "
        "them; figures on rows that a model has learned are better than on new ones"
    )


def _named(files: Sequence[str]) -> list[list[Any]]:
    return [[Path(file).name, Path(file).stat().st_size] for file in files]
