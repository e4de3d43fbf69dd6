"""Writes of an account, one after another, each with the changes it causes; and following those changes."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

from domain.platform.errors import BadInput
from domain.sync.model import Change, ChangeKind, Event

CATCH_UP_PAGE = 500


@dataclass
class Writing:
    """One write in progress: what it records is committed with it, and published once it is."""

    account_id: str
    records: list[tuple[ChangeKind, dict[str, Any]]] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)

    def record(self, kind: ChangeKind, payload: dict[str, Any], *events: Event) -> None:
        self.records.append((kind, payload))
        self.events.extend(events)


class ChangeLog(Protocol):
    """The numbered changes of each account."""

    def writing(self, account_id: str) -> AbstractAsyncContextManager[None]:
        """A transaction that holds the account's turn; see `append`."""
        ...

    async def append(self, writing: Writing) -> list[Change]:
        """Numbers and stores the records; to be called within the account's turn."""
        ...

    async def latest(self, account_id: str) -> int:
        """The number of the latest change; 0 before the first."""
        ...

    async def since(self, account_id: str, seq: int, limit: int) -> list[Change]: ...


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What takes the place of changes that are no longer in the log."""

    seq: int
    """The log goes on behind it."""
    changes: Iterable[Change]


class CatchUp(Protocol):
    """What becomes of one who has seen all up to `seen`, when the log does not go back so far."""

    async def __call__(self, account_id: str, seen: int) -> Snapshot: ...


class Inbox(Protocol):
    """What arrives for one listener; bounded, so a slow one loses messages rather than memory."""

    async def get(self) -> Change | None:
        """The next change; nothing where the listener had better look into the log."""
        ...


class Fanout(Protocol):
    """Tells every listener of an account, in whichever process, what was committed."""

    async def publish(self, changes: list[Change]) -> None: ...

    def listen(self, account_id: str) -> AbstractAsyncContextManager[Inbox]: ...


@dataclass(frozen=True)
class Journal:
    """The log and those who listen to it."""

    log: ChangeLog
    fanout: Fanout

    @asynccontextmanager
    async def writing(self, account_id: str) -> AsyncIterator[Writing]:
        """One write of an account: state, log and outbox commit together, then listeners are told.

        Writes of one account run one after another, so what the block reads stays true until it commits.
        """
        writing = Writing(account_id)
        async with self.log.writing(account_id):
            yield writing
            changes = await self.log.append(writing) if writing.records or writing.events else []
        await self.fanout.publish(changes)

    async def skip(self, account_id: str, seen: int) -> Snapshot:
        """Fills `CatchUp` for those who need nothing of what the log has dropped."""
        left = await self.log.since(account_id, seen, 1)
        return Snapshot(left[0].seq - 1 if left else await self.log.latest(account_id), ())

    async def follow(
        self, account_id: str, after: int | None, catch_up: CatchUp | None = None, *, anew: bool = False
    ) -> AsyncGenerator[Change, None]:
        """Every change behind `after`, in order, then live: without a gap and without a repeat.

        `None` starts now. Listening begins before the log is read; what a message skips is read from the
        log, and what it repeats is dropped. Where the log has dropped a change that is asked for, what
        `catch_up` answers comes in place of it (without one, that is a `BadInput`); with `anew` it comes
        first in any case.
        """
        async with self.fanout.listen(account_id) as inbox:
            latest = await self.log.latest(account_id)
            seen = latest if after is None else after
            if seen > latest:
                raise BadInput("`after` lies ahead of this account's changes.", argument="after")
            while True:
                while anew or seen < latest:
                    missed = [] if anew else await self.log.since(account_id, seen, CATCH_UP_PAGE)
                    for change in missed:
                        if change.seq != seen + 1:
                            break
                        yield change
                        seen = change.seq
                    if not missed or seen != missed[-1].seq:
                        snapshot = await (catch_up or refuse_to_catch_up)(account_id, seen)
                        for change in snapshot.changes:
                            yield change
                        seen, anew = max(seen, snapshot.seq), False
                arrived = await inbox.get()
                if arrived is None:
                    latest = await self.log.latest(account_id)
                elif arrived.seq == seen + 1:
                    yield arrived
                    seen = arrived.seq
                else:
                    latest = max(latest, arrived.seq)


async def refuse_to_catch_up(account_id: str, seen: int) -> Snapshot:  # noqa: ARG001 - fills the port
    raise BadInput(
        "`after` is older than the log is kept: follow `changes`, which then begins with the state as it is.",
        argument="after",
        reason="CURSOR_EXPIRED",
    )


class Mailbox:
    """An inbox held in memory; fills `Inbox`."""

    def __init__(self, capacity: int) -> None:
        self._changes: asyncio.Queue[Change | None] = asyncio.Queue(capacity)

    async def get(self) -> Change | None:
        return await self._changes.get()

    def put(self, change: Change | None) -> None:
        """Delivers, or, where the box is full, empties it and points to the log."""
        if self._changes.full():
            while not self._changes.empty():
                self._changes.get_nowait()
            change = None
        self._changes.put_nowait(change)
