"""Connections at hand: between uses they stay out of the driver's pool, which spends a task and a timer on
each taking and giving back.
"""

import time
from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, cast

import asyncpg
from asyncpg.pool import PoolConnectionProxy

if TYPE_CHECKING:

    class Session(PoolConnectionProxy[asyncpg.Record]):
        """A connection as the pool lends it; what `postgres.Connection` adds passes through."""

        async def answer(
            self, how: str, query: str, arguments: Sequence[Any], seconds: float | None
        ) -> Any: ...

else:
    Session = PoolConnectionProxy

IDLE_SECONDS: Final = 60.0
"""After which an unused connection goes back to the pool, which closes it in time."""


class Sessions:
    """Takes the connection that was used last; the pool bounds how many there are and mends broken ones."""

    def __init__(self, pool: asyncpg.Pool, timeout_seconds: float) -> None:
        self._pool = pool
        self._timeout_seconds = timeout_seconds
        self._free: deque[tuple[Session, float]] = deque()
        self._waiting = 0

    @property
    def idle(self) -> int:
        return self._pool.get_idle_size() + len(self._free)

    @property
    def in_use(self) -> int:
        return self._pool.get_size() - self.idle

    async def take(self, seconds_left: float | None = None) -> Session:
        """TimeoutError if none is free in time: in that of the pool, or what is left of the caller's."""
        if (session := self.take_idle()) is not None:
            return session
        self._waiting += 1
        try:
            most = self._timeout_seconds
            patience = most if seconds_left is None else min(most, seconds_left)
            return cast("Session", await self._pool.acquire(timeout=patience))
        finally:
            self._waiting -= 1

    def take_idle(self) -> Session | None:
        """One that is at hand, if there is."""
        while self._free:
            session, _ = self._free.pop()
            if not is_lost(session):
                return session
        return None

    def give_idle(self, session: Session) -> bool:
        """Keeps a connection at hand that was used well, outside of any transaction; False where it has to be
        given with `give`, as somebody waits for one or another has to go back to the pool.
        """
        now = time.monotonic()
        if self._waiting or (self._free and now - self._free[0][1] > IDLE_SECONDS):
            return False
        self._free.append((session, now))
        return True

    async def give(self, session: Session, *, sound: bool) -> None:
        """Takes a connection back; one whose use failed is not `sound`, and looked after by the pool."""
        now = time.monotonic()
        if is_lost(session):
            return
        if sound and not self._waiting and not session.is_in_transaction():
            self._free.append((session, now))
        else:
            await self._pool.release(session)
        if self._free and now - self._free[0][1] > IDLE_SECONDS:
            await self._return(self._free.popleft()[0])

    async def close(self) -> None:
        """Gives all back to the pool."""
        while self._free:
            await self._return(self._free.pop()[0])

    async def _return(self, session: Session) -> None:
        if not is_lost(session):
            await self._pool.release(session)


def is_lost(session: Session) -> bool:
    """Whether a connection has ended; the pool takes such back by itself."""
    try:
        return session.is_closed()
    except asyncpg.InterfaceError:
        return True
