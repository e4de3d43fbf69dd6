"""Connections at hand: between uses they stay out of the driver's pool, which spends a task and a timer on
each taking and giving back.
"""

import asyncio
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, cast

import asyncpg
from asyncpg.pool import PoolConnectionProxy

if TYPE_CHECKING:

    class Session(PoolConnectionProxy[asyncpg.Record]):
        """A connection as the pool lends it; what `postgres.Connection` adds passes through."""

        async def answer(
            self, most: int, query: str, arguments: Sequence[Any], seconds: float | None
        ) -> list[asyncpg.Record]: ...

else:
    Session = PoolConnectionProxy

IDLE_SECONDS: Final = 60.0
"""After which an unused connection goes back to the pool, which closes it in time."""


class Sessions:
    """Takes the connection that was used last; the pool bounds how many there are and mends broken ones.

    Who has to wait is handed the next connection as it is: by way of the pool it would lose its prepared
    statements, and everybody would prepare theirs again just when there is most to do.
    """

    def __init__(self, pool: asyncpg.Pool, timeout_seconds: float) -> None:
        self._pool = pool
        self._timeout_seconds = timeout_seconds
        self._free: deque[tuple[Session, float]] = deque()
        self._lent = 0
        """By the pool, to us: in use, free, and those that are being opened."""
        self._waiters: deque[asyncio.Future[Session | None]] = deque()
        """They are given a connection, or nothing where the pool can lend one again."""

    @property
    def most(self) -> int:
        """That the pool lends."""
        return self._pool.get_max_size()

    @property
    def idle(self) -> int:
        return self._pool.get_idle_size() + len(self._free)

    @property
    def in_use(self) -> int:
        return self._pool.get_size() - self.idle

    async def take(self, seconds_left: float | None = None) -> Session:
        """TimeoutError if none is free in time: in that of the pool, or what is left of the caller's."""
        most = self._timeout_seconds
        async with asyncio.timeout(most if seconds_left is None else min(most, seconds_left)):
            while True:
                if (session := self.take_idle()) is not None:
                    return session
                if self._lent < self.most:
                    return await self._borrow()
                if (handed := await self._wait()) is not None and not self._forgets(handed):
                    return handed

    def take_idle(self) -> Session | None:
        """One that is at hand, if there is."""
        while self._free:
            session, _ = self._free.pop()
            if not self._forgets(session):
                return session
        return None

    def give_idle(self, session: Session) -> bool:
        """Keeps a connection at hand that was used well, outside of any transaction; False where it has to be
        given with `give`, as another has to go back to the pool.
        """
        now = time.monotonic()
        if self._free and now - self._free[0][1] > IDLE_SECONDS:
            return False
        if not self._waiters or not self._hand(session):
            self._free.append((session, now))
        return True

    async def give(self, session: Session, *, sound: bool) -> None:
        """Takes a connection back; one whose use failed is not `sound`, and looked after by the pool."""
        if self._forgets(session):
            return
        now = time.monotonic()
        if sound and not session.is_in_transaction():
            self._keep(session, now)
        else:
            await self._return(session)
        if self._free and now - self._free[0][1] > IDLE_SECONDS:
            await self._return(self._free.popleft()[0])

    async def close(self) -> None:
        """Gives all back to the pool."""
        while self._free:
            await self._return(self._free.pop()[0])

    def _keep(self, session: Session, now: float) -> None:
        if not self._hand(session):
            self._free.append((session, now))

    def _hand(self, session: Session | None) -> bool:
        """Gives it to whoever has waited longest; False where nobody waits."""
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_result(session)
                return True
        return False

    async def _wait(self) -> Session | None:
        waiter: asyncio.Future[Session | None] = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        try:
            return await waiter
        except BaseException:
            # It was given something in the moment in which it gave up.
            if waiter.done() and not waiter.cancelled():
                session = waiter.result()
                if session is None:
                    self._hand(None)
                else:
                    self._keep(session, time.monotonic())
            raise

    async def _borrow(self) -> Session:
        self._lent += 1
        try:
            return cast("Session", await self._pool.acquire())
        except BaseException:
            self._has_left()
            raise

    async def _return(self, session: Session) -> None:
        if not self._forgets(session):
            try:
                await self._pool.release(session)
            finally:
                self._has_left()

    def _forgets(self, session: Session) -> bool:
        """Whether a connection has ended; the pool has it back then."""
        if not is_lost(session):
            return False
        with suppress(asyncpg.InterfaceError):
            # Where the driver gave up on a cancelled statement, it has closed the connection and told nobody:
            # the pool would wait for it for good. All others it has taken back already.
            session.terminate()
        self._has_left()
        return True

    def _has_left(self) -> None:
        self._lent -= 1
        self._hand(None)


def is_lost(session: Session) -> bool:
    """Whether a connection has ended."""
    try:
        return session.is_closed()
    except asyncpg.InterfaceError:
        return True
