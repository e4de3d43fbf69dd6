"""Rates: one suite for the limiter of one process and that of Redis."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis.asyncio import Redis

from domain.platform.rates import Cell, LocalRates, Rate, RateLimiter
from domain.platform.redis_rates import PREFIX, RedisRates
from tests.accounts import Clock
from tests.redis_server import redis_url

__all__ = ["redis_url"]

SLOW = Rate(3, 600.0, burst=3)
FAST = Rate(10, 1.0, burst=2)
MINUTE, HOUR = Rate(10, 60.0, burst=15), Rate(100, 3600.0, burst=100)


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator["Redis"]:
    client = Redis.from_url(redis_url)
    await client.flushdb()
    yield client
    await client.aclose()


@pytest.fixture(params=["local", "redis"])
def limiter(request: pytest.FixtureRequest) -> RateLimiter:
    if request.param == "local":
        return LocalRates()
    return RedisRates(request.getfixturevalue("redis"), LocalRates())


async def test_a_burst_passes_and_the_next_has_to_wait(limiter: RateLimiter) -> None:
    verdicts = [await limiter.take([Cell("a", SLOW)]) for _ in range(4)]

    assert [found.allowed for found in verdicts] == [True, True, True, False]
    assert [found.remaining for found in verdicts] == [2, 1, 0, 0]
    assert [found.retry_seconds for found in verdicts[:3]] == [0, 0, 0]
    assert verdicts[3].retry_seconds == pytest.approx(200, abs=1)
    assert [found.reset_seconds for found in verdicts] == pytest.approx([200, 400, 600, 600], abs=1)


async def test_cells_are_counted_apart(limiter: RateLimiter) -> None:
    for _ in range(4):
        await limiter.take([Cell("a", SLOW)])

    assert (await limiter.take([Cell("b", SLOW)])).allowed
    assert not (await limiter.take([Cell("a", SLOW)])).allowed


async def test_whoever_waits_as_long_as_told_may_come_again(limiter: RateLimiter) -> None:
    for _ in range(2):
        await limiter.take([Cell("a", FAST)])
    refused = await limiter.take([Cell("a", FAST)])

    await asyncio.sleep(refused.retry_seconds + 0.005)

    assert not refused.allowed
    assert (await limiter.take([Cell("a", FAST)])).allowed


async def test_refusals_do_not_prolong_the_wait(limiter: RateLimiter) -> None:
    for _ in range(3):
        await limiter.take([Cell("a", SLOW)])
    waits = [(await limiter.take([Cell("a", SLOW)])).retry_seconds for _ in range(10)]

    assert waits == sorted(waits, reverse=True)


async def test_of_many_at_once_as_many_pass_as_may(limiter: RateLimiter) -> None:
    verdicts = await asyncio.gather(*(limiter.take([Cell("a", SLOW)]) for _ in range(30)))

    assert sum(found.allowed for found in verdicts) == 3


async def test_a_request_counts_in_every_cell_or_in_none(limiter: RateLimiter) -> None:
    both = [Cell("wide", Rate(100, 600.0, burst=100)), Cell("narrow", Rate(1, 600.0, burst=1))]
    first, second = [await limiter.take(both) for _ in range(2)]
    wide = await limiter.take(both[:1])

    assert (first.allowed, second.allowed) == (True, False)
    assert second.rate is both[1].rate
    assert wide.remaining == 98


async def test_the_hour_decides_once_the_minute_is_not_what_is_short() -> None:
    clock = Clock()
    limiter = LocalRates(clock.seconds)
    cells = [Cell("m", MINUTE), Cell("h", HOUR)]
    passed = 0
    for _ in range(600):
        passed += (await limiter.take(cells)).allowed
        clock.turn(6)

    assert passed == pytest.approx(200, abs=2), "a hundred at once, and a hundred within the hour after"
    while (found := await limiter.take(cells)).allowed:
        pass
    assert found.rate is HOUR


@given(
    st.integers(1, 20),
    st.integers(1, 30),
    st.lists(st.floats(0, 30, allow_nan=False), min_size=1, max_size=80),
)
def test_no_stretch_lets_more_through_than_the_rate_and_its_burst(
    amount: int, burst: int, pauses: list[float]
) -> None:
    async def passed() -> list[float]:
        clock = Clock()
        limiter, times = LocalRates(clock.seconds), []
        for pause in pauses:
            clock.turn(pause)
            if (await limiter.take([Cell("a", Rate(amount, 60.0, burst))])).allowed:
                times.append(clock.seconds())
        return times

    times = asyncio.run(passed())
    for first, begin in enumerate(times):
        for last, end in enumerate(times[first:], first):
            assert last - first + 1 <= burst + (end - begin) * amount / 60.0 + 1e-3


async def test_memory_is_bounded() -> None:
    limiter = LocalRates(Clock().seconds, max_keys=100)
    for number in range(1_000):
        await limiter.take([Cell(f"passing {number}", SLOW)])

    assert len(limiter._due) == 100


async def test_redis_forgets_what_is_empty_again(redis: "Redis") -> None:
    await RedisRates(redis, LocalRates()).take([Cell("a", FAST)])

    assert 0 < await redis.pttl(PREFIX + "a") <= 100


async def test_processes_joined_by_redis_count_together(redis: "Redis") -> None:
    one, other = (RedisRates(redis, LocalRates()) for _ in range(2))

    verdicts = [await limiter.take([Cell("a", SLOW)]) for limiter in (one, other, one, other)]

    assert [found.allowed for found in verdicts] == [True, True, True, False]


async def test_without_redis_each_process_counts_for_itself() -> None:
    nowhere: Redis = Redis.from_url("redis://127.0.0.1:1/0", socket_connect_timeout=0.5)
    limiter = RedisRates(nowhere, LocalRates())

    verdicts = [await limiter.take([Cell("a", SLOW)]) for _ in range(4)]

    assert [found.allowed for found in verdicts] == [True, True, True, False]
    assert limiter.failures == 4
    await nowhere.aclose()


@pytest.mark.parametrize("rate", [(0, 60.0, 1), (1, 0.0, 1), (1, 60.0, 0)])
def test_a_rate_lets_something_through(rate: tuple[int, float, int]) -> None:
    with pytest.raises(ValueError, match="lets something through"):
        Rate(*rate)


@given(st.lists(st.floats(0, 30), max_size=40))
def test_a_cell_alone_is_counted_like_one_of_several(pauses: list[float]) -> None:
    clock = Clock()
    alone, together = LocalRates(clock.seconds), LocalRates(clock.seconds)

    async def verdicts() -> None:
        for pause in pauses:
            clock.turn(pause)
            assert await alone.take([Cell("a", MINUTE)]) == await together.take([Cell("a", MINUTE)] * 2)

    asyncio.run(verdicts())
