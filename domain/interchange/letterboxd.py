"""Letterboxd: CSV files as its export has them, alone or in its ZIP; films by title and year."""

from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime
from typing import Final

from domain.catalog.model import ContentKind
from domain.interchange.fields import TITLE_LIMIT, YEARS
from domain.interchange.files import Member, Row, header_of, rows_of
from domain.interchange.model import (
    Act,
    Entry,
    Listing,
    Opinion,
    Problem,
    Reference,
    Trouble,
    Viewing,
    noon,
)
from domain.platform.fields import Broken
from domain.sync.model import Verdict

COLUMNS: Final = {"date", "name", "year", "letterboxd uri"}
"""Of every file that lists films."""
FOLDERS_LEFT: Final = {"deleted", "orphaned"}
"""With films that the viewer took out, or that Letterboxd did."""


def recognises(members: Sequence[Member]) -> bool:
    return any(member.base.endswith(".csv") and header_of(member) >= COLUMNS for member in members)


def read(members: Sequence[Member]) -> Iterator[Entry | Problem]:
    for member in members:
        rows = _reader(member)
        if rows is None:
            reason = "holds neither viewings, ratings, likes nor a watchlist, or repeats the diary"
            yield Problem(member.name, reason, Trouble.LEFT_OUT)
            continue
        for row in rows_of(member):
            if isinstance(row, Problem):
                yield row
                continue
            try:
                title = _film(row)
                acts = list(rows(row))
            except Broken as broken:
                yield Problem(row.where, f"{broken.field} {broken.reason}")
                continue
            for act in acts:
                yield Entry(row.where, (title,), act)


def _reader(member: Member) -> Callable[[Row], Iterator[Act]] | None:
    """By the columns, and where these are alike by the name of the file."""
    header = header_of(member)
    if not header >= COLUMNS or FOLDERS_LEFT & set(member.name.split("/")):
        return None
    for told, read in BY_COLUMN.items():
        if told in header:
            return read
    by_name = {"watchlist.csv": _listed, "watched.csv": _seen}
    return _liked if "likes/" in member.name else by_name.get(member.base)


def _diary(row: Row) -> Iterator[Act]:
    yield Viewing(_day(row, "watched date"), day_only=True)
    if row["rating"]:
        yield from _rating(row, "watched date")


def _seen(row: Row) -> Iterator[Act]:
    """The date is the day on which the film was marked, so any dated viewing tells more."""
    yield Viewing(_day(row, "date"), day_only=True, once=True)


def _rating(row: Row, dated: str = "date") -> Iterator[Act]:
    try:
        stars = float(row["rating"])
    except ValueError:
        stars = 0.0
    if not (0.5 <= stars <= 5 and (stars * 2).is_integer()):  # noqa: PLR2004 - Letterboxd's scale
        raise Broken("Rating", f"must be from 0.5 to 5 in halves, and is {row['rating']!r}")
    yield Opinion(_day(row, dated), stars=stars)


BY_COLUMN: Final[dict[str, Callable[[Row], Iterator[Act]] | None]] = {
    "review": None,
    "watched date": _diary,
    "rating": _rating,
}
"""Reviews repeat what the diary tells."""


def _liked(row: Row) -> Iterator[Act]:
    yield Opinion(_day(row, "date"), verdict=Verdict.LIKE)


def _listed(row: Row) -> Iterator[Act]:
    yield Listing(_day(row, "date"))


def _day(row: Row, name: str) -> datetime:
    try:
        return noon(date.fromisoformat(row[name]))
    except ValueError:
        raise Broken(name.title(), f"must be a date like 2021-12-31, and is {row[name]!r}") from None


def _film(row: Row) -> Reference:
    name, year = row["name"], row["year"]
    if not 0 < len(name) <= TITLE_LIMIT:
        raise Broken("Name", f"must have 1 to {TITLE_LIMIT} characters")
    if not year:
        return Reference(ContentKind.MOVIE, name)
    if not (year.isdecimal() and len(year) <= 4 and YEARS[0] <= int(year) <= YEARS[1]):  # noqa: PLR2004 - digits
        raise Broken("Year", f"must be between {YEARS[0]} and {YEARS[1]}, and is {year!r}")
    return Reference(ContentKind.MOVIE, name, int(year))
