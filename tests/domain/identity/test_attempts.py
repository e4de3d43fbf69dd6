"""Attempts: one suite for the limit of one process and that of Redis."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from domain.identity.attempts import Allowance, AttemptLimit, LocalAttempts
from domain.identity.redis import PREFIX, RedisAttempts
from tests.accounts import Clock

THREE = Allowance(attempts=3, seconds=60.0)
SHORT = Allowance(attempts=2, seconds=0.3)


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator["Redis"]:
    client = Redis.from_url(redis_url)
    await client.flushdb()
    yield client
    await client.aclose()


@pytest.fixture(params=["local", "redis"])
def limit(request: pytest.FixtureRequest) -> AttemptLimit:
    if request.param == "local":
        return LocalAttempts()
    return RedisAttempts(request.getfixturevalue("redis"), LocalAttempts())


async def test_the_attempt_beyond_the_allowance_has_to_wait(limit: AttemptLimit) -> None:
    waits = [await limit.attempt("a", THREE) for _ in range(4)]

    assert waits[:3] == [0, 0, 0]
    assert 59 < waits[3] <= 60


async def test_keys_are_counted_apart(limit: AttemptLimit) -> None:
    for _ in range(3):
        await limit.attempt("a", THREE)

    assert await limit.attempt("b", THREE) == 0
    assert await limit.attempt("a", THREE) > 0


async def test_of_many_at_once_as_many_pass_as_are_allowed(limit: AttemptLimit) -> None:
    waits = await asyncio.gather(*(limit.attempt("a", THREE) for _ in range(20)))

    assert sorted(wait == 0 for wait in waits) == [False] * 17 + [True] * 3


async def test_whoever_waits_as_long_as_told_may_try_again(limit: AttemptLimit) -> None:
    for _ in range(2):
        await limit.attempt("a", SHORT)
    wait = await limit.attempt("a", SHORT)

    await asyncio.sleep(wait + 0.01)

    assert await limit.attempt("a", SHORT) == 0


async def test_refused_attempts_do_not_prolong_the_wait(limit: AttemptLimit) -> None:
    for _ in range(2):
        await limit.attempt("a", SHORT)
    waits = [await limit.attempt("a", SHORT) for _ in range(10)]

    assert all(wait > 0 for wait in waits)
    assert waits == sorted(waits, reverse=True)
    await asyncio.sleep(waits[0] + 0.01)
    assert await limit.attempt("a", SHORT) == 0


async def test_the_window_slides() -> None:
    clock = Clock()
    limit = LocalAttempts(clock.seconds)
    for _ in range(3):
        await limit.attempt("a", THREE)
        clock.turn(15)

    assert await limit.attempt("a", THREE) == 15
    clock.turn(15)
    assert await limit.attempt("a", THREE) == 0
    assert await limit.attempt("a", THREE) == 15


async def test_memory_is_bounded_and_the_quietest_key_goes_first() -> None:
    clock = Clock()
    limit = LocalAttempts(clock.seconds, max_keys=100)
    for _ in range(3):
        await limit.attempt("watched", THREE)
    for number in range(500):
        await limit.attempt(f"passing {number}", THREE)
        assert await limit.attempt("watched", THREE) > 0

    assert len(limit._kept("watched")) == 100


async def test_redis_forgets_what_is_over(redis: "Redis") -> None:
    limit = RedisAttempts(redis, LocalAttempts())

    await limit.attempt("a", SHORT)

    assert 0 < await redis.pttl(PREFIX + "a") <= 300
    assert await redis.keys("*") == [(PREFIX + "a").encode()]


async def test_processes_joined_by_redis_count_together(redis: "Redis") -> None:
    one, other = (RedisAttempts(redis, LocalAttempts()) for _ in range(2))

    waits = [await limit.attempt("a", THREE) for limit in (one, other, one, other)]

    assert [wait == 0 for wait in waits] == [True, True, True, False]


async def test_without_redis_each_process_counts_for_itself() -> None:
    nowhere: Redis = Redis.from_url("redis://127.0.0.1:1/0", socket_connect_timeout=0.5)
    limit = RedisAttempts(nowhere, LocalAttempts())

    waits = [await limit.attempt("a", THREE) for _ in range(4)]

    assert [wait == 0 for wait in waits] == [True, True, True, False]
    await nowhere.aclose()


async def test_who_asks_for_much_of_one_kind_makes_nobody_forget_another() -> None:
    limit = LocalAttempts(max_keys=2)
    for _ in range(3):
        await limit.attempt("second-factor:ada", THREE)

    for number in range(10):
        await limit.attempt(f"dpop:{number}", THREE)

    assert await limit.attempt("second-factor:ada", THREE) > 0
