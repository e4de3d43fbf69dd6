"""What of the log, of conflicts, operations, removals and commands has become too old, in PostgreSQL."""

from datetime import datetime

from domain.platform.postgres import Database, Row
from domain.sync.abandoned import Left
from domain.sync.clock import Timestamp

# A device in use settles its removals itself, however long it is away: see domain/sync/DECISIONS.md.
UNANSWERED = """removed AND removed_at < $1 AND NOT EXISTS (
    SELECT FROM device d
     WHERE d.account_id = watchlist_tag.account_id AND d.removed_at IS NULL
       AND d.id::text = coalesce(watchlist_tag.added_by, watchlist_tag.removed_by))"""


class PostgresUnfinished:
    """Fills `Unfinished`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def __call__(self, before: datetime, limit: int) -> list[Left]:
        rows = await self._database.rows(
            """SELECT account_id, content_id, viewing, hlc, hlc_device
                 FROM (SELECT * FROM progress WHERE NOT completed AND updated_at < $1
                        ORDER BY updated_at LIMIT $2) left_behind
                ORDER BY account_id, content_id, viewing""",
            before,
            limit,
        )
        return [to_left(row) for row in rows]


def to_left(row: Row) -> Left:
    return Left(row[0], row[1], row[2], Timestamp(row[3], row[4]))


class PostgresAttic:
    """Fills `Attic`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def forget_changes(self, before: datetime, limit: int) -> int:
        return await self._forget("change", "created_at < $1", before, limit)

    async def forget_noted(self, before: datetime, limit: int) -> int:
        return (
            await self._forget("sync_operation", "done_at < $1", before, limit)
            + await self._forget("sync_conflict", "noted_at < $1", before, limit)
            + await self._forget("forgotten_title", "forgotten_at < $1", before, limit)
            + await self._forget("incognito_time", "ended_at < $1", before, limit)
            + await self._forget("watchlist_tag", UNANSWERED, before, limit)
        )

    async def forget_commands(self, before: datetime, limit: int) -> int:
        return await self._forget("device_command", "expires_at < $1", before, limit) + await self._forget(
            "process", "seen_at < $1", before, limit
        )

    async def _forget(self, table: str, condition: str, before: datetime, limit: int) -> int:
        dropped: int = await self._database.value(
            f"""WITH gone AS (
                    DELETE FROM {table}
                     WHERE ctid = ANY (ARRAY(SELECT ctid FROM {table} WHERE {condition} LIMIT $2))
                    RETURNING 1)
                SELECT count(*) FROM gone""",
            before,
            limit,
        )
        return dropped
