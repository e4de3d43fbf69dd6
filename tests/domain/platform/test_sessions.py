"""Connections that stay at hand, over a pool of PostgreSQL's."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import asyncpg
import pytest

from domain.platform import sessions
from domain.platform.sessions import IDLE_SECONDS, Session, Sessions, is_lost


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[asyncpg.Pool]:
    async with asyncpg.create_pool(database_url, min_size=0, max_size=2) as pool:
        yield pool


@pytest.fixture
async def held(pool: asyncpg.Pool) -> AsyncIterator[Sessions]:
    held = Sessions(pool, timeout_seconds=5.0)
    yield held
    await held.close()


async def pid(session: Session) -> int:
    return int(await session.fetchval("SELECT pg_backend_pid()"))


async def test_the_connection_that_was_used_last_is_taken_first(held: Sessions) -> None:
    first, second = await held.take(), await held.take()
    pids = await pid(first), await pid(second)
    await held.give(first, sound=True)
    await held.give(second, sound=True)

    again = await held.take()

    assert await pid(again) == pids[1]
    await held.give(again, sound=True)


async def test_what_is_at_hand_counts_as_idle(held: Sessions) -> None:
    session = await held.take()
    assert (held.idle, held.in_use) == (0, 1)

    await held.give(session, sound=True)

    assert (held.idle, held.in_use) == (1, 0)


async def test_what_is_at_hand_is_the_very_same_that_was_given(held: Sessions) -> None:
    """The pool would wrap the connection anew."""
    session = await held.take()
    await held.give(session, sound=True)

    again = await held.take()

    assert again is session
    await held.give(again, sound=True)


@pytest.mark.parametrize("sound", [True, False])
async def test_one_whose_use_failed_is_looked_after_by_the_pool(
    held: Sessions,
    pool: asyncpg.Pool,
    sound: bool,  # noqa: FBT001
) -> None:
    session = await held.take()

    await held.give(session, sound=sound)

    assert pool.get_idle_size() == (0 if sound else 1)


async def test_one_in_a_transaction_is_not_kept_as_it_is(held: Sessions, pool: asyncpg.Pool) -> None:
    session = await held.take()
    await session.execute("BEGIN")

    await held.give(session, sound=True)

    assert pool.get_idle_size() == 1
    again = await held.take()
    assert not again.is_in_transaction()
    await held.give(again, sound=True)


async def test_who_waits_gets_what_is_given_back(held: Sessions) -> None:
    taken = [await held.take(), await held.take()]
    waiting = asyncio.create_task(held.take())
    await asyncio.sleep(0.05)
    assert not waiting.done()

    await held.give(taken[0], sound=True)

    session = await asyncio.wait_for(waiting, 5)
    for one in (taken[1], session):
        await held.give(one, sound=True)
    assert (held.idle, held.in_use) == (2, 0)


async def test_who_waits_is_handed_the_very_connection(held: Sessions, pool: asyncpg.Pool) -> None:
    """The pool would have it forget its prepared statements."""
    taken = [await held.take(), await held.take()]
    waiting = [asyncio.create_task(held.take()) for _ in range(3)]
    await asyncio.sleep(0.05)

    for session in taken:
        assert held.give_idle(session)
    got = [await waiting[0], await waiting[1]]
    await held.give(got[1], sound=True)

    assert got == taken
    assert got[0] is taken[0]
    assert await waiting[2] is taken[1]
    for session in taken:
        await held.give(session, sound=True)
    assert held.idle == pool.get_size() == 2


async def test_who_waits_gets_a_new_one_where_one_has_ended(held: Sessions) -> None:
    taken = [await held.take(), await held.take()]
    waiting = asyncio.create_task(held.take())
    await asyncio.sleep(0.05)

    await taken[0].close()
    await held.give(taken[0], sound=False)

    session = await asyncio.wait_for(waiting, 5)
    assert await pid(session) > 0
    for one in (taken[1], session):
        await held.give(one, sound=True)


async def test_what_is_handed_to_one_who_gave_up_is_not_lost(held: Sessions) -> None:
    taken = [await held.take(), await held.take()]
    first, second = asyncio.create_task(held.take()), asyncio.create_task(held.take())
    await asyncio.sleep(0.05)

    held.give_idle(taken[0])  # the first is to have it
    first.cancel()

    assert await asyncio.wait_for(second, 5) is taken[0]
    assert first.cancelled() or (await asyncio.gather(first, return_exceptions=True))[0]
    for session in taken:
        await held.give(session, sound=True)
    assert (held.idle, held.in_use) == (2, 0)


async def test_a_hundred_who_come_and_give_up_leave_all_connections(held: Sessions) -> None:
    async def use(number: int) -> None:
        with suppress(TimeoutError):
            session = await held.take(seconds_left=0.002 * (number % 7))
            try:
                await asyncio.sleep(0.001 * (number % 3))
                if number % 20 == 0:
                    await session.close()
            finally:
                await held.give(session, sound=number % 5 > 0)

    await asyncio.gather(*(use(number) for number in range(100)))

    taken = [await asyncio.wait_for(held.take(), 5) for _ in range(2)]
    for session in taken:
        await held.give(session, sound=True)
    assert (held.idle, held.in_use) == (2, 0)


async def test_who_waits_too_long_is_told(pool: asyncpg.Pool) -> None:
    held = Sessions(pool, timeout_seconds=0.05)
    taken = [await held.take(), await held.take()]

    with pytest.raises(TimeoutError):
        await asyncio.wait_for(held.take(), 5)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(Sessions(pool, timeout_seconds=60.0).take(seconds_left=0.05), 5)

    for session in taken:
        await held.give(session, sound=True)
    # Nobody waits any more, so they stay at hand.
    assert pool.get_idle_size() == 0
    await held.close()


async def test_a_connection_that_has_ended_is_not_taken(held: Sessions) -> None:
    session = await held.take()
    ended = await pid(session)
    await held.give(session, sound=True)
    await session.close()

    again = await held.take()

    assert is_lost(session)
    assert await pid(again) != ended
    await held.give(again, sound=True)


@pytest.mark.parametrize("where", ["given", "kept", "handed"])
async def test_a_connection_that_the_driver_gave_up_leaves_room_for_another(
    held: Sessions, where: str
) -> None:
    """As it does with a cancelled statement while nobody answers; it tells neither us nor its pool."""

    def give_up(session: Any) -> None:
        session._con._protocol.abort()

    for _ in range(3):
        first, second = await held.take(), await held.take()
        if where == "kept":
            await held.give(first, sound=True)
            give_up(first)
        elif where == "given":
            give_up(first)
            await held.give(first, sound=False)
        else:
            waiting = asyncio.create_task(held.take())
            await asyncio.sleep(0)
            await held.give(first, sound=True)
            give_up(first)
            await held.give(await waiting, sound=True)
        again = await held.take()
        assert await pid(again) > 0
        await held.give(again, sound=True)
        await held.give(second, sound=True)

    assert held.in_use == 0


async def test_a_connection_that_has_ended_is_not_kept(held: Sessions) -> None:
    session = await held.take()
    await session.close()

    await held.give(session, sound=True)

    assert held.idle == held.in_use == 0


async def test_what_nobody_used_for_long_goes_back_to_the_pool(
    held: Sessions, pool: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = await held.take(), await held.take()
    clock = SimpleNamespace(now=1_000.0)
    monkeypatch.setattr(sessions, "time", SimpleNamespace(monotonic=lambda: clock.now))
    await held.give(first, sound=True)
    clock.now += IDLE_SECONDS
    await held.give(second, sound=True)
    assert pool.get_idle_size() == 0

    clock.now += 1
    await held.give(await held.take(), sound=True)

    assert pool.get_idle_size() == 1
    assert held.idle == 2


async def test_in_the_end_the_pool_has_all_of_them(held: Sessions, pool: asyncpg.Pool) -> None:
    taken = [await held.take(), await held.take()]
    for session in taken:
        await held.give(session, sound=True)

    await held.close()

    assert pool.get_idle_size() == pool.get_size() == 2
