"""Names of columns: as they are typed (separators, quotes), and what errors say of a name that is not there."""

import re
from collections.abc import Iterable, Iterator, Sequence
from difflib import get_close_matches
from typing import Final

from hybridhash.errors import DataError, InvalidValueError

QUOTED: Final = r'"(?:[^"]|"")*"'
"""The pattern of a name in double quotes; a quote inside it is doubled, as in CSV."""


def split_names(text: str, separator: str = ",") -> tuple[str, ...]:
    """Cut text into names.

    A name in double quotes may hold the separator; a quote inside it is doubled, as in CSV. Spaces around a name
    without quotes stay, since a name may begin with one; see `find_name`.

    Args:
        text: Names with a separator between them.
        separator: One character.

    Returns:
        The names, one more than there are separators; some may be empty.

    Raises:
        InvalidValueError: A quote that nothing closes, or text behind a closing quote.

    Example:
        >>> split_names('user_id,"price, eur","5"" screen"')
        ('user_id', 'price, eur', '5" screen')
    """
    return tuple(map(unquoted, _fields(text, separator)))


def split_crosses(text: str) -> tuple[str, ...]:
    """Cut text into crosses at its commas; the names in a cross stay as they are typed.

    Args:
        text: Crosses such as ``user_id*site`` with commas between them; a name in double quotes may hold commas.

    Returns:
        The crosses, without spaces around them.

    Example:
        >>> split_crosses('user_id*site, "price, eur"*site')
        ('user_id*site', '"price, eur"*site')
    """
    crosses = [""]
    for field in _fields(text, ",*", keep=True):
        if field == ",":
            crosses.append("")
        else:
            crosses[-1] += field
    return tuple(cross.strip() for cross in crosses)


def unquoted(name: str) -> str:
    """Return a name without the double quotes that may stand around it.

    Raises:
        InvalidValueError: The name begins with a quote that is not closed at its end.
    """
    bare = name.strip()
    if not bare.startswith('"'):
        return name
    if not re.fullmatch(QUOTED, bare):
        raise InvalidValueError(
            f"names: expected a name in double quotes, in which a quote is doubled, got {bare!r}; close it"
        )
    return bare[1:-1].replace('""', '"')


def quoted(name: str, special: str = ",") -> str:
    """Return a name as `unquoted` reads it back: in double quotes where that is needed.

    Args:
        name: The name.
        special: The characters that mean something where the name will stand.
    """
    if name == name.strip() and not name.startswith('"') and not any(char in name for char in special):
        return name
    doubled = name.replace('"', '""')
    return f'"{doubled}"'


def find_name(name: str, existing: Sequence[str]) -> str:
    """Return a name as it is among the existing ones: as it was typed, or without the spaces around it.

    Args:
        name: A name as it was typed.
        existing: The names that there are; where neither form is among them, the name is returned unchanged.
    """
    return name if name in existing or name.strip() not in existing else name.strip()


def suggest(name: str, existing: Iterable[str]) -> str:
    """Return the end of an error about an unknown name: near names, and those that exist."""
    known = list(map(str, existing))  # a data frame may have other names than text
    near = get_close_matches(name, known, n=3, cutoff=0.6)
    if not near:
        near = [other for other in known if other.casefold() == name.casefold()]
    shown = ", ".join(map(quoted, known[:40])) + (", ..." if len(known) > 40 else "")
    hint = f"; did you mean {' or '.join(map(_as_typed, near))}?" if near else ""
    return f"{hint} (there are: {shown})"


def _as_typed(name: str) -> str:
    """Return a name for an error, and how a flag that takes several names holds it where that is another text."""
    if "," not in name and not name.lstrip().startswith('"'):
        return repr(name)
    return f"{name!r} (in a flag: {quoted(name)!r})"


def missing_column(name: str, existing: Iterable[str], where: str) -> DataError:
    """Make the error about a column that is not there."""
    return DataError(f"{where}: expected a column {name!r}, found none of that name{suggest(name, existing)}")


def _fields(text: str, separators: str, keep: bool = False) -> Iterator[str]:
    """Yield what stands between separators that are not in quotes, and with ``keep`` the separators too."""
    between = re.escape(separators)
    field = re.compile(rf"\s*{QUOTED}\s*(?=[{between}]|$)|[^{between}]*")
    at = 0
    while True:
        found = field.match(text, at)
        assert found is not None  # an empty field matches
        yield found[0]
        at = found.end()
        if at == len(text):
            return
        if keep:
            yield text[at]
        at += 1
