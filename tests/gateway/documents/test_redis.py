from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from redis.asyncio import Redis

from gateway.documents.redis import KEY, RedisQueries
from tests.redis_server import free_port, redis_on, redis_url

__all__ = ["redis_url"]


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator["Redis"]:
    async with Redis.from_url(redis_url) as client:
        await client.flushdb()
        yield client


async def test_a_text_is_kept_for_a_while_after_its_last_use(redis: "Redis") -> None:
    queries = RedisQueries(redis, keep_seconds=100)

    await queries.put("h", "{ ä }")
    await redis.expire(KEY.format("h"), 10)
    found = await queries.get("h")

    assert found == "{ ä }"
    assert 90 < await redis.ttl(KEY.format("h")) <= 100
    assert await queries.get("other") is None
    assert queries.failures() == 0


async def test_while_redis_is_away_nothing_is_found_and_that_is_counted(scratch: Path) -> None:
    port = free_port()
    with redis_on(port, scratch):
        async with Redis.from_url(f"redis://127.0.0.1:{port}/0", socket_timeout=1) as redis:
            queries = RedisQueries(redis, keep_seconds=100)
            await queries.put("h", "{ a }")
    async with Redis.from_url(f"redis://127.0.0.1:{port}/0", socket_connect_timeout=1) as redis:
        queries = RedisQueries(redis, keep_seconds=100)

        for _ in range(5):
            assert await queries.get("h") is None
        await queries.put("h", "{ a }")

    assert queries.failures() == 6
