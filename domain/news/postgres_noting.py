"""Finds out in PostgreSQL what is news, and writes it into the log: one process at a time."""

from datetime import datetime, timedelta
from typing import NamedTuple

from domain.catalog.changes import RECORD_KEPT_SECONDS
from domain.catalog.postgres import STANDS
from domain.catalog.postgres_changes import PostgresChangeRecord
from domain.news.postgres import TRENDS
from domain.news.postgres_turn import Turn, last_turn, turn_in
from domain.platform.postgres import Database

LEAVING = timedelta(days=7)
REMEMBERED = timedelta(seconds=RECORD_KEPT_SECONDS / 2)
"""So long the record of the catalogue's changes tells of all of them for certain."""
NOTED_EVERY = timedelta(minutes=1)
"""So often it is noted how far the catalogue was looked at, also where that came to nothing."""
FORGOTTEN_AT_ONCE = 10_000
TITLES_AT_ONCE = 20_000

LOOKED = "UPDATE news_state SET seen = $1, looked_at = $2 WHERE id = 1"

LAST_TRENDS = "SELECT content_ids, at FROM news WHERE kind = $1 ORDER BY id DESC LIMIT 1"

FORGET = """
WITH old AS (
    DELETE FROM news WHERE id IN (SELECT id FROM news WHERE at < $1 ORDER BY id LIMIT $2) RETURNING id
), noted AS (
    UPDATE news_state SET forgotten = greatest(forgotten, last.id)
      FROM (SELECT max(id) AS id FROM old) last WHERE last.id IS NOT NULL
)
SELECT count(*) FROM old"""

# Offers of which time alone says that they begin, end, or are about to end: between two looks at the clock.
TURNING = """
SELECT content_id FROM offer WHERE available_from > $1 AND available_from <= $2
 UNION
SELECT content_id FROM offer WHERE expires_at > $1 AND expires_at <= $2
 UNION
SELECT content_id FROM offer WHERE expires_at > $1 + $3::interval AND expires_at <= $2 + $3::interval"""

# What can be watched now against what was told last; an offer in several qualities is one.
NOTE = """
WITH standing AS (
    SELECT offer.content_id, offer.region, offer.platform, offer.kind,
           CASE WHEN bool_and(offer.expires_at IS NOT NULL) THEN max(offer.expires_at) END AS until
      FROM offer JOIN content c ON c.id = offer.content_id AND {stands}
     WHERE (offer.available_from IS NULL OR offer.available_from <= $1)
       AND (offer.expires_at IS NULL OR offer.expires_at > $1) AND {of_offer}
     GROUP BY offer.content_id, offer.region, offer.platform, offer.kind
), told AS (
    SELECT * FROM availability WHERE {of_availability}
), turned AS (
    SELECT content_id, region, platform, kind, until,
           CASE WHEN told.content_id IS NULL THEN 'arrived'
                WHEN standing.content_id IS NULL THEN 'left'
                WHEN until <= $1 + $2::interval AND leaving_at IS DISTINCT FROM until THEN 'leaving'
                WHEN leaving_at IS NOT NULL AND (until IS NULL OR until > $1 + $2::interval) THEN 'staying'
           END AS change
      FROM standing FULL JOIN told USING (content_id, region, platform, kind)
), gone AS (
    DELETE FROM availability USING turned
     WHERE change = 'left' AND availability.content_id = turned.content_id
       AND availability.region = turned.region AND availability.platform = turned.platform
       AND availability.kind = turned.kind
), kept AS (
    INSERT INTO availability (content_id, region, platform, kind, leaving_at)
    SELECT content_id, region, platform, kind, CASE WHEN until <= $1 + $2::interval THEN until END
      FROM turned WHERE change IN ('arrived', 'leaving', 'staying')
        ON CONFLICT (content_id, region, platform, kind) DO UPDATE SET leaving_at = excluded.leaving_at
), written AS (
    INSERT INTO news (kind, content_id, region, platform, offer_kind, until, at)
    SELECT change, content_id, region, platform, kind, CASE WHEN change <> 'left' THEN until END, $1
      FROM turned WHERE change IS NOT NULL ORDER BY content_id, region, platform, kind
    RETURNING 1
)
SELECT count(*) FROM written"""


def _note(condition: str) -> str:
    return NOTE.format(
        stands=STANDS,
        of_offer=condition.format("offer.content_id"),
        of_availability=condition.format("content_id"),
    )


NOTE_SOME = _note("{} = ANY($3::bigint[])")
NOTE_BETWEEN = _note("{0} > $3 AND {0} <= $4")
LAST = (
    "SELECT coalesce(greatest((SELECT max(id) FROM content), (SELECT max(content_id) FROM availability)), 0)"
)


class Look(NamedTuple):
    """What may have turned since: some titles, or None for any."""

    content_ids: frozenset[int] | None
    seen: str | None

    @property
    def idle(self) -> bool:
        return self.content_ids is not None and not self.content_ids


class PostgresNoting:
    """Fills `Noting`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def note_availability(self, now: datetime) -> int:
        # Without the turn at first: it costs a write, and as a rule there is nothing to do.
        last = await last_turn(self._database)
        if (await self._look(last, now)).idle and not _overdue(last, now):
            return 0
        async with turn_in(self._database, wait=False) as turn:
            if turn is None:
                return 0
            # A clock that goes back must not undo what was told.
            now = now if turn.looked_at is None else max(now, turn.looked_at)
            look = await self._look(turn, now)
            if look.content_ids is None:
                noted = await self._note_all(now)
            else:
                noted = await self._database.value(NOTE_SOME, now, LEAVING, list(look.content_ids))
            await self._database.execute(LOOKED, look.seen, now)
        return int(noted)

    async def note_trends(self, content_ids: list[int], now: datetime) -> int:
        async with turn_in(self._database):
            last = await self._database.row(LAST_TRENDS, TRENDS)
            if last is not None and last["content_ids"] == content_ids:
                return 0
            await self._database.execute(
                "INSERT INTO news (kind, content_ids, at) VALUES ($1, $2, $3)", TRENDS, content_ids, now
            )
        return 1

    async def trends_noted_at(self) -> datetime | None:
        last = await self._database.row(LAST_TRENDS, TRENDS)
        return None if last is None else last["at"]

    async def forget(self, before: datetime) -> int:
        async with turn_in(self._database):
            dropped: int = await self._database.value(FORGET, before, FORGOTTEN_AT_ONCE)
        return dropped

    async def _note_all(self, now: datetime) -> int:
        """In statements that each take a second or so, whatever there is."""
        noted = 0
        for first in range(0, await self._database.value(LAST), TITLES_AT_ONCE):
            last = first + TITLES_AT_ONCE
            noted += await self._database.value(NOTE_BETWEEN, now, LEAVING, first, last)
        return noted

    async def _look(self, last: Turn, now: datetime) -> Look:
        record = PostgresChangeRecord(self._database, last.seen)
        changes = await record.news()
        if last.seen is None or last.looked_at is None or changes.everything:
            return Look(None, record.seen)
        if now - last.looked_at > REMEMBERED:
            return Look(None, record.seen)
        turning = await self._database.rows(TURNING, last.looked_at, now, LEAVING)
        return Look(changes.content_ids.union(row[0] for row in turning), record.seen)


def _overdue(last: Turn, now: datetime) -> bool:
    """Whether it is to be written down how far the catalogue was looked at, though that changes nothing."""
    return last.looked_at is not None and now - last.looked_at >= NOTED_EVERY
