"""The catalogue as files of other services name it, in PostgreSQL."""

from collections.abc import Collection, Mapping, Sequence

from domain.catalog.model import ContentKind, ExternalId
from domain.interchange.matching import Found, NamedPart, Part
from domain.platform.postgres import Database, Row, columns

BY_IDS = """
SELECT i.source, i.value, c.id, c.kind, c.year
  FROM unnest($1::text[], $2::text[]) AS key (source, value)
  JOIN external_id i USING (source, value) JOIN content c ON c.id = i.content_id
 WHERE c.deleted_at IS NULL"""

BY_TITLES = """
SELECT c.title_key, c.id, c.kind, c.year FROM content c
 WHERE c.title_key = ANY($1::text[]) AND c.listed"""

# A season has no number within itself; episodes stand in seasons, tracks on discs of their album.
BY_PLACES = """
WITH place AS (SELECT * FROM unnest($1::bigint[], $2::int[], $3::int[]) AS place (whole_id, part, number))
SELECT p.whole_id, p.part, p.number, c.id, c.kind, c.year
  FROM place p JOIN content c ON c.parent_id = p.whole_id AND c.kind = 'season' AND c.number = p.part
 WHERE p.number IS NULL AND c.deleted_at IS NULL
 UNION ALL
SELECT p.whole_id, p.part, p.number, c.id, c.kind, c.year
  FROM place p JOIN content s ON s.parent_id = p.whole_id AND s.kind = 'season' AND s.number = p.part
  JOIN content c ON c.parent_id = s.id AND c.kind = 'episode' AND c.number = p.number
 WHERE c.deleted_at IS NULL
 UNION ALL
SELECT p.whole_id, p.part, p.number, c.id, c.kind, c.year
  FROM place p JOIN content c ON c.parent_id = p.whole_id AND c.kind = 'track' AND c.disc = p.part
       AND c.number = p.number
 WHERE c.deleted_at IS NULL"""

BY_NAMES = """
SELECT n.whole_id, n.part, n.title_key, c.id, c.kind, c.year
  FROM unnest($1::bigint[], $2::int[], $3::text[]) AS n (whole_id, part, title_key)
  JOIN content s ON s.parent_id = n.whole_id AND s.kind = 'season' AND (n.part IS NULL OR s.number = n.part)
  JOIN content c ON c.parent_id = s.id AND c.kind = 'episode' AND c.title_key = n.title_key
 WHERE c.deleted_at IS NULL"""


class PostgresShelf:
    """Fills `Shelf`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def by_ids(self, ids: Collection[ExternalId]) -> Mapping[ExternalId, Found]:
        rows = await self._database.rows(BY_IDS, *columns(((i.source, i.value) for i in ids), 2))
        return {ExternalId(row[0], row[1]): _found(row, 2) for row in rows}

    async def by_titles(self, keys: Collection[str]) -> Mapping[str, Sequence[Found]]:
        found: dict[str, list[Found]] = {}
        for row in await self._database.rows(BY_TITLES, list(keys)):
            found.setdefault(row[0], []).append(_found(row, 1))
        return found

    async def by_places(self, parts: Collection[Part]) -> Mapping[Part, Sequence[Found]]:
        found: dict[Part, list[Found]] = {}
        for row in await self._database.rows(BY_PLACES, *columns(parts, 3)):
            found.setdefault(Part(row[0], row[1], row[2]), []).append(_found(row, 3))
        return found

    async def by_names(self, parts: Collection[NamedPart]) -> Mapping[NamedPart, Sequence[Found]]:
        found: dict[NamedPart, list[Found]] = {}
        for row in await self._database.rows(BY_NAMES, *columns(parts, 3)):
            found.setdefault(NamedPart(row[0], row[1], row[2]), []).append(_found(row, 3))
        return found


def _found(row: Row, start: int) -> Found:
    return Found(row[start], ContentKind(row[start + 1]), row[start + 2])
