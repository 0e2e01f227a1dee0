"""`inspect`: what a bundle, a table, a vocabulary or a checkpoint holds."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from hybridhash.errors import InvalidValueError
from hybridhash.export import load_model
from hybridhash.files import format_of, read_checked
from hybridhash.tables import ShippedTable
from hybridhash.vocabulary import Vocabulary


def inspect_file(path: Path) -> dict[str, Any]:
    """Describe a bundle, a table, a vocabulary or a checkpoint; the whole file is checked.

    Args:
        path: The file.

    Returns:
        ``format``, ``file_bytes``, and what the kind of file has: a bundle its label, features, tables and
        ledger, a table its sizes and ledger, a vocabulary its keys, a checkpoint its settings and progress.

    Raises:
        FileFormatError: The file is cut short, altered or foreign.
        FileAccessError: The file cannot be opened.
    """
    format = format_of(path)
    if format not in _READERS:
        raise InvalidValueError(f"{path}: expected one of {', '.join(_READERS)}, got a {format} file")
    return {"format": format, "path": str(path), "file_bytes": path.stat().st_size} | _READERS[format](path)


def _bundle(path: Path) -> dict[str, Any]:
    model = load_model(path)
    tables = [
        {
            "part": part,
            "features": list(group.features),
            "rows": group.table.num_rows,
            **group.table.as_dict(),
        }
        for part, groups in (("deep", model.spec.deep), ("wide", model.spec.wide))
        for group in groups
    ]
    return {
        "label": model.label,
        "features": [
            {"name": item.name, "kind": item.kind, "dtype": item.dtype} for item in model.schema.features
        ],
        "hash_seed": model.schema.seed,
        "hidden": list(model.spec.hidden),
        "tables": tables,
        "ledger": model.ledger.as_dict(),
        "embedding_bytes": model.ledger.embedding_bytes,
        "notes": dict(model.notes),
    }


def _table(path: Path) -> dict[str, Any]:
    table = ShippedTable.load(path)
    sizes = {
        "part": "table",
        "features": list(table.feature_names),
        "rows": table.spec.num_rows,
        **table.spec.as_dict(),
    }
    return {
        "hash_seed": table.key_seed,
        "tables": [sizes],
        "ledger": replace(
            table.ledger(), metadata=path.stat().st_size - table.ledger().total_bytes
        ).as_dict(),
        "embedding_bytes": table.ledger().embedding_bytes,
    }


def _vocabulary(path: Path) -> dict[str, Any]:
    vocabulary = Vocabulary.load(path)
    return {
        "keys": len(vocabulary),
        "first_keys": vocabulary.keys[:5].tolist(),
        "has_counts": vocabulary.counts is not None,
    }


def _checkpoint(path: Path) -> dict[str, Any]:
    file = read_checked(path, "hybridhash-checkpoint", 1)
    return {"settings": file.metadata["settings"], "progress": file.metadata["progress"]}


_READERS = {
    "hybridhash-bundle": _bundle,
    "hybridhash-table": _table,
    "hybridhash-vocabulary": _vocabulary,
    "hybridhash-checkpoint": _checkpoint,
}
