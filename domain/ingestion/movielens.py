"""MovieLens: a folder with `movies.csv`, `links.csv` and `ratings.csv`, each plain or `.csv.gz`.

Films the catalogue has are found by their ids, those it lacks are made of title, year and genres; each
rating becomes a reaction of a pseudonymous account.
"""

import csv
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple, TypeVar

from domain.catalog.model import ContentKind, ExternalId
from domain.ingestion import rules
from domain.ingestion.accounts import identifier
from domain.ingestion.genres import canonical
from domain.ingestion.lines import Line, LineFile, Lines
from domain.ingestion.model import BadSource, Feedback, Item, Origin, Refusal, Work
from domain.platform.fields import Broken, Fields

HIGHEST_ID = 2**31 - 1
YEAR = re.compile(r"\s*\((\d{4})(?:[-\u2013]\d{0,4})?\)\s*$")
ARTICLE = re.compile(r"^(.*), (The|A|An|Le|La|Les|L'|Il|El|Los|Las|Das|Der|Die|Un|Une|Une?)$")
ALTERNATIVE = re.compile(r"\s*\([^()]*\)\s*$")
LATEST = datetime(2200, 1, 1, tzinfo=UTC).timestamp()

Made = TypeVar("Made", Work, Feedback)
Row = tuple[Origin, dict[str, str]]


class Links(NamedTuple):
    """A film's ids elsewhere; empty where unknown."""

    imdb: str
    tmdb: str


class MovieLens:
    """The folder. The links of all films are held in memory (about 200 bytes each), the rest is streamed.

    It fills gaps only: its titles and genres are coarser than what other sources know.
    """

    name = "movielens"
    fills_gaps = True

    def __init__(self, folder: Path) -> None:
        self._movies = LineFile(_path(folder, "movies"))
        self._links = LineFile(_path(folder, "links"))
        self._ratings = LineFile(_path(folder, "ratings"))

    @property
    def fraction(self) -> float:
        """Most of the work is in the ratings."""
        return 0.3 * self._movies.fraction + 0.7 * self._ratings.fraction

    def items(self) -> Iterator[Item]:
        links: dict[str, Links] = {}
        for row in rows(self._links):
            if isinstance(row, Refusal):
                yield row
            else:
                values = row[1]
                links[values.get("movieId", "")] = Links(values.get("imdbId", ""), values.get("tmdbId", ""))
        yield from films(self._movies, links)
        yield from ratings(self._ratings)


def _path(folder: Path, name: str) -> Path:
    for path in (folder / f"{name}.csv", folder / f"{name}.csv.gz"):
        if path.is_file():
            return path
    raise BadSource(f"There is no {name}.csv or {name}.csv.gz in {folder}.")


def rows(lines: Lines) -> Iterator[Row | Refusal]:
    """The lines of a CSV file as records named by its first line."""
    header: list[str] | None = None
    for line in lines:
        if isinstance(line, Refusal):
            yield line
            continue
        values = _split(line)
        if isinstance(values, Refusal):
            yield values
        elif header is None:
            header = values
        elif len(values) != len(header):
            reason = f"must have {len(header)} values, and has {len(values)}"
            yield Refusal(*line.origin, "", reason)
        else:
            yield line.origin, dict(zip(header, values, strict=True))


def _split(line: Line) -> list[str] | Refusal:
    try:
        return next(csv.reader([line.data.decode()], strict=True))
    except (UnicodeDecodeError, csv.Error, StopIteration) as error:
        return Refusal(*line.origin, "", f"is not CSV in UTF-8: {error}")


def made_of(lines: Lines, make: Callable[[Mapping[str, str], Origin], Made]) -> Iterator[Made | Refusal]:
    """What `make` makes of each record; it raises `Broken` where one breaks a rule."""
    for row in rows(lines):
        if isinstance(row, Refusal):
            yield row
            continue
        origin, values = row
        try:
            yield make(values, origin)
        except Broken as broken:
            yield Refusal(*origin, broken.field, broken.reason)


def films(lines: Lines, links: Mapping[str, Links]) -> Iterator[Work | Refusal]:
    return made_of(lines, lambda values, origin: _film(values, links.get(values.get("movieId", "")), origin))


def _film(values: Mapping[str, str], links: Links | None, origin: Origin) -> Work:
    entry = Fields(values)
    title, year = title_and_year(rules.title(entry))
    genres, unknown = canonical((entry.text("genres", 1000) or "").split("|"))
    return Work(
        kind=ContentKind.MOVIE,
        title=title,
        origin=origin,
        year=year,
        genres=genres,
        unknown_genres=unknown,
        external_ids=(
            ExternalId("movielens", str(_number(entry, values, "movieId", HIGHEST_ID))),
            *_linked(links),
        ),
    )


def title_and_year(text: str) -> tuple[str, int | None]:
    """`Matrix, The (a.k.a. …) (1999)` → `The Matrix`, 1999; the year is nothing where it is none of ours."""
    match = YEAR.search(text)
    year = int(match[1]) if match else None
    title = text[: match.start()] if match else text.strip()
    title = ALTERNATIVE.sub("", title) or title
    if article := ARTICLE.match(title):
        space = "" if article[2].endswith("'") else " "
        title = f"{article[2]}{space}{article[1]}"
    return title, year if year and rules.YEARS[0] <= year <= rules.YEARS[1] else None


def _linked(links: Links | None) -> Iterator[ExternalId]:
    """IMDb's number without its letters, and TMDB's of films; a malformed one is left out."""
    if links is None:
        return
    imdb = f"tt{links.imdb.strip().zfill(7)}"
    if links.imdb and rules.IMDB.fullmatch(imdb):
        yield ExternalId("imdb", imdb)
    tmdb = links.tmdb.strip()
    if tmdb.isascii() and tmdb.isdecimal() and 0 < int(tmdb) <= HIGHEST_ID:
        yield ExternalId(rules.tmdb_source(series=False), str(int(tmdb)))


def ratings(lines: Lines) -> Iterator[Feedback | Refusal]:
    return made_of(lines, _rating)


def _rating(values: Mapping[str, str], origin: Origin) -> Feedback:
    entry = Fields(values)
    user = _number(entry, values, "userId", HIGHEST_ID)
    stars = _decimal(entry, values, "rating")
    if not (0.5 <= stars <= 5 and (stars * 2).is_integer()):  # noqa: PLR2004 - the scale of stars
        raise entry.broken("rating", f"must be 0.5 to 5 in halves, and is {stars:g}")
    return Feedback(
        account_id=identifier("movielens", str(user)),
        display_name=f"MovieLens {user}",
        external_id=ExternalId("movielens", str(_number(entry, values, "movieId", HIGHEST_ID))),
        stars=stars,
        at=datetime.fromtimestamp(_number(entry, values, "timestamp", int(LATEST)), UTC),
        origin=origin,
    )


def _number(entry: Fields, values: Mapping[str, str], name: str, highest: int) -> int:
    text = values.get(name, "").strip()
    if not (text.isascii() and text.isdecimal() and len(text) <= 12 and 0 < int(text) <= highest):  # noqa: PLR2004 - digits that fit
        raise entry.broken(name, f"must be a whole number between 1 and {highest}, and is {text[:40]!r}")
    return int(text)


def _decimal(entry: Fields, values: Mapping[str, str], name: str) -> float:
    text = values.get(name, "").strip()
    if not re.fullmatch(r"\d{1,3}(\.\d{1,6})?", text, re.ASCII):
        raise entry.broken(name, f"must be a number, and is {text[:40]!r}")
    return float(text)
