"""What every file of results begins with, and how a file becomes a dataclass and the reverse."""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from pydantic import TypeAdapter, ValidationError

from hybridhash.errors import FileAccessError, FileFormatError
from hybridhash.results.data import DataFacts

Kind = TypeVar("Kind")
AnyRecord = TypeVar("AnyRecord", bound="Record")


@dataclass(frozen=True)
class Machine:
    """What the figures were measured on.

    Attributes:
        cpu: Name of the processor.
        cores: Number of cores, where the system tells it.
        threads: Number of torch's threads.
        python: Version.
        torch: Version.
    """

    cpu: str
    cores: int | None
    threads: int
    python: str
    torch: str

    @property
    def text(self) -> str:
        """All of it in a line."""
        return ", ".join(f"{name} {value}" for name, value in vars(self).items())


@dataclass(frozen=True, kw_only=True)
class Record:
    """The head of a file of results.

    Attributes:
        version: The hybridhash that made it.
        command: The command line.
        created: ISO time.
        machine: What it was made on.
        data: The rows.
        notes: What a reader should know.
    """

    FORMAT: ClassVar[str]

    version: str
    command: str
    created: str
    machine: Machine
    data: DataFacts
    notes: tuple[str, ...] = ()

    def to_json(self) -> str:
        """Return the text of the file."""
        return json.dumps({"format": self.FORMAT, **asdict(self)}, indent=1, allow_nan=False) + "\n"


def read_record(kind: type[AnyRecord], path: str | os.PathLike[str]) -> AnyRecord:
    """Read a file of results.

    Args:
        kind: What it holds, such as `hybridhash.results.Comparison`.
        path: The file.

    Returns:
        The results.

    Raises:
        FileAccessError: The file cannot be read.
        FileFormatError: The file is no JSON, of another format, or a part of it is missing or of the wrong kind.
    """
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise FileAccessError(
            f"{path}: expected a file of results, cannot read it: {error.strerror}"
        ) from error
    except ValueError as error:
        raise FileFormatError(f"{path}: expected a file of results in JSON, got: {error}") from error
    found = content.get("format") if isinstance(content, Mapping) else None
    if found != kind.FORMAT:
        version = content.get("version", "unknown") if isinstance(content, Mapping) else "unknown"
        raise FileFormatError(
            f"{path}: expected format {kind.FORMAT!r}, got {found!r}; read it with the version that wrote it, {version}"
        )
    return from_json(kind, content)


def to_json(value: Any) -> Any:
    """Return a dataclass of results as what JSON can hold."""
    return json.loads(json.dumps(asdict(value), allow_nan=False))


def from_json(kind: type[Kind], content: Any) -> Kind:
    """Read what JSON holds of a dataclass.

    Args:
        kind: The dataclass; names that it does not have are left out.
        content: Mappings, lists, text and numbers.

    Returns:
        The dataclass.

    Raises:
        FileFormatError: A part is missing or of the wrong kind; the message names the first.
    """
    try:
        found: Kind = TypeAdapter(kind).validate_json(json.dumps(content), strict=True)
    except ValidationError as error:
        [first, *_] = error.errors()
        where = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in first["loc"])
        raise FileFormatError(
            f"results: in {where.removeprefix('.')}: {first['msg'][:1].lower()}{first['msg'][1:]}, got "
            f"{first['input']!r:.60}"
        ) from error
    return found
