"""A desk at which accounts are opened, over empty tables."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import asyncpg
import pytest

from domain.platform.postgres import Database
from tests.accounts import Desk, opened_desk
from tests.redis_server import redis_url

__all__ = ["redis_url"]

WAITING = """SELECT count(*) FROM pg_stat_activity
              WHERE datname = current_database() AND wait_event_type = 'Lock'"""
LockAwaited = Callable[[], Awaitable[None]]


@pytest.fixture
async def desk(database: Database) -> AsyncIterator[Desk]:
    async with opened_desk(database) as desk:
        yield desk


@pytest.fixture
async def lock_awaited(database_url: str) -> AsyncIterator[LockAwaited]:
    """Returns once somebody waits for a lock."""
    watching = await asyncpg.connect(database_url)

    async def wait() -> None:
        async with asyncio.timeout(10):
            while not await watching.fetchval(WAITING):  # noqa: ASYNC110 - the server has no event for it
                await asyncio.sleep(0.005)

    yield wait
    await watching.close()
