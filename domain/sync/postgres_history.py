"""For how long histories are kept, in PostgreSQL."""

from datetime import datetime

from domain.platform.postgres import Database
from domain.sync.abandoned import Left
from domain.sync.postgres_retention import to_left


class PostgresHistoryLimits:
    """Fills `HistoryLimits`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def days(self, account_id: str) -> int | None:
        days: int | None = await self._database.value(
            "SELECT days FROM history_limit WHERE account_id = $1", account_id
        )
        return days

    async def limit(self, account_id: str, days: int | None, at: datetime) -> None:
        if days is None:
            await self._database.execute("DELETE FROM history_limit WHERE account_id = $1", account_id)
            return
        await self._database.execute(
            """INSERT INTO history_limit (account_id, days, chosen_at) VALUES ($1, $2, $3)
               ON CONFLICT (account_id) DO UPDATE
                  SET (days, chosen_at) = (EXCLUDED.days, EXCLUDED.chosen_at)""",
            account_id,
            days,
            at,
        )

    async def overdue(self, at: datetime, limit: int) -> list[Left]:
        rows = await self._database.rows(
            """SELECT p.account_id, p.content_id, p.viewing, p.hlc, p.hlc_device
                 FROM history_limit l JOIN progress p
                   ON p.account_id = l.account_id
                  AND coalesce(p.completed_at, p.updated_at) < $1::timestamptz - make_interval(days => l.days)
                ORDER BY p.account_id, p.content_id, p.viewing LIMIT $2""",
            at,
            limit,
        )
        return [to_left(row) for row in rows]
