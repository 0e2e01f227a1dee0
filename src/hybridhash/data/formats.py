"""Data sets that are known by name: their files, columns, label and time."""

import os
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from hybridhash.data.column_names import missing_column
from hybridhash.data.columns import Columns, Label
from hybridhash.data.database import connect
from hybridhash.data.paths import kind_of, require_file, resolve
from hybridhash.data.sniff import check_quote
from hybridhash.data.source import Source, describe, open_files
from hybridhash.data.sql_quoting import quote_name, quote_text
from hybridhash.data.text_files import (
    FILE_COLUMN,
    Dialect,
    Head,
    Scan,
    first_record,
    header_names,
    read_head,
    require_rows,
    text_scan,
)
from hybridhash.errors import DataError, InvalidValueError

_TSV: Final = Dialect("\t", quote="", header=False)
_COLONS: Final = Dialect("::", quote="", header=False)
# MovieLens 1M is Latin-1 and 10M is UTF-8; only the ASCII parts of a title are read, so both decode.
_COLONS_LATIN: Final = Dialect("::", quote="", header=False, encoding="latin-1")
_COMMAS: Final = Dialect(",")

_CRITEO_NUMERIC: Final = tuple(f"i{index}" for index in range(1, 14))
_CRITEO_CATEGORICAL: Final = tuple(f"c{index}" for index in range(1, 27))
_DAY: Final = re.compile(r"day_(\d+)")
_YEAR: Final = r"\((\d{4})\)\s*$"


def open_source(
    paths: str | Path | Sequence[str | Path], format: str | None = None, *, quote: str | None = None
) -> Source:
    """Open data files for reading; nothing but their heads is read yet.

    Parquet, CSV, TSV, ``.txt`` and ``.dat`` files are opened without a format: text needs a header line,
    its delimiter follows from the extension and that line, and it may be compressed (``.gz``, ``.zst``).
    A format knows a public data set, and reads its files whatever their names end in:

    - ``criteo``: the Kaggle and terabyte layout (tab-separated, no header: label, 13 integers, 26 ids),
      or Parquet with the columns label, i1..i13, c1..c26 in any case. Several ``day_N`` files have N as
      their time. Files without the label are for prediction.
    - ``avazu``: CSV with a header; label ``click``, time ``hour`` (YYMMDDHH, as Unix seconds), ``id``
      left out, every other column categorical.
    - ``movielens``: a folder, in the ``::`` layout of 1M and 10M or the CSV layout of 20M and later;
      user, movie, year (from the title), genres as a list, and 1M's gender, age and occupation; label
      ``rating>=4``.
    - ``movietweetings``: a folder; user, movie, year and genres; label ``rating>=8``.

    Args:
        paths: One or more files, globs, or the folder that a format asks for.
        format: A format's name, or None.
        quote: The character around fields of text that hold a delimiter, or ``none``; found where it is None, see
            `hybridhash.data.sniff`. The formats other than ``avazu`` have their own.

    Returns:
        The source; its `defaults` are the columns of the format.

    Raises:
        InvalidValueError: An unknown format, a quote that is none, or one for a format that has its own.
        DataError: A missing, empty or unreadable file, what is no regular file, no rows, or columns that the
            format does not have.
        MissingDependencyError: duckdb or pyarrow is not installed.
    """
    if format is not None and format not in FORMATS:
        raise InvalidValueError(f"format: expected one of {', '.join(FORMATS)}, got {format!r}")
    mark = check_quote(quote)
    found = resolve(paths)
    if format is None:
        return open_files(found, quote=mark)
    if format == "avazu":
        return _avazu(found, mark)
    if mark is not None:
        raise InvalidValueError(
            f"quote: expected none for the format {format}, which has its own, got {quote!r}"
        )
    return FORMATS[format](found)


def _criteo(files: Sequence[str]) -> Source:
    for file in files:
        if os.path.isdir(file):
            raise DataError(f"{file}: expected Criteo files, got a folder; name them, as in '{file}/day_*'")
        require_file(file)
    if all(kind_of(file, any_name=True) == "parquet" for file in files):
        return _criteo_parquet(files)
    names = ("label", *_CRITEO_NUMERIC, *_CRITEO_CATEGORICAL)
    heads = [read_head(file) for file in files]
    require_rows(heads, _TSV)
    has_label = len(first_record(heads[0], _TSV)) != len(names) - 1
    scan = text_scan(heads, names if has_label else names[1:], _TSV)
    days = {match[1] for file in files if (match := _DAY.search(Path(file).name))}
    has_days = len(days) > 1 and all(_DAY.search(Path(file).name) for file in files)
    if has_days:
        day = f"regexp_extract(parse_filename({quote_name(FILE_COLUMN)}), {quote_text(_DAY.pattern)}, 1)"
        scan = _select(scan, f"*, CAST({day} AS INTEGER) AS day")
    defaults = Columns(
        Label("label") if has_label else None,
        _CRITEO_CATEGORICAL,
        _CRITEO_NUMERIC,
        time="day" if has_days else None,
    )
    return describe(connect(), scan, files, _TSV, defaults)


def _criteo_parquet(files: Sequence[str]) -> Source:
    source = open_files(files, any_name=True)
    by_folded = {name.lower(): name for name in source.columns}
    wanted = (*_CRITEO_NUMERIC, *_CRITEO_CATEGORICAL)
    for name in wanted:
        if name not in by_folded:
            raise missing_column(name, source.columns, source.name)
    has_label = "label" in by_folded
    used = ("label", *wanted) if has_label else wanted
    renamed = ", ".join(f"{quote_name(by_folded[name])} AS {quote_name(name)}" for name in used)
    scan = _select(source.scan, f"{renamed}, {quote_name(FILE_COLUMN)}")
    defaults = Columns(Label("label") if has_label else None, _CRITEO_CATEGORICAL, _CRITEO_NUMERIC)
    return describe(source.connection, scan, files, defaults=defaults)


def _avazu(files: Sequence[str], quote: str | None = None) -> Source:
    source = open_files(files, _COMMAS if quote is None else replace(_COMMAS, quote=quote), any_name=True)
    source.require("hour")
    hour = "CAST(epoch(try_strptime(CAST(hour AS VARCHAR), '%y%m%d%H')) AS BIGINT)"
    scan = _select(source.scan, f"* REPLACE ({hour} AS hour)")
    categorical = tuple(name for name in source.columns if name not in ("id", "click", "hour"))
    label = Label("click") if "click" in source.types else None
    defaults = Columns(label, categorical, time="hour")
    return describe(source.connection, scan, files, source.dialect, defaults)


def _movielens(paths: Sequence[str]) -> Source:
    folder = _folder(paths, "movielens")
    if (folder / "ratings.csv").exists():
        ratings, movies = _member(folder, "ratings.csv"), _member(folder, "movies.csv")
        require_rows([ratings, movies], _COMMAS)
        rating_names, movie_names = header_names(ratings, _COMMAS), header_names(movies, _COMMAS)
        for name, names, head in (
            *((name, rating_names, ratings) for name in ("userId", "movieId", "rating", "timestamp")),
            *((name, movie_names, movies) for name in ("movieId", "title", "genres")),
        ):
            if name not in names:
                raise missing_column(name, names, head.file)
        renamed = {"userId": "user", "movieId": "movie", "timestamp": "time"}
        rating_scan = text_scan([ratings], [renamed.get(name, name) for name in rating_names], _COMMAS)
        movie_scan = text_scan([movies], [renamed.get(name, name) for name in movie_names], _COMMAS)
        return _ratings(rating_scan, movie_scan, ratings.file, _COMMAS, Label("rating", ">=", 4.0))
    return _colon_ratings(folder, Label("rating", ">=", 4.0), _COLONS_LATIN)


def _movietweetings(paths: Sequence[str]) -> Source:
    return _colon_ratings(_folder(paths, "movietweetings"), Label("rating", ">=", 8.0), _COLONS)


def _colon_ratings(folder: Path, label: Label, dialect: Dialect) -> Source:
    ratings, movies = _member(folder, "ratings.dat"), _member(folder, "movies.dat")
    require_rows([ratings, movies], dialect)
    rating_scan = text_scan([ratings], ["user", "movie", "rating", "time"], dialect)
    movie_scan = text_scan([movies], ["movie", "title", "genres"], dialect)
    user_scan = None
    if (folder / "users.dat").exists():
        users = _member(folder, "users.dat")
        if len(first_record(users, dialect)) == 5:
            user_scan = text_scan([users], ["user", "gender", "age", "occupation", "zip"], dialect)
    return _ratings(rating_scan, movie_scan, ratings.file, dialect, label, user_scan)


def _ratings(
    ratings: Scan, movies: Scan, file: str, dialect: Dialect, label: Label, users: Scan | None = None
) -> Source:
    """Join ratings with their movies and users, in the order of the ratings."""
    personal = ("gender", "age", "occupation") if users is not None else ()

    def make(collect_rejects: bool) -> str:
        numbered = f"SELECT *, row_number() OVER () AS line FROM {ratings(collect_rejects)}"
        described = (
            f"SELECT movie, nullif(regexp_extract(any_value(title), {quote_text(_YEAR)}, 1), '') AS year, "
            "nullif(any_value(genres), '(no genres listed)') AS genres "
            f"FROM {movies(collect_rejects)} GROUP BY movie"
        )
        joined = f"({numbered}) r LEFT JOIN ({described}) m USING (movie)"
        if users is not None:
            chosen = ", ".join(f"any_value({name}) AS {name}" for name in personal)
            people = f"SELECT user, {chosen} FROM {users(collect_rejects)} GROUP BY user"
            joined += f" LEFT JOIN ({people}) u USING (user)"
        columns = ", ".join(["r.* EXCLUDE (line)", "m.year", "m.genres", *(f"u.{name}" for name in personal)])
        return f"(SELECT {columns} FROM {joined} ORDER BY r.line)"

    defaults = Columns(label, ("user", "movie", "year", *personal), lists=("genres",), time="time")
    return describe(connect(), make, [file], dialect, defaults)


def _select(scan: Scan, columns: str) -> Scan:
    return lambda collect_rejects: f"(SELECT {columns} FROM {scan(collect_rejects)})"


def _folder(paths: Sequence[str], format: str) -> Path:
    if len(paths) != 1 or not os.path.isdir(paths[0]):
        raise DataError(
            f"{', '.join(paths)}: the format {format} expects one folder; name the folder of its files"
        )
    return Path(paths[0])


def _member(folder: Path, name: str) -> Head:
    if not (folder / name).exists():
        present = ", ".join(sorted(path.name for path in folder.iterdir())[:20])
        raise DataError(f"{folder}: expected a file {name!r}, found: {present or 'nothing'}")
    require_file(str(folder / name))
    return read_head(str(folder / name))


FORMATS: Final[dict[str, Callable[[Sequence[str]], Source]]] = {
    "criteo": _criteo,
    "avazu": _avazu,
    "movielens": _movielens,
    "movietweetings": _movietweetings,
}
