"""Connections to Redis: a bounded number, waited for while all are in use, by users who can be cancelled."""

import asyncio
from typing import Any, Final

from redis.asyncio import BlockingConnectionPool, Connection, Redis, SSLConnection, UnixDomainSocketConnection
from redis.asyncio.connection import AbstractConnection

MOST: Final = 50
"""At a time. Redis answers one command after another, so more would only wait there."""


class _Heeding(AbstractConnection):
    """The client sends by `asyncio.wait_for`, which in Python 3.11 takes no notice of a cancellation that
    comes when what it waits for is done (https://github.com/python/cpython/issues/86296): a stream that is to
    end would run on for ever.
    """

    async def send_packed_command(self, command: Any, check_health: bool = True) -> None:  # noqa: FBT001, FBT002 - the client's
        task = asyncio.current_task()
        asked = task.cancelling() if task is not None else 0
        await super().send_packed_command(command, check_health)
        if task is not None and task.cancelling() > asked:
            await self.disconnect(nowait=True)  # nobody will read the answer
            raise asyncio.CancelledError


class _Plain(_Heeding, Connection):
    pass


class _Encrypted(_Heeding, SSLConnection):
    pass


class _Local(_Heeding, UnixDomainSocketConnection):
    pass


_HEEDING: Final[dict[type, type]] = {
    Connection: _Plain,
    SSLConnection: _Encrypted,
    UnixDomainSocketConnection: _Local,
}


def client_of(url: str, *, connect_seconds: float, answer_seconds: float) -> "Redis":
    """A client that answers or fails within so many seconds, be it a connection or Redis it waits for."""
    pool = BlockingConnectionPool.from_url(
        url,
        max_connections=MOST,
        timeout=answer_seconds,
        socket_timeout=answer_seconds,
        socket_connect_timeout=connect_seconds,
    )
    pool.connection_class = _HEEDING[pool.connection_class]
    return Redis.from_pool(pool)
