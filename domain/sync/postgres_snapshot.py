"""The state of an account as one moment had it, for devices that the change log has left behind."""

from collections.abc import Awaitable, Callable, Iterable, Iterator
from itertools import chain
from typing import TypeAlias

from domain.platform.postgres import Database
from domain.sync import payloads
from domain.sync.journal import Snapshot
from domain.sync.model import Change, ChangeKind
from domain.sync.postgres import ENTRIES, to_entry
from domain.sync.postgres_devices import COLUMNS as DEVICE
from domain.sync.postgres_devices import to_device
from domain.sync.postgres_ledger import MARK, PROGRESS, REACTION, to_marks, to_progress, to_reaction

Records: TypeAlias = Iterable[tuple[ChangeKind, payloads.Payload]]


class PostgresSnapshots:
    """Fills `CatchUp` with the whole state; `others` are what further contexts have to tell of an account."""

    def __init__(self, database: Database, *others: Callable[[str], Awaitable[Records]]) -> None:
        self._database = database
        self._others = others

    async def __call__(self, account_id: str, seen: int) -> Snapshot:
        """As of one moment, so that the log goes on exactly where this ends.

        Rows stay as they came until they are delivered: of all forms they are the smallest.
        """
        async with self._database.transaction() as session:
            await session.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            seq = await self._database.value(
                "SELECT seq FROM change_sequence WHERE account_id = $1", account_id
            )
            parts = [
                await self._devices(account_id),
                await self._progress(account_id),
                await self._watchlist(account_id),
                await self._reactions(account_id),
                await self._marks(account_id),
                *[await other(account_id) for other in self._others],
            ]
        return Snapshot(seq or 0, _changes(account_id, seen, seq or 0, chain.from_iterable(parts)))

    async def _devices(self, account_id: str) -> Records:
        rows = await self._database.rows(
            f"""SELECT {DEVICE} FROM device WHERE account_id = $1 AND removed_at IS NULL
                 ORDER BY registered_at, id""",
            account_id,
        )
        return ((ChangeKind.DEVICE, payloads.of_device(to_device(row))) for row in rows)

    async def _progress(self, account_id: str) -> Records:
        rows = await self._database.rows(
            f"SELECT {PROGRESS} FROM progress p WHERE account_id = $1 ORDER BY updated_at", account_id
        )
        return ((ChangeKind.PROGRESS, payloads.of_progress(to_progress(row))) for row in rows)

    async def _watchlist(self, account_id: str) -> Records:
        rows = await self._database.rows(f"{ENTRIES} GROUP BY t.content_id ORDER BY added_at", account_id)
        return ((ChangeKind.WATCHLIST, payloads.of_entry(row[0], to_entry(row))) for row in rows)

    async def _reactions(self, account_id: str) -> Records:
        rows = await self._database.rows(f"SELECT {REACTION} FROM reaction WHERE account_id = $1", account_id)
        return ((ChangeKind.REACTION, payloads.of_reaction(to_reaction(row))) for row in rows)

    async def _marks(self, account_id: str) -> Records:
        rows = await self._database.rows(
            f"SELECT {MARK} FROM title_mark WHERE account_id = $1 AND kind <> 'place'", account_id
        )
        # Also what was taken back: a device dates later what it says next.
        return [(ChangeKind.MARKS, payloads.of_marks(noted)) for noted in to_marks(rows).values()]


def _changes(account_id: str, seen: int, seq: int, records: Records) -> Iterator[Change]:
    """All but the last have the number that the device came with: if it breaks off, it begins anew."""
    yield Change(account_id, seen, ChangeKind.SNAPSHOT_BEGAN, {})
    for kind, payload in records:
        yield Change(account_id, seen, kind, payload)
    yield Change(account_id, seq, ChangeKind.SNAPSHOT_ENDED, {})
