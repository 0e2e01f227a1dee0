"""Raw rows on disk, so that an interrupted study or benchmark goes on where it stopped."""

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
    """Rows of a file by their keys, as JSON lines; processes may add to one file at a time.

    Args:
        path: The file; what stands there is read, and of equal keys the last counts.
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
        """Append a row in one write, and return it with its key."""
        kept = {"key": key, **row}
        with self._path.open("a", encoding="utf-8") as file:
            file.write(_line(kept))
        self._rows[key] = kept
        return kept

    def only(self, keys: Iterable[str]) -> list[Row]:
        """Drop all rows but these, such as those of other settings, and return them in this order.

        The file is written whole or not at all.
        """
        self._rows = {key: self._rows[key] for key in keys}
        write_text(self._path, "".join(map(_line, self._rows.values())))
        return list(self._rows.values())


def _line(row: Row) -> str:
    return json.dumps(row, allow_nan=False) + "\n"
