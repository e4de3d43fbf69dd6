"""What holds sessions that are incognito, in process and over Redis."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from redis.asyncio import Redis

from domain.playback.inprocess import LocalPrivateSessions
from domain.playback.model import PlaybackSession, PlaybackState
from domain.playback.redis import RedisPrivateSessions
from domain.playback.service import PrivateSessions
from tests.accounts import Clock, new_id
from tests.redis_server import free_port, redis_url

__all__ = ["redis_url"]

AT = datetime(2026, 3, 1, 20, 0, tzinfo=UTC)


def session() -> PlaybackSession:
    return PlaybackSession(
        new_id(), new_id(), new_id(), 7, 1, PlaybackState.PLAYING, "netflix", 60, 600, AT, AT, None
    )


@pytest.fixture(params=["local", "redis"])
async def held(request: pytest.FixtureRequest) -> AsyncIterator[PrivateSessions]:
    if request.param == "local":
        yield LocalPrivateSessions()
        return
    async with Redis.from_url(request.getfixturevalue("redis_url")) as redis:
        yield RedisPrivateSessions(redis, LocalPrivateSessions())


async def test_what_is_held_is_its_accounts_until_it_is_dropped(held: PrivateSessions) -> None:
    mine = session()
    await held.hold(mine, 60)
    await held.hold(moved := replace(mine, position_seconds=90), 60)

    found = await held.get(mine.account_id, mine.id)
    others = await held.get(new_id(), mine.id)
    await held.drop(mine.account_id, mine.id)

    assert found == moved
    assert others is None
    assert await held.get(mine.account_id, mine.id) is None


async def test_what_is_held_lapses_unless_it_is_held_again(held: PrivateSessions) -> None:
    silent, going = session(), session()
    await held.hold(silent, 0.2)
    await held.hold(going, 0.2)
    await held.hold(going, 60)

    await asyncio.sleep(0.3)

    assert await held.get(silent.account_id, silent.id) is None
    assert await held.get(going.account_id, going.id) == going


async def test_the_memory_of_a_process_has_a_bound() -> None:
    clock = Clock()
    held = LocalPrivateSessions(clock.seconds, most=2)
    first, second, third = session(), session(), session()
    for each in (first, second, first, third):
        await held.hold(each, 60)

    found = [await held.get(each.account_id, each.id) for each in (first, second, third)]

    assert found == [first, None, third]


async def test_what_another_process_dropped_is_gone(redis_url: str) -> None:
    mine = session()
    async with Redis.from_url(redis_url) as redis:
        one, two = (RedisPrivateSessions(redis, LocalPrivateSessions()) for _ in range(2))
        await one.hold(mine, 60)
        assert await two.get(mine.account_id, mine.id) == mine
        await two.drop(mine.account_id, mine.id)

        assert await one.get(mine.account_id, mine.id) is None


async def test_while_redis_is_away_a_process_knows_its_own() -> None:
    mine = session()
    async with Redis.from_url(f"redis://127.0.0.1:{free_port()}/0", socket_timeout=0.2) as redis:
        held = RedisPrivateSessions(redis, LocalPrivateSessions())
        await held.hold(mine, 60)

        assert await held.get(mine.account_id, mine.id) == mine
