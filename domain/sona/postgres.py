"""What recommending reads in PostgreSQL; each question is one statement, however long a history is."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from domain.catalog.filters import Filter, sql_conditions
from domain.catalog.restriction import Restriction
from domain.catalog.taxonomy import GENRES
from domain.platform.postgres import Database, Row
from domain.sona.model import Begun, Relation, Shelf, Shelved, SimilarityKind, Touch, Whole, Work
from domain.sona.postgres_related import RELATED, relation_of
from domain.sync.model import RESUME_FROM_SECONDS, Verdict
from domain.sync.postgres_continuing import sql_of_continuing

TOUCHES = 500
"""Latest works that taste is read from; what the viewer knows is read in full."""
CAST = 5

WHOLE = """LEFT JOIN content whole ON whole.id = part.parent_id"""
WHOLE_ID = "coalesce(whole.parent_id, whole.id, part.id)"
JUDGED = "(verdict IS NOT NULL OR stars IS NOT NULL)"
PLAYED = f"(completed OR position_seconds >= {RESUME_FROM_SECONDS})"

LATEST = f"""
WITH played AS (
    SELECT content_id, max(viewing) AS viewings, bool_or(completed) AS completed, max(updated_at) AS at,
           max(position_seconds::float8 / greatest(duration_seconds, 1)) AS fraction, max(hlc) AS clock
      FROM progress WHERE account_id = $1
     GROUP BY content_id HAVING bool_or({PLAYED})
), touch AS (
    SELECT content_id, at AS played_at, fraction, completed, viewings,
           NULL::text AS verdict, NULL::float8 AS stars, NULL::timestamptz AS reacted_at,
           NULL::timestamptz AS saved_at, clock
      FROM played
     UNION ALL
    SELECT content_id, NULL, NULL, NULL, NULL, verdict, stars, updated_at, NULL, NULL
      FROM reaction WHERE account_id = $1 AND {JUDGED}
     UNION ALL
    SELECT content_id, NULL, NULL, NULL, NULL, NULL, NULL, NULL, min(added_at), NULL
      FROM watchlist_tag WHERE account_id = $1 AND NOT removed AND added_at IS NOT NULL
     GROUP BY content_id
), rolled AS (
    SELECT {WHOLE_ID} AS id, part.parent_id IS NULL AS direct, touch.*
      FROM touch JOIN content part ON part.id = touch.content_id AND part.deleted_at IS NULL
      {WHOLE}
)
SELECT c.id, c.genres, max(played_at) AS played_at, coalesce(max(fraction), 0) AS fraction,
       coalesce(bool_or(completed), FALSE) AS completed, coalesce(max(viewings), 0) AS viewings,
       coalesce(max(verdict) FILTER (WHERE direct), max(verdict) FILTER (WHERE verdict = 'like')) AS verdict,
       max(stars) FILTER (WHERE direct) AS stars, max(reacted_at) AS reacted_at, max(saved_at) AS saved_at
  FROM rolled JOIN content c USING (id)
 WHERE c.deleted_at IS NULL
 GROUP BY c.id
HAVING NOT EXISTS (
    SELECT FROM title_mark m
     WHERE m.account_id = $1 AND m.content_id = c.id AND m.value ->> 'is' = 'true'
       AND (m.kind = 'hidden' OR m.kind = 'dropped' AND m.hlc > coalesce(max(clock), 0)))
 ORDER BY greatest(max(played_at), max(reacted_at), max(saved_at)) DESC, c.id
 LIMIT {TOUCHES}"""

# A part that is hidden or dropped hides nothing but itself.
KNOWN = f"""
SELECT array_agg(id)
  FROM (SELECT {WHOLE_ID} AS id
          FROM (SELECT content_id FROM progress WHERE account_id = $1 AND {PLAYED}
                 UNION
                SELECT content_id FROM reaction WHERE account_id = $1 AND {JUDGED}) touch
          JOIN content part ON part.id = touch.content_id
          {WHOLE}
         UNION
        SELECT content_id FROM title_mark
         WHERE account_id = $1 AND kind IN ('hidden', 'dropped') AND value ->> 'is' = 'true') known"""

BEGUN = 100

NEWEST = "coalesce(c.year, 0) DESC, c.popularity DESC, c.id"
BEST_KNOWN = "c.popularity DESC, c.id"


class PostgresSona:
    """Fills `History` and `CatalogueReads`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def touches(self, account_id: str) -> list[Touch]:
        return [_touch(row) for row in await self._database.rows(LATEST, account_id)]

    async def known(self, account_id: str) -> frozenset[int]:
        return frozenset(await self._database.value(KNOWN, account_id) or ())

    async def begun(self, account_id: str, at: datetime, within: Restriction | None) -> list[Begun]:
        arguments: list[Any] = [account_id, at]
        rows = await self._database.rows(
            f"""SELECT content_id, work_id, updated_at FROM ({sql_of_continuing(arguments, within)}) begun
                 ORDER BY updated_at DESC, content_id LIMIT {BEGUN}""",
            *arguments,
        )
        return [Begun(*row) for row in rows]

    async def works(self, ids: Sequence[int], wanted: Filter) -> Mapping[int, Work]:
        arguments: list[Any] = [ids]
        where = sql_conditions(wanted, arguments)
        rows = await self._database.rows(
            f"""SELECT c.id, c.kind, c.genres, c.keywords,
                       ARRAY(SELECT DISTINCT credit.person_id FROM credit
                              WHERE credit.content_id = c.id
                                AND (credit.role <> 'cast' OR credit.position < {CAST})) AS people,
                       c.popularity, c.runtime_seconds, coalesce({where}, FALSE) AS fits
                  FROM content c WHERE c.id = ANY($1::bigint[])""",
            *arguments,
        )
        return {row["id"]: _work(row) for row in rows}

    async def fitting(self, ids: Sequence[int], wanted: Filter) -> frozenset[int]:
        arguments: list[Any] = [ids]
        where = sql_conditions(wanted, arguments)
        rows = await self._database.rows(
            f"SELECT c.id FROM content c WHERE c.id = ANY($1::bigint[]) AND {where}", *arguments
        )
        return frozenset(row[0] for row in rows)

    async def popularity(self, ids: Sequence[int]) -> Mapping[int, float]:
        rows = await self._database.rows(
            "SELECT id, popularity FROM content WHERE id = ANY($1::bigint[])", ids
        )
        return {row[0]: row[1] for row in rows}

    async def shelves(
        self, shelves: Sequence[Shelf], wanted: Filter, excluding: Collection[int], limit: int
    ) -> Mapping[Shelf, list[Shelved]]:
        arguments: list[Any] = [list(excluding)]
        # Not `<> ALL`, which a generic plan compares one by one.
        where = f"{sql_conditions(wanted, arguments)} AND c.id NOT IN (SELECT unnest($1::bigint[]))"
        branches = []
        for number, shelf in enumerate(shelves):
            conditions = where
            if shelf.genre is not None:
                # Written out, for the best plan for a rare genre is the worst for a common one; it comes
                # from our own taxonomy.
                conditions += f" AND c.genres @> '{{{GENRES[shelf.genre].id}}}'::text[]"
            if shelf.kind is not None:
                arguments.append(shelf.kind)
                conditions += f" AND c.kind = ${len(arguments)}::text"
            score = "coalesce(c.year, 0) + c.popularity / 1000" if shelf.newest else "c.popularity"
            branches.append(
                f"""(SELECT {number}, c.id, c.genres, c.popularity, ({score})::float8
                       FROM content c WHERE {conditions}
                      ORDER BY {NEWEST if shelf.newest else BEST_KNOWN} LIMIT {limit:d})"""
            )
        rows = await self._database.rows(" UNION ALL ".join(branches), *arguments)
        found: defaultdict[Shelf, list[Shelved]] = defaultdict(list)
        for row in rows:
            found[shelves[row[0]]].append(Shelved(row[1], tuple(row[2]), row[3], row[4]))
        return found

    async def related(
        self,
        ids: Sequence[int],
        kinds: Sequence[SimilarityKind],
        wanted: Filter,
        excluding: Collection[int],
        limit: int,
    ) -> Mapping[int, list[Relation]]:
        arguments: list[Any] = [ids, [kind.value for kind in kinds], list(excluding), limit]
        where = sql_conditions(wanted, arguments)
        rows = await self._database.rows(RELATED.format(where=where), *arguments)
        found: defaultdict[int, list[Relation]] = defaultdict(list)
        for row in rows:
            found[row[0]].append(relation_of(row))
        return found

    async def wholes(self, ids: Sequence[int]) -> Mapping[int, Whole]:
        rows = await self._database.rows(
            f"""SELECT part.id, c.id, c.genres
                  FROM content part {WHOLE} JOIN content c ON c.id = {WHOLE_ID}
                 WHERE part.id = ANY($1::bigint[])""",
            ids,
        )
        return {row[0]: Whole(row[1], tuple(row[2])) for row in rows}


def _touch(row: Row) -> Touch:
    return Touch(
        id=row["id"],
        genres=tuple(row["genres"]),
        played_at=row["played_at"],
        fraction=row["fraction"],
        completed=row["completed"],
        viewings=row["viewings"],
        verdict=None if row["verdict"] is None else Verdict(row["verdict"]),
        stars=row["stars"],
        reacted_at=row["reacted_at"],
        saved_at=row["saved_at"],
    )


def _work(row: Row) -> Work:
    return Work(
        id=row["id"],
        kind=row["kind"],
        genres=tuple(row["genres"]),
        keywords=tuple(row["keywords"]),
        people=tuple(row["people"]),
        popularity=row["popularity"],
        runtime_seconds=row["runtime_seconds"],
        fits=row["fits"],
    )
