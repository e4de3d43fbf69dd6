"""Announcements in PostgreSQL, with the news that tell of them."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from domain.news.model import Announcement
from domain.news.postgres import ANNOUNCED
from domain.news.postgres_turn import turn_in
from domain.platform.postgres import Database, Row

COLUMNS = "id, text, region, published_at, ends_at, withdrawn_at"
TELL = "INSERT INTO news (kind, announcement_id, region, at) VALUES ($1, $2, $3, $4)"


class PostgresAnnouncements:
    """Fills `AnnouncementStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, text: str, region: str | None, now: datetime, ends_at: datetime) -> Announcement:
        async with turn_in(self._database):
            (row,) = await self._database.rows(
                f"""INSERT INTO announcement (text, region, published_at, ends_at) VALUES ($1, $2, $3, $4)
                    RETURNING {COLUMNS}""",
                text,
                region,
                now,
                ends_at,
            )
            return await self._told(row, now)

    async def withdraw(self, key: int, now: datetime) -> Announcement | None:
        async with turn_in(self._database):
            row = await self._database.row(
                f"""UPDATE announcement SET withdrawn_at = $2
                     WHERE id = $1 AND withdrawn_at IS NULL AND ends_at > $2 RETURNING {COLUMNS}""",
                key,
                now,
            )
            return None if row is None else await self._told(row, now)

    async def counting(self, region: str | None, now: datetime) -> Sequence[Announcement]:
        rows = await self._database.rows(
            f"""SELECT {COLUMNS} FROM announcement
                 WHERE ends_at > $1 AND withdrawn_at IS NULL
                   AND ($2::text IS NULL OR region IS NULL OR region = $2)
                 ORDER BY id DESC""",
            now,
            region,
        )
        return [_announcement(row) for row in rows]

    async def of(self, keys: Sequence[int]) -> Mapping[int, Announcement]:
        rows = await self._database.rows(
            f"SELECT {COLUMNS} FROM announcement WHERE id = ANY($1::bigint[])", keys
        )
        return {row[0]: _announcement(row) for row in rows}

    async def _told(self, row: Row, now: datetime) -> Announcement:
        """It is news that this is so now."""
        changed = _announcement(row)
        await self._database.execute(TELL, ANNOUNCED, changed.id, changed.region, now)
        return changed


def _announcement(row: Row) -> Announcement:
    return Announcement(*row)
