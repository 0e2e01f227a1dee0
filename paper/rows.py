"""Raw rows of a study on disk, so that an interrupted study goes on where it stopped."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from hybridhash.files import write_text

Row = dict[str, Any]
_DIGITS: Final = 16


def row_key(**settings: Any) -> str:
    """Name a row by all that it depends on; what JSON cannot hold counts as its text."""
    text = json.dumps(settings, sort_keys=True, default=repr)
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]


class Rows:
    """Rows of one study by their keys, as JSON lines.

    Args:
        path: The file; what stands there is read.
    """

    def __init__(self, path: Path) -> None:
        """Read the rows that are there."""
        self._path: Final = path
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        self._rows: dict[str, Row] = {row["key"]: row for row in map(json.loads, lines)}

    def get(self, key: str) -> Row | None:
        """Return a row that was kept, or None."""
        return self._rows.get(key)

    def keep(self, key: str, row: Mapping[str, Any]) -> Row:
        """Add a row, write the file whole or not at all, and return the row with its key."""
        self._rows[key] = {"key": key, **row}
        self._write()
        return self._rows[key]

    def only(self, keys: Iterable[str]) -> list[Row]:
        """Drop all rows but these, such as those of other settings, and return them in this order."""
        self._rows = {key: self._rows[key] for key in keys}
        self._write()
        return list(self._rows.values())

    def _write(self) -> None:
        lines = (json.dumps(row, allow_nan=False) for row in self._rows.values())
        write_text(self._path, "".join(f"{line}\n" for line in lines))
