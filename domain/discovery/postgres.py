"""Search in PostgreSQL: each question is one statement.

`content.search` holds, by weight: title (A) as written and stemmed, people (B) as written, keywords (C) and
synopsis (D) stemmed; stemmed in the language of the work's texts.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from domain.catalog.filters import Filter, sql_conditions
from domain.catalog.words import CONFIGURATIONS, trigrams
from domain.discovery.model import (
    Counts,
    Highlight,
    HighlightField,
    MeaningHit,
    Terms,
    TextHit,
)
from domain.discovery.parsing import KnownWord, Word
from domain.discovery.postgres_facets import counting, grouped
from domain.discovery.postgres_highlights import HEADLINES, marked
from domain.platform.postgres import Database

ARTICLES = ("the", "a", "an", "der", "die", "das", "le", "la", "les", "el", "los", "las", "il", "lo")
SIMILAR_WORDS = 200
END = "\U0010ffff"

# Languages of texts are few: each step finds the next one in the index.
UNDERSTAND = """
WITH RECURSIVE spoken AS (
    SELECT (SELECT min(text_language) FROM content WHERE listed) AS language
     UNION ALL
    SELECT (SELECT min(text_language) FROM content WHERE listed AND text_language > spoken.language)
      FROM spoken WHERE spoken.language IS NOT NULL
), stemmer AS (
    SELECT spoken.language, coalesce(known.configuration, 'simple')::regconfig AS configuration
      FROM spoken
      LEFT JOIN unnest($3::text[], $4::text[]) AS known (language, configuration)
        ON known.language = lower(split_part(spoken.language, '-', 1))
     WHERE spoken.language IS NOT NULL
), asked AS (
    SELECT * FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS word (plain, written, position)
)
SELECT asked.position, stemmer.language,
       tsvector_to_array(to_tsvector(stemmer.configuration, asked.written || ' ' || asked.plain)) AS stems,
       (SELECT count(*) FROM search_word WHERE word = asked.plain) > 0
       OR EXISTS (SELECT FROM content c WHERE c.listed AND c.search @@ (
              plainto_tsquery('simple', asked.plain)
              || plainto_tsquery(stemmer.configuration, asked.written))) AS known,
       EXISTS (SELECT FROM search_word
                WHERE word ~>=~ asked.plain AND word ~<~ (asked.plain || $5::text)) AS begun
  FROM asked CROSS JOIN stemmer
 ORDER BY asked.position, stemmer.language"""

# One look into the index for each part: the planner takes the overlap of arrays for too many rows.
SIMILAR = f"""
SELECT asked.word AS misspelt, near.word
  FROM unnest($1::text[], $2::text[]) AS asked (word, parts)
 CROSS JOIN LATERAL (
    SELECT found.word
      FROM string_to_table(asked.parts, '|') AS part
     CROSS JOIN LATERAL (
        SELECT s.word FROM search_word s
         WHERE s.trigrams @> ARRAY[part] AND abs(length(s.word) - length(asked.word)) <= 2
        OFFSET 0) AS found
     GROUP BY found.word ORDER BY count(*) DESC, found.word
     LIMIT {SIMILAR_WORDS}) AS near"""

FREQUENCY = """
SELECT word, (SELECT count(*) FROM content c
                WHERE c.listed AND c.search @@ (quote_literal(word) || ':A')::tsquery)
  FROM unnest($1::text[]) AS word"""

TITLED = "(c.title_key = ANY($3::text[]) OR lower(c.original_title) = $8::text)"
BEGUN = """(c.title_key ~>=~ $4::text AND c.title_key ~<~ $5::text
            OR c.title_key ~>=~ $6::text AND c.title_key ~<~ $7::text)"""

# Each work is asked in the language of its own texts.
ASKED = """asked AS MATERIALIZED (
    SELECT language, query::tsquery FROM unnest($1::text[], $2::text[]) AS term (language, query)
)"""
MATCHED = f"""{ASKED}, matched AS MATERIALIZED (
    SELECT c.id FROM asked JOIN content c ON c.text_language = asked.language AND c.search @@ asked.query
     UNION
    SELECT c.id FROM content c WHERE c.title_key = ANY($3::text[])
     UNION
    SELECT c.id FROM content c WHERE $4 < $5 AND {BEGUN}
)"""


class PostgresSearch:
    """Fills `SearchStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def understand(self, words: Sequence[Word]) -> list[KnownWord]:
        rows = await self._database.rows(
            UNDERSTAND,
            [word.plain for word in words],
            [word.written for word in words],
            list(CONFIGURATIONS),
            list(CONFIGURATIONS.values()),
            END,
        )
        stems: dict[int, dict[str, list[str]]] = {}
        known: dict[int, tuple[bool, bool]] = {}
        for row in rows:
            place = row["position"]
            stems.setdefault(place, {})[row["language"]] = row["stems"]
            earlier = known.get(place, (False, False))
            known[place] = (earlier[0] or row["known"], earlier[1] or row["begun"])
        return [
            KnownWord(word, *known.get(place, (False, False)), stems.get(place, {}))
            for place, word in enumerate(words, start=1)
        ]

    async def similar_words(self, words: Sequence[str]) -> Mapping[str, list[str]]:
        rows = await self._database.rows(SIMILAR, words, ["|".join(trigrams(word)) for word in words])
        found: dict[str, list[str]] = {}
        for row in rows:
            found.setdefault(row["misspelt"], []).append(row["word"])
        return found

    async def frequency(self, words: Sequence[str]) -> Mapping[str, int]:
        rows = await self._database.rows(FREQUENCY, words)
        return {row[0]: row[1] for row in rows}

    async def by_words(self, terms: Terms, wanted: Filter, limit: int) -> tuple[list[TextHit], int]:
        arguments = [*asked_of(terms), list(terms.named)]
        where = sql_conditions(wanted, arguments)
        rows = await self._database.rows(
            f"""WITH {MATCHED}, named AS MATERIALIZED (
                    SELECT language, query::tsquery
                      FROM unnest($1::text[], $9::text[]) AS term (language, query))
                SELECT c.id, c.popularity, coalesce(ts_rank(c.search, asked.query), 0) AS rank,
                       {TITLED} IS TRUE AS exact, $4 < $5 AND {BEGUN} AS prefix,
                       (c.search @@ named.query) IS TRUE AS named, count(*) OVER () AS total
                  FROM matched JOIN content c USING (id)
                  LEFT JOIN asked ON asked.language = c.text_language
                  LEFT JOIN named ON named.language = c.text_language
                 WHERE {where}
                 ORDER BY exact DESC, prefix DESC, named DESC, rank DESC, c.popularity DESC, c.id
                 LIMIT {limit:d}""",
            *arguments,
        )
        hits = [TextHit(row[0], row[1], row[2], row[3], row[4], row[5]) for row in rows]
        return hits, rows[0]["total"] if rows else 0

    async def by_meaning(
        self, near: Mapping[int, float], terms: Terms | None, wanted: Filter, limit: int
    ) -> list[MeaningHit]:
        if not near:
            return []
        arguments = [*asked_of(terms), list(near)]
        ids = len(arguments)
        where = sql_conditions(wanted, arguments)
        rows = await self._database.rows(
            f"""WITH {ASKED}, kept AS (
                    SELECT c.*, near.place
                      FROM unnest(${ids}::bigint[]) WITH ORDINALITY AS near (id, place)
                      JOIN content c USING (id)
                     WHERE {where} ORDER BY near.place LIMIT {limit:d})
                SELECT c.id, c.popularity,
                       ({TITLED} OR $4 < $5 AND {BEGUN} OR EXISTS (
                           SELECT FROM asked WHERE asked.language = c.text_language
                              AND c.search @@ asked.query)) IS TRUE AS worded
                  FROM kept c ORDER BY c.place""",
            *arguments,
        )
        return [MeaningHit(row[0], row[1], near[row[0]], row[2]) for row in rows]

    async def facets(self, terms: Terms | None, near: Sequence[int], wanted: Filter) -> Counts:
        arguments = [*matched_by(terms), list(near)]
        statement = counting(f"WITH {MATCHED}", len(arguments), wanted, arguments)
        return grouped(await self._database.rows(statement, *arguments))

    async def highlights(self, terms: Terms, ids: Sequence[int]) -> Mapping[int, list[Highlight]]:
        rows = await self._database.rows(
            HEADLINES,
            ids,
            list(terms.languages),
            list(terms.loose),
            list(CONFIGURATIONS),
            list(CONFIGURATIONS.values()),
        )
        return {
            row["id"]: [
                found
                for found in (
                    marked(HighlightField.TITLE, row["title"]),
                    marked(HighlightField.SYNOPSIS, row["synopsis"]),
                )
                if found is not None
            ]
            for row in rows
        }


def asked_of(terms: Terms | None) -> list[Any]:
    """The arguments $1 to $8 of `MATCHED` and `TITLED`."""
    return [*matched_by(terms), terms.written.strip().lower() if terms else ""]


def matched_by(terms: Terms | None) -> list[Any]:
    """The arguments $1 to $7 of `MATCHED`; without terms nothing matches."""
    if terms is None:
        return [[], [], [], "", "", "", ""]
    if not terms.title:
        return [list(terms.languages), list(terms.queries), [], "", "", "", ""]
    bare = _bare(terms.title)
    titles = [terms.title, bare, *(f"{article} {bare}" for article in ARTICLES)]
    beginnings = [terms.title, f"the {terms.title}"]
    return [
        list(terms.languages),
        list(terms.queries),
        titles,
        *(edge for beginning in beginnings for edge in (beginning, beginning + END)),
    ]


def _bare(title: str) -> str:
    """Without its article."""
    article, _, rest = title.partition(" ")
    return rest if article in ARTICLES and rest else title
