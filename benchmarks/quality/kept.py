"""Finished runs as JSON lines by the settings that they depend on, so that an interrupted benchmark goes on."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from paper.rows import row_key

Row = dict[str, Any]


class Kept:
    """Rows of a file by their keys; processes may add to one file at a time.

    Args:
        path: The file; it need not be there.
    """

    def __init__(self, path: Path) -> None:
        """Read what is there; of equal keys the last counts."""
        self._path = path
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        self._rows: dict[str, Row] = {row["key"]: row for row in map(json.loads, lines)}

    def get(self, settings: Mapping[str, Any]) -> Row | None:
        """Return the row with these settings, or None."""
        return self._rows.get(row_key(**settings))

    def add(self, settings: Mapping[str, Any], results: Mapping[str, Any]) -> Row:
        """Append a row of settings and results, in one write, and return it."""
        row = {"key": row_key(**settings), **settings, **results}
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row, allow_nan=False) + "\n")
        self._rows[row["key"]] = row
        return row
