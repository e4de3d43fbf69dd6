"""Netflix: NetflixViewingHistory.csv, a title and a day a row; the title must tell the kind of work."""

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from itertools import pairwise
from typing import Final, TypeAlias

from domain.catalog.model import ContentKind
from domain.interchange.fields import TITLE_LIMIT
from domain.interchange.files import Member, Row, header_of, rows_of
from domain.interchange.model import Entry, Problem, Reference, Trouble, Viewing, noon

COLUMNS: Final = {"title", "date"}
MAX_PIECES: Final = 8
_SEASON = re.compile(
    r"(?:season|part|volume|series|book|chapter|staffel|teil|saison|partie|temporada|parte|stagione) "
    r"(\d{1,3})",
    re.IGNORECASE,
)
_LIMITED = re.compile(r"(?:limited|mini)[ -]?series|miniserie|mini-série", re.IGNORECASE)
_EPISODE = re.compile(r"(?:episode|folge|épisode|episodio|episódio) (\d{1,4})", re.IGNORECASE)
_NUMBERS = re.compile(r"(\d{1,4})([-./])(\d{1,2})\2(\d{1,4})")

Reading: TypeAlias = Callable[[int, int, int], date]


def recognises(members: Sequence[Member]) -> bool:
    return len(members) == 1 and header_of(members[0]) == COLUMNS


def read(members: Sequence[Member], *, day_first: bool | None = None) -> Iterator[Entry | Problem]:
    for member in members:
        if header_of(member) == COLUMNS:
            yield from _history(member, day_first)
        else:
            reason = "is not the viewing history of a profile, with the columns Title and Date"
            yield Problem(member.name, reason, Trouble.LEFT_OUT)


def _history(member: Member, day_first: bool | None) -> Iterator[Entry | Problem]:  # noqa: FBT001 - tri-state
    rows = list(rows_of(member))
    numbers = [_numbers(row["date"]) for row in rows if isinstance(row, Row)]
    order = _order([found for found in numbers if found is not None], day_first)
    for row in rows:
        if isinstance(row, Problem):
            yield row
            continue
        titles, found = titles_of(row["title"]), _numbers(row["date"])
        if not titles:
            yield Problem(row.where, f"the title must have 1 to {TITLE_LIMIT} characters")
        elif found is None:
            yield Problem(row.where, f"{row['date']!r} is no date")
        elif order is None:
            reason = "no date of the file tells whether the day or the month comes first; say which"
            yield Problem(row.where, reason)
        else:
            day = _day(order, found)
            if day is None:
                yield Problem(row.where, f"{row['date']!r} is no date in the order of the others")
            else:
                yield Entry(row.where, titles, Viewing(noon(day), day_only=True))


def titles_of(text: str) -> tuple[Reference, ...]:
    """What a title may name: `Film`, `Series: Season 2: Episode`, or either with colons of its own."""
    if not 0 < len(text) <= TITLE_LIMIT:
        return ()
    pieces = [piece.strip() for piece in text.split(": ")][:MAX_PIECES]
    for place, piece in enumerate(pieces[1:-1], start=1):
        season = _SEASON.fullmatch(piece)
        if season is not None or _LIMITED.fullmatch(piece):
            number = 1 if season is None else int(season[1])
            return tuple(_episodes(": ".join(pieces[:place]), number, ": ".join(pieces[place + 1 :])))
    splits = [(": ".join(pieces[:place]), ": ".join(pieces[place:])) for place in range(1, len(pieces))]
    episodes = [found for series, rest in splits for found in _episodes(series, None, rest)]
    return (Reference(ContentKind.MOVIE, text), *episodes)


def _episodes(series: str, season: int | None, title: str) -> Iterator[Reference]:
    yield Reference(ContentKind.EPISODE, series, part=season, part_title=title)
    numbered = _EPISODE.fullmatch(title)
    if numbered is not None and season is not None:
        yield Reference(ContentKind.EPISODE, series, part=season, number=int(numbered[1]))


def _numbers(text: str) -> tuple[int, int, int] | None:
    """The three numbers of a date as they stand."""
    match = _NUMBERS.fullmatch(text)
    return None if match is None else (int(match[1]), int(match[3]), int(match[4]))


def _order(dates: list[tuple[int, int, int]], day_first: bool | None) -> Reading | None:  # noqa: FBT001 - as above
    """How all dates of the file are to be read; nothing where that is open."""
    readings = [_year_first, _day_first, _month_first]
    if day_first is not None:
        readings = [_year_first, _day_first if day_first else _month_first]
    days = {
        reading: [day for found in dates if (day := _day(reading, found)) is not None] for reading in readings
    }
    most = max(len(read) for read in days.values())
    fitting = [reading for reading in readings if 0 < len(days[reading]) == most]
    if len(fitting) > 1:
        # Netflix lists the latest first.
        fitting = [reading for reading in fitting if _falls(days[reading])]
    return fitting[0] if len(fitting) == 1 else None


def _falls(days: list[date]) -> bool:
    return all(later >= earlier for later, earlier in pairwise(days))


def _day(reading: Reading, numbers: tuple[int, int, int]) -> date | None:
    try:
        return reading(*numbers)
    except ValueError:
        return None


def _year_first(year: int, month: int, day: int) -> date:
    if year < 1000:  # noqa: PLR2004 - four digits
        raise ValueError
    return date(year, month, day)


def _day_first(day: int, month: int, year: int) -> date:
    return date(year + 2000 if year < 100 else year, month, day)  # noqa: PLR2004 - two digits


def _month_first(month: int, day: int, year: int) -> date:
    return _day_first(day, month, year)
