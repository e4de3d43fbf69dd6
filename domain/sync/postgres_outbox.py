"""The outbox in PostgreSQL."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from domain.platform.locks import Lock
from domain.platform.postgres import Database, affected
from domain.sync.relay import Carrier, Parcel


class PostgresOutbox:
    """Fills `Outbox`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def announce(self, topic: str, key: str, payload: Mapping[str, Any]) -> None:
        """Has an event wait, written in the transaction under way."""
        await self._database.execute(
            "INSERT INTO outbox (topic, key, payload) VALUES ($1, $2, $3)", topic, key, dict(payload)
        )

    async def ship(self, limit: int, carrier: Carrier) -> int:
        async with self._database.transaction() as session:
            if not await session.fetchval("SELECT pg_try_advisory_xact_lock($1)", Lock.SHIP_OUTBOX):
                return 0
            rows = await session.fetch(
                """SELECT id, event_id, topic, key, created_at, payload FROM outbox
                    WHERE shipped_at IS NULL ORDER BY id LIMIT $1""",
                limit,
            )
            if rows:
                await carrier([Parcel(row[1], row[2], row[3], row[4], row[5]) for row in rows])
                await session.execute(
                    "UPDATE outbox SET shipped_at = now() WHERE id = ANY($1::bigint[])",
                    [row[0] for row in rows],
                )
            return len(rows)

    async def forget(self, shipped_before: datetime, waiting_before: datetime | None) -> int:
        async with self._database.transaction() as session:
            tag = await session.execute(
                """DELETE FROM outbox
                    WHERE shipped_at < $1 OR (shipped_at IS NULL AND created_at < $2)""",
                shipped_before,
                waiting_before,
            )
            return affected(tag)
