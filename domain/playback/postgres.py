"""Playback sessions in PostgreSQL."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from domain.platform.postgres import Database, Row
from domain.playback.model import (
    Payload,
    PlaybackEnd,
    PlaybackQuality,
    PlaybackSession,
    PlaybackState,
    of_session,
)
from domain.sync.model import ChangeKind

COLUMNS = """id, account_id, device_id, content_id, viewing, state, platform, position_seconds,
    duration_seconds, started_at, updated_at, ended_at, end_reason, quality, told_at,
    end_credits_seconds"""

DELETE_SESSIONS = """WITH gone AS (
        DELETE FROM playback_session WHERE id IN ({} LIMIT $2) RETURNING 1)
    SELECT count(*) FROM gone"""
LONG_ENDED = "SELECT id FROM playback_session WHERE ended_at < $1 ORDER BY ended_at"
UNWANTED = """SELECT s.id FROM history_limit l JOIN playback_session s
        ON s.account_id = l.account_id AND s.ended_at < $1::timestamptz - make_interval(days => l.days)"""
"""What ended longer ago than their account wants to keep its history."""


class PostgresPlayback:
    """Fills `PlaybackStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def by_ids(self, account_id: str, ids: Sequence[str]) -> Mapping[str, PlaybackSession]:
        rows = await self._database.rows(
            f"SELECT {COLUMNS} FROM playback_session WHERE account_id = $1 AND id = ANY($2::uuid[])",
            account_id,
            [key for key in ids if _is_uuid(key)],
        )
        return {row[0]: _session(row) for row in rows}

    async def active_on(self, account_id: str, device_ids: Sequence[str]) -> Mapping[str, PlaybackSession]:
        rows = await self._database.rows(
            f"""SELECT DISTINCT ON (device_id) {COLUMNS} FROM playback_session
                 WHERE account_id = $1 AND device_id = ANY($2::uuid[]) AND ended_at IS NULL
                 ORDER BY device_id, started_at DESC""",
            account_id,
            device_ids,
        )
        return {row["device_id"]: _session(row) for row in rows}

    async def of_account(self, account_id: str, *, active: bool | None, limit: int) -> list[PlaybackSession]:
        rows = await self._database.rows(
            f"""SELECT {COLUMNS} FROM playback_session
                 WHERE account_id = $1 AND ($2::bool IS NULL OR (ended_at IS NULL) = $2)
                 ORDER BY started_at DESC, id LIMIT $3""",
            account_id,
            active,
            limit,
        )
        return [_session(row) for row in rows]

    async def playing(self, account_id: str) -> list[tuple[ChangeKind, Payload]]:
        """All sessions that go on, as they lie in the change log."""
        rows = await self._database.rows(
            f"""SELECT {COLUMNS} FROM playback_session
                 WHERE account_id = $1 AND ended_at IS NULL ORDER BY started_at, id""",
            account_id,
        )
        return [(ChangeKind.PLAYBACK, of_session(_session(row))) for row in rows]

    async def silent(
        self, since: datetime, playing_since: datetime, there_since: datetime, limit: int
    ) -> list[PlaybackSession]:
        rows = await self._database.rows(
            f"""SELECT {COLUMNS} FROM playback_session s
                 WHERE ended_at IS NULL
                   AND (updated_at <= $1
                        OR state <> 'paused'
                           AND (updated_at <= $2
                                AND NOT EXISTS (SELECT FROM device d
                                                 WHERE d.id = s.device_id AND d.last_seen_at > $2)
                                OR updated_at <= $3
                                AND EXISTS (SELECT FROM device d
                                             WHERE d.id = s.device_id AND d.present AND d.last_seen_at > $3)))
                 ORDER BY updated_at LIMIT $4""",
            since,
            playing_since,
            there_since,
            limit,
        )
        return [_session(row) for row in rows]

    async def forget_ended(self, before: datetime, limit: int) -> int:
        forgotten: int = await self._database.value(DELETE_SESSIONS.format(LONG_ENDED), before, limit)
        return forgotten

    async def forget_unwanted(self, at: datetime, limit: int) -> int:
        forgotten: int = await self._database.value(DELETE_SESSIONS.format(UNWANTED), at, limit)
        return forgotten

    async def playing_any(self, account_id: str, content_ids: Sequence[int]) -> list[PlaybackSession]:
        rows = await self._database.rows(
            f"""SELECT {COLUMNS} FROM playback_session
                 WHERE account_id = $1 AND content_id = ANY($2::bigint[]) AND ended_at IS NULL""",
            account_id,
            content_ids,
        )
        return [_session(row) for row in rows]

    async def forget(self, account_id: str, content_ids: Sequence[int]) -> None:
        await self._database.execute(
            "DELETE FROM playback_session WHERE account_id = $1 AND content_id = ANY($2::bigint[])",
            account_id,
            content_ids,
        )

    async def save(self, session: PlaybackSession) -> None:
        await self._database.execute(
            f"""INSERT INTO playback_session ({COLUMNS})
                VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
                ON CONFLICT (id) DO UPDATE
                   SET (state, position_seconds, duration_seconds, updated_at, ended_at, end_reason, told_at)
                     = (EXCLUDED.state, EXCLUDED.position_seconds, EXCLUDED.duration_seconds,
                        EXCLUDED.updated_at, EXCLUDED.ended_at, EXCLUDED.end_reason, EXCLUDED.told_at)""",
            session.id,
            session.account_id,
            session.device_id,
            session.content_id,
            session.viewing,
            session.state,
            session.platform_id,
            session.position_seconds,
            session.duration_seconds,
            session.started_at,
            session.updated_at,
            session.ended_at,
            session.end_reason,
            session.quality,
            session.told_at,
            session.end_credits_seconds,
        )


def _session(row: Row) -> PlaybackSession:
    return PlaybackSession(
        id=row[0],
        account_id=row[1],
        device_id=row[2],
        content_id=row[3],
        viewing=row[4],
        state=PlaybackState(row[5]),
        platform_id=row[6],
        position_seconds=row[7],
        duration_seconds=row[8],
        started_at=row[9],
        updated_at=row[10],
        ended_at=row[11],
        end_reason=None if row[12] is None else PlaybackEnd(row[12]),
        quality=PlaybackQuality(row[13]),
        told_at=row[14],
        end_credits_seconds=row[15],
    )


def _is_uuid(text: str) -> bool:
    """Whether it is one as we write it: one session has one id only."""
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False
