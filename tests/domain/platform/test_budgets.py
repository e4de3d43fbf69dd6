"""Budgets: one suite for those of one process and those of Redis."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from redis.asyncio import Redis

from domain.platform.budgets import (
    Balance,
    Bucket,
    Budgets,
    Charge,
    LocalBudgets,
    Payer,
    RateLimit,
)
from domain.platform.redis import PREFIX, RedisBudgets
from tests.accounts import Clock
from tests.redis_server import redis_url

__all__ = ["redis_url"]

SLOW = Bucket(capacity=100, per_second=0.001)
"""Refills by nothing while a test runs."""
FAST = Bucket(capacity=100, per_second=500)


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator["Redis"]:
    client = Redis.from_url(redis_url)
    await client.flushdb()
    yield client
    await client.aclose()


@pytest.fixture(params=["local", "redis"])
def budgets(request: pytest.FixtureRequest) -> Budgets:
    if request.param == "local":
        return LocalBudgets()
    return RedisBudgets(request.getfixturevalue("redis"), LocalBudgets())


async def left(budgets: Budgets, key: str, bucket: Bucket = SLOW) -> float:
    return (await budgets.settle(key, bucket, 0)).left


async def test_a_bucket_is_full_at_first_and_what_is_paid_is_taken(budgets: Budgets) -> None:
    balances = [await budgets.pay("a", SLOW, amount) for amount in (60, 30.5)]

    assert [balance.paid for balance in balances] == [True, True]
    assert [balance.left for balance in balances] == pytest.approx([40, 9.5], abs=0.01)


async def test_what_the_bucket_does_not_hold_is_not_taken_at_all(budgets: Budgets) -> None:
    await budgets.pay("a", SLOW, 60)

    refused = await budgets.pay("a", SLOW, 41)

    assert not refused.paid
    assert refused.left == pytest.approx(40, abs=0.01)
    assert (await budgets.pay("a", SLOW, 40)).paid


async def test_keys_pay_for_themselves(budgets: Budgets) -> None:
    await budgets.pay("a", SLOW, 100)

    assert (await budgets.pay("b", SLOW, 100)).paid
    assert not (await budgets.pay("a", SLOW, 1)).paid


async def test_what_was_not_used_comes_back_up_to_the_brim(budgets: Budgets) -> None:
    await budgets.pay("a", SLOW, 60)

    assert (await budgets.settle("a", SLOW, 50)).left == pytest.approx(90, abs=0.01)
    assert (await budgets.settle("a", SLOW, 50)).left == 100
    assert await left(budgets, "a") == 100


async def test_what_was_used_beyond_the_payment_is_owed(budgets: Budgets) -> None:
    await budgets.pay("a", SLOW, 90)

    owing = await budgets.settle("a", SLOW, -30)

    assert owing.left == pytest.approx(-20, abs=0.01)
    assert not (await budgets.pay("a", SLOW, 1)).paid
    assert owing.wait_seconds(SLOW, 1) == pytest.approx(21_000, rel=0.01)


async def test_of_many_at_once_as_many_pay_as_the_bucket_holds(budgets: Budgets) -> None:
    balances = await asyncio.gather(*(budgets.pay("a", SLOW, 10) for _ in range(30)))

    assert sum(balance.paid for balance in balances) == 10


async def test_whoever_waits_as_long_as_told_can_pay(budgets: Budgets) -> None:
    await budgets.pay("a", FAST, 100)
    refused = await budgets.pay("a", FAST, 80)

    wait = refused.wait_seconds(FAST, 80)
    await asyncio.sleep(wait / 2)
    early = await budgets.pay("a", FAST, 80)
    await asyncio.sleep(early.wait_seconds(FAST, 80) + 0.005)

    assert not refused.paid
    assert 0.1 < wait <= 0.16
    assert not early.paid
    assert (await budgets.pay("a", FAST, 80)).paid


async def test_the_bucket_refills_by_the_second() -> None:
    clock = Clock()
    budgets = LocalBudgets(clock.seconds)
    bucket = Bucket(capacity=100, per_second=2)
    await budgets.pay("a", bucket, 100)

    clock.turn(15)

    assert await left(budgets, "a", bucket) == 30
    clock.turn(1000)
    assert await left(budgets, "a", bucket) == 100


async def test_memory_is_bounded_and_the_quietest_bucket_goes_first() -> None:
    budgets = LocalBudgets(Clock().seconds, max_keys=100)
    await budgets.pay("watched", SLOW, 100)
    for number in range(500):
        await budgets.pay(f"passing {number}", SLOW, 1)
        assert not (await budgets.pay("watched", SLOW, 1)).paid

    assert len(budgets._levels) == 100


@pytest.mark.parametrize(("capacity", "per_second"), [(0, 1), (1, 0), (-1, 1)])
def test_a_bucket_that_holds_nothing_or_never_refills_is_none(capacity: float, per_second: float) -> None:
    with pytest.raises(ValueError, match="a bucket"):
        Bucket(capacity, per_second)


async def test_redis_forgets_full_buckets(redis: "Redis") -> None:
    budgets = RedisBudgets(redis, LocalBudgets())

    await budgets.pay("a", FAST, 50)
    await budgets.pay("b", FAST, 50)
    await budgets.settle("b", FAST, 50)

    assert 0 < await redis.pttl(PREFIX + "a") <= 100
    assert await redis.keys("*") == [(PREFIX + "a").encode()]


async def test_processes_joined_by_redis_pay_from_the_same_bucket(redis: "Redis") -> None:
    one, other = (RedisBudgets(redis, LocalBudgets()) for _ in range(2))

    paid = [(await budgets.pay("a", SLOW, 40)).paid for budgets in (one, other, one)]

    assert paid == [True, True, False]


async def test_without_redis_each_process_keeps_its_own_and_stops_asking() -> None:
    nowhere: Redis = Redis.from_url("redis://127.0.0.1:1/0", socket_connect_timeout=0.5)
    clock = Clock()
    budgets = RedisBudgets(nowhere, LocalBudgets(), clock.seconds)

    paid = [(await budgets.pay("a", SLOW, 30)).paid for _ in range(5)]

    assert paid == [True, True, True, False, False]
    assert budgets.failures == 5
    assert budgets._breaker.failures == 3
    await nowhere.aclose()


async def test_when_redis_is_back_it_counts_again(redis: "Redis") -> None:
    clock = Clock()
    fallback = LocalBudgets()
    budgets = RedisBudgets(redis, fallback, clock.seconds)
    for _ in range(3):
        budgets._breaker.failed()
    await budgets.pay("a", SLOW, 70)

    clock.turn(11)

    assert (await budgets.pay("a", SLOW, 70)).paid
    assert not (await budgets.pay("a", SLOW, 70)).paid
    assert await left(fallback, "a") == pytest.approx(30, abs=0.01)


NOW = datetime(2026, 1, 1, tzinfo=UTC)


def test_a_rate_limit_tells_what_is_left_and_when_all_is_back() -> None:
    payer = Payer("a", Bucket(1000, 50), charge=Charge(12.5, Balance(paid=True, left=749.75)))

    assert RateLimit.of(payer, NOW) == RateLimit(
        limit=1000, cost=13, remaining=749, used=251, reset_at=NOW + timedelta(seconds=5.005)
    )


def test_a_debt_is_shown_as_nothing_left() -> None:
    payer = Payer("a", Bucket(100, 10), charge=Charge(1, Balance(paid=True, left=-20)))

    found = RateLimit.of(payer, NOW)

    assert found is not None
    assert (found.remaining, found.used, found.reset_at) == (0, 100, NOW + timedelta(seconds=12))


def test_there_is_no_rate_limit_where_nothing_is_budgeted() -> None:
    assert RateLimit.of(Payer(charge=Charge(5)), NOW) is None
    assert RateLimit.of(Payer("a", Bucket(1, 1)), NOW) is None
