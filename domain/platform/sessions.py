"""Connections at hand: between uses they stay out of the driver's pool, which spends a task and a timer on
each taking and giving back.
"""

import time
from collections import deque
from typing import Final, TypeAlias

import asyncpg

Session: TypeAlias = "asyncpg.pool.PoolConnectionProxy[asyncpg.Record]"

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
        while self._free:
            session, _ = self._free.pop()
            if not is_lost(session):
                return session
        self._waiting += 1
        try:
            most = self._timeout_seconds
            return await self._pool.acquire(timeout=most if seconds_left is None else min(most, seconds_left))
        finally:
            self._waiting -= 1

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
