"""The client of Redis under a crowd, and under those who give up."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from domain.platform.redis_connections import MOST, client_of
from tests.redis_server import redis_url

__all__ = ["redis_url"]


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator["Redis"]:
    async with client_of(redis_url, connect_seconds=1, answer_seconds=2) as client:
        yield client


async def test_whoever_is_cancelled_ends_whatever_they_were_doing(redis: "Redis") -> None:
    async def ask() -> None:
        while True:
            await redis.ping()

    asking = [asyncio.create_task(ask()) for _ in range(200)]
    await asyncio.sleep(0.3)
    for task in asking:
        task.cancel()
        await asyncio.sleep(0)
    _, running = await asyncio.wait(asking, timeout=5)
    for task in running:
        task.cancel()

    assert len(running) == 0
    assert await redis.ping()


async def test_more_than_there_are_connections_wait_for_one(redis: "Redis", redis_url: str) -> None:
    found = await asyncio.gather(*(redis.incr("crowd") for _ in range(MOST * 10)))

    async with Redis.from_url(redis_url) as other:
        connected = (await other.info("clients"))["connected_clients"]
    assert sorted(found) == list(range(1, MOST * 10 + 1))
    assert connected <= MOST + 5
