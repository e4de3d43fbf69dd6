"""How a query could go on, from titles and names in PostgreSQL; genres and platforms are few and at hand."""

import asyncio
from collections.abc import Collection, Sequence
from typing import Any

from domain.catalog.model import normalised
from domain.catalog.restriction import Restriction, placing, sql_of_works
from domain.catalog.taxonomy import GENRES, PLATFORMS
from domain.catalog.words import words
from domain.discovery.model import Suggestion, SuggestionKind, storable
from domain.platform.postgres import Database, Row

END = "\U0010ffff"
WORD_LETTERS = 3
"""Beginnings of words within titles and names are looked up from so many letters on: fewer fit too many."""
NAMED_AT_MOST = 2
"""Genres and platforms among the suggestions."""

TITLES = """
SELECT c.id, c.title, title_key ~>=~ $1 AND title_key ~<~ $2 AS begins FROM content c
 WHERE c.listed AND {shown}
   AND (title_key ~>=~ $1 AND title_key ~<~ $2 OR title_key ~>=~ $3 AND title_key ~<~ $4)
 ORDER BY c.popularity DESC, c.id LIMIT $5"""

WITHIN_TITLES = """
SELECT c.id, c.title FROM content c
 WHERE c.listed AND {shown} AND c.search @@ $1::text::tsquery
 ORDER BY c.popularity DESC, c.id LIMIT $2"""

PEOPLE = """
SELECT p.id, p.name, max(c.popularity) AS popularity
  FROM person p JOIN credit ON credit.person_id = p.id JOIN content c ON c.id = credit.content_id
 WHERE to_tsvector('simple', p.name_key) @@ $1::text::tsquery AND c.listed AND {shown}
 GROUP BY p.id ORDER BY popularity DESC, p.id LIMIT $2"""


class PostgresSuggestions:
    """Fills `Suggestions`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def suggest(self, prefix: str, limit: int, within: Restriction | None = None) -> list[Suggestion]:
        """Titles that begin so by popularity, then genres and platforms, people, titles with such a word;
        none that are hidden, and nobody of whom all is.
        """
        start = normalised(storable(prefix))
        if not start:
            return []
        long_enough = bool(words(start)) and len(start) >= WORD_LETTERS
        beginning, people, inside = await asyncio.gather(
            self._beginning(start, limit, within),
            self._people(start, limit, within) if long_enough else _nothing(),
            self._within(start, limit, within) if long_enough else _nothing(),
        )
        room = max(1, limit // 4)
        ordered = [
            *beginning[: limit - room if people else limit],
            *_named(start, () if within is None else within.blocked_genres),
            *people[:room],
            *inside,
            *people[room:],
            *beginning,
        ]
        return list(dict.fromkeys(ordered))[:limit]

    async def _beginning(self, start: str, limit: int, within: Restriction | None) -> list[Suggestion]:
        with_article = f"the {start}"
        rows = await self._asked(TITLES, within, start, start + END, with_article, with_article + END, limit)
        return [_title(row[0], row[1]) for row in rows]

    async def _within(self, start: str, limit: int, within: Restriction | None) -> list[Suggestion]:
        rows = await self._asked(WITHIN_TITLES, within, _begun(start, ":*A", ":A"), limit)
        return [_title(row[0], row[1]) for row in rows]

    async def _people(self, start: str, limit: int, within: Restriction | None) -> list[Suggestion]:
        rows = await self._asked(PEOPLE, within, _begun(start, ":*", ""), limit)
        return [Suggestion(row[1], SuggestionKind.PERSON, person_id=row[0]) for row in rows]

    async def _asked(self, statement: str, within: Restriction | None, *arguments: Any) -> list[Row]:
        given = list(arguments)
        shown = "TRUE" if within is None else sql_of_works(within, placing(given))
        return await self._database.rows(statement.format(shown=shown), *given)


def _title(content_id: int, title: str) -> Suggestion:
    return Suggestion(title, SuggestionKind.TITLE, content_id=content_id)


def _named(start: str, blocked: Collection[str]) -> Sequence[Suggestion]:
    genres = [
        Suggestion(genre.name, SuggestionKind.GENRE, genre_id=genre.id)
        for genre in GENRES.values()
        if normalised(genre.name).startswith(start) and genre.id not in blocked
    ]
    platforms = [
        Suggestion(platform.name, SuggestionKind.PLATFORM, platform_id=platform.id)
        for platform in PLATFORMS.values()
        if normalised(platform.name).startswith(start)
    ]
    return [*genres, *platforms][:NAMED_AT_MOST]


def _begun(start: str, last: str, others: str) -> str:
    """All words of `start`, the last of them perhaps unfinished."""
    *whole, unfinished = words(start)
    return " & ".join([*(f"'{word}'{others}" for word in whole), f"'{unfinished}'{last}"])


async def _nothing() -> list[Suggestion]:
    return []
