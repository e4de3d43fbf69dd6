"""Writes of an account, one after another, each with the changes it causes; and following those changes."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from domain.platform.errors import BadInput
from domain.sync.model import Change, ChangeKind, Event

CATCH_UP_PAGE = 500
SLOW_FROM = 16
"""Changes that wait for a listener: whoever has so many does not keep up."""


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


class Arrival(NamedTuple):
    """A change that came to a listener, with those before it that it makes up for."""

    first: int
    """The number of the first of them; its own where there are none."""
    change: Change


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

    async def get(self) -> Arrival | int:
        """The next change, or the number that the log has reached, where the listener has to look there."""
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

        Whoever takes them too slowly is spared progress that a later one has made up for; see `newest`.
        """
        async with self.fanout.listen(account_id) as inbox:
            latest = await self.log.latest(account_id)
            seen = latest if after is None else after
            if seen > latest:
                raise BadInput("`after` lies ahead of this account's changes.", argument="after")
            live = False
            while True:
                while anew or seen < latest:
                    missed = [] if anew else await self.log.since(account_id, seen, CATCH_UP_PAGE)
                    whole = unbroken(missed, seen)
                    for change in newest(whole) if live and len(whole) > SLOW_FROM else whole:
                        yield change
                    seen += len(whole)
                    if not missed or seen != missed[-1].seq:
                        snapshot = await (catch_up or refuse_to_catch_up)(account_id, seen)
                        for change in snapshot.changes:
                            yield change
                        seen, anew = max(seen, snapshot.seq), False
                live = True
                arrived = await inbox.get()
                if isinstance(arrived, int):
                    latest = max(latest, arrived)
                elif arrived.first <= seen + 1 <= arrived.change.seq:
                    yield arrived.change
                    seen = arrived.change.seq
                else:
                    latest = max(latest, arrived.change.seq)


async def refuse_to_catch_up(account_id: str, seen: int) -> Snapshot:  # noqa: ARG001 - fills the port
    raise BadInput(
        "`after` is older than the log is kept: follow `changes`, which then begins with the state as it is.",
        argument="after",
        reason="CURSOR_EXPIRED",
    )


def unbroken(changes: Sequence[Change], seen: int) -> Sequence[Change]:
    """Those at the beginning that follow on `seen`, and each other."""
    for place, change in enumerate(changes):
        if change.seq != seen + 1 + place:
            return changes[:place]
    return changes


def newest(changes: Sequence[Change]) -> list[Change]:
    """Without the progress that a later one in the same viewing has made up for."""
    last = {_viewing(change): change for change in changes}
    return [change for change in changes if _viewing(change) is None or last[_viewing(change)] is change]


def _viewing(change: Change) -> tuple[Any, Any] | None:
    """What a change is the latest word on; nothing where others say something of their own."""
    if change.kind is not ChangeKind.PROGRESS:
        return None
    return change.payload["content"], change.payload["viewing"]


class Mailbox:
    """An inbox held in memory; fills `Inbox`."""

    def __init__(
        self, capacity: int, slow_from: int = SLOW_FROM, taken: Callable[[Change], None] = lambda _: None
    ) -> None:
        """From `slow_from` changes that wait, progress is kept only where it is the latest of its viewing.

        `taken` hears of each that the listener gets.
        """
        self._taken = taken
        self._capacity = capacity
        self._slow_from = slow_from
        self._arrivals: deque[Arrival] = deque()
        self._reached: int | None = None
        self._waiter: asyncio.Future[None] | None = None

    def __len__(self) -> int:
        return len(self._arrivals)

    async def get(self) -> Arrival | int:
        while not self._arrivals and self._reached is None:
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        if self._reached is not None:
            reached, self._reached = self._reached, None
            return reached
        arrival = self._arrivals.popleft()
        self._taken(arrival.change)
        return arrival

    def put(self, change: Change) -> None:
        """Delivers, or, where the box is full, empties it and points to the log."""
        first = change.seq
        if len(self._arrivals) >= self._slow_from:
            first = self._made_up_for(change)
        if len(self._arrivals) < self._capacity:
            self._arrivals.append(Arrival(first, change))
            self._wake()
        else:
            self._arrivals.clear()
            self.point(change.seq)

    def point(self, seq: int) -> None:
        """Says that the log has reached this number."""
        self._reached = max(seq, self._reached or 0)
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _made_up_for(self, change: Change) -> int:
        """Takes out the progress that this one makes up for; the first number that the change stands for."""
        key = _viewing(change)
        if key is None:
            return change.seq
        for place, (first, known) in enumerate(self._arrivals):
            if _viewing(known) == key and known.seq < change.seq:
                follower = self._arrivals[place + 1] if place + 1 < len(self._arrivals) else None
                following = change.seq if follower is None else follower.first
                if following != known.seq + 1:
                    break  # messages came out of their order; the log will tell
                del self._arrivals[place]
                if follower is None:
                    return first
                self._arrivals[place] = Arrival(first, follower.change)
                break
        return change.seq
