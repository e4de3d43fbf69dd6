"""The change log and the outbox in PostgreSQL."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from weakref import WeakValueDictionary

from domain.platform.postgres import Database, Row
from domain.sync.journal import Writing
from domain.sync.model import Change, ChangeKind


class PostgresChangeLog:
    """Fills `ChangeLog`.

    The row lock on the account's sequence is held until the commit. So numbers are given in the order of
    commits, and a reader that sees one number has seen all below it. Writes of this process wait for their
    turn before they take a connection, so that one busy account cannot use up the pool.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    @asynccontextmanager
    async def writing(self, account_id: str) -> AsyncIterator[None]:
        turn = self._turns.setdefault(account_id, asyncio.Lock())
        async with turn, self._database.transaction() as session:
            await session.execute(
                """INSERT INTO change_sequence (account_id) VALUES ($1)
                   ON CONFLICT (account_id) DO UPDATE SET seq = change_sequence.seq""",
                account_id,
            )
            yield

    async def append(self, writing: Writing) -> list[Change]:
        rows = await self._database.rows(
            """WITH turn AS (
                   UPDATE change_sequence SET seq = seq + cardinality($2::text[])
                    WHERE account_id = $1 RETURNING seq - cardinality($2::text[]) AS base
               ), told AS (
                   INSERT INTO outbox (topic, key, payload)
                   SELECT * FROM unnest($4::text[], $5::text[], $6::jsonb[])
               )
               INSERT INTO change (account_id, seq, kind, payload)
               SELECT $1, base + place, kind, payload
                 FROM turn, unnest($2::text[], $3::jsonb[]) WITH ORDINALITY AS record (kind, payload, place)
               RETURNING account_id, seq, kind, payload""",
            writing.account_id,
            [kind.value for kind, _ in writing.records],
            [payload for _, payload in writing.records],
            [event.topic for event in writing.events],
            [event.key for event in writing.events],
            [event.payload for event in writing.events],
        )
        now = time.time()
        return sorted((_change(row, now) for row in rows), key=lambda change: change.seq)

    async def latest(self, account_id: str) -> int:
        seq = await self._database.value("SELECT seq FROM change_sequence WHERE account_id = $1", account_id)
        return seq or 0

    async def latest_of(self, account_ids: list[str]) -> dict[str, int]:
        rows = await self._database.rows(
            "SELECT account_id, seq FROM change_sequence WHERE account_id = ANY($1::uuid[])", account_ids
        )
        return {row[0]: row[1] for row in rows}

    async def since(self, account_id: str, seq: int, limit: int) -> list[Change]:
        rows = await self._database.rows(
            """SELECT account_id, seq, kind, payload FROM change
                WHERE account_id = $1 AND seq > $2 ORDER BY seq LIMIT $3""",
            account_id,
            seq,
            limit,
        )
        return [_change(row) for row in rows]


def _change(row: Row, written_at: float | None = None) -> Change:
    kind = ChangeKind(row["kind"])
    return Change(row["account_id"], row["seq"], kind, row["payload"], written_at=written_at)
