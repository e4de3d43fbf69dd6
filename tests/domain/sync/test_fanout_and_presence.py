"""What fan-outs and presences promise, in process and over Redis, and what is left while Redis is away."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias
from uuid import uuid4

import orjson
import pytest
from redis.asyncio import Redis

from bench.campaign.wires import State, Wire, door
from domain.platform.breaker import Breaker
from domain.platform.postgres import Database
from domain.sync import redis as adapter
from domain.sync.devices import Presence
from domain.sync.inprocess import LocalFanout, LocalPresence
from domain.sync.journal import Fanout, Inbox
from domain.sync.lookout import Lookout
from domain.sync.model import Change, ChangeKind
from domain.sync.postgres_log import PostgresChangeLog
from domain.sync.redis import Guard, RedisFanout, RedisPresence
from gateway.background import in_background
from tests.accounts import Clock
from tests.redis_server import free_port, redis_on
from tests.viewers import living

PATIENCE_SECONDS = 5.0

Pair: TypeAlias = tuple[Fanout, Fanout]


def change(account: str, seq: int, **payload: str) -> Change:
    return Change(account, seq, ChangeKind.PROGRESS, dict(payload))


async def next_of(inbox: Inbox) -> Change | None:
    """The next change; nothing where the inbox points to the log."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        arrived = await inbox.get()
    return None if isinstance(arrived, int) else arrived.change


async def told(inbox: Inbox, count: int) -> list[int]:
    """The numbers of the next changes, each once; nudges are left out."""
    seen: list[int] = []
    while len(seen) < count:
        arrived = await next_of(inbox)
        if arrived is not None and arrived.seq not in seen:
            seen.append(arrived.seq)
    return seen


@asynccontextmanager
async def over_redis(url: str) -> AsyncIterator[RedisFanout]:
    """The fan-out of one process."""
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(Redis.from_url(url, socket_timeout=1.0))
        patient = await stack.enter_async_context(Redis.from_url(url))
        fanout = RedisFanout(client, patient, LocalFanout())
        running = asyncio.create_task(fanout.run())
        try:
            yield fanout
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running


@pytest.fixture(params=["in process", "one process over redis", "two processes over redis"])
async def pair(request: pytest.FixtureRequest) -> AsyncIterator[Pair]:
    """Where a change is published, and where it is listened for."""
    if request.param == "in process":
        local = LocalFanout()
        yield local, local
        return
    url = request.getfixturevalue("redis_url")
    async with over_redis(url) as here, over_redis(url) as there:
        await _joined(here, there)
        yield here, here if request.param.startswith("one") else there


async def _joined(here: RedisFanout, there: RedisFanout) -> None:
    """Until each hears the other."""
    for speaker, listener in ((here, there), (there, here)):
        account = str(uuid4())
        async with listener.listen(account) as inbox, asyncio.timeout(PATIENCE_SECONDS):
            hearing = asyncio.create_task(told(inbox, 1))
            while not hearing.done():
                await speaker.publish([change(account, 1)])
                await asyncio.sleep(0.02)


async def test_listeners_of_the_account_are_told(pair: Pair) -> None:
    speaker, listener = pair
    ada, bob = str(uuid4()), str(uuid4())

    async with listener.listen(ada) as first, listener.listen(ada) as second, listener.listen(bob) as other:
        await speaker.publish([change(ada, 1, title="Солярис"), change(ada, 2)])
        await speaker.publish([change(bob, 9)])

        assert await next_of(first) == change(ada, 1, title="Солярис")
        assert await told(first, 1) == [2]
        assert await told(second, 2) == [1, 2]
        assert await told(other, 1) == [9]


async def test_nobody_is_told_of_nothing(pair: Pair) -> None:
    speaker, listener = pair
    ada = str(uuid4())

    async with listener.listen(ada) as inbox:
        await speaker.publish([])
        await speaker.publish([change(ada, 1)])

        assert await next_of(inbox) == change(ada, 1)


async def test_who_stopped_listening_is_forgotten(pair: Pair) -> None:
    speaker, listener = pair
    ada = str(uuid4())

    with pytest.raises(ZeroDivisionError):
        async with listener.listen(ada):
            raise ZeroDivisionError

    await speaker.publish([change(ada, 1)])
    assert ada not in getattr(listener, "local", listener).accounts  # type: ignore[union-attr]


async def test_how_long_a_change_took_to_its_listener_is_told() -> None:
    ada, delays = str(uuid4()), list[float]()
    fanout = LocalFanout(delayed=delays.append)
    written = time.time()
    async with fanout.listen(ada) as inbox, fanout.listen(ada):
        assert fanout.count == 2
        for seq, at in ((1, written - 2), (2, None), (3, written + 60)):
            await fanout.publish([replace(change(ada, seq), written_at=at)])
        await told(inbox, 3)

    first, ahead = delays
    assert 2.0 <= first < 2.0 + PATIENCE_SECONDS
    assert ahead == 0.0
    assert fanout.count == 0


async def test_when_a_change_was_written_goes_with_it_to_other_processes(redis_url: str) -> None:
    ada = str(uuid4())
    earlier = orjson.dumps([[ada, 2, "progress", {}]])  # as processes tell it that do not know of times
    later = orjson.dumps([[ada, 3, "progress", {}, 1.5, "more"]])
    async with over_redis(redis_url) as here, over_redis(redis_url) as there:
        await _joined(here, there)
        before = there.relayed
        async with there.listen(ada) as inbox, Redis.from_url(redis_url) as client:
            await here.publish([replace(change(ada, 1), written_at=1_772_366_400.25)])
            found = [await next_of(inbox)]
            for message in (earlier, later):
                await client.publish(adapter.CHANNEL, message)
                found.append(await next_of(inbox))

    assert [each and each.written_at for each in found] == [1_772_366_400.25, None, 1.5]
    assert there.relayed == before + 3


async def test_what_cannot_be_read_sends_somebody_to_the_log(redis_url: str) -> None:
    ada = str(uuid4())
    async with over_redis(redis_url) as here, over_redis(redis_url) as there:
        await _joined(here, there)
        async with there.listen(ada) as inbox, Redis.from_url(redis_url) as client:
            for message in (b"{", b"[1]", b"null", orjson.dumps([[ada, 1, "of a later version", {}]])):
                there.local.unsure.clear()
                await client.publish(adapter.CHANNEL, message)

                await asyncio.wait_for(there.local.unsure.wait(), PATIENCE_SECONDS)
            await here.publish([change(ada, 2)])

            assert await told(inbox, 1) == [2]


async def test_while_redis_is_away_only_others_wait(scratch: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adapter, "RETRY_SECONDS", 0.05)
    ada, port = str(uuid4()), free_port()
    url = f"redis://127.0.0.1:{port}/0"
    async with AsyncExitStack() as stack:
        with redis_on(port, scratch):
            here = await stack.enter_async_context(over_redis(url))
            there = await stack.enter_async_context(over_redis(url))
            await _joined(here, there)
        near = await stack.enter_async_context(here.listen(ada))
        far = await stack.enter_async_context(there.listen(ada))
        began = time.monotonic()

        await here.publish([change(ada, 1)])

        assert await next_of(near) == change(ada, 1)
        assert time.monotonic() - began < 2
        there.local.unsure.clear()
        with redis_on(port, scratch):
            # Whoever hears again what others say looks into the log for what was said meanwhile.
            await asyncio.wait_for(there.local.unsure.wait(), PATIENCE_SECONDS)
            await _joined(here, there)
            await here.publish([change(ada, 2)])

            assert await told(far, 1) == [2]


async def test_a_connection_that_gives_no_sign_of_life_is_given_up(
    redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adapter, "PULSE_SECONDS", 0.1)
    monkeypatch.setattr(adapter, "RETRY_SECONDS", 0.05)
    ada, wire = str(uuid4()), Wire(int(redis_url.rpartition(":")[2].partition("/")[0]))
    async with door([wire]) as port, over_redis(redis_url) as here, over_redis(redis_of(port)) as there:
        await _joined(here, there)
        await asyncio.sleep(0.5)  # pulses are answered
        there.local.unsure.clear()

        wire.set(State.SILENT)
        await asyncio.sleep(0.5)
        assert not there.local.unsure.is_set()
        silent = set(wire.ends)
        wire.set(State.WHOLE)

        await asyncio.wait_for(there.local.unsure.wait(), PATIENCE_SECONDS)
        assert silent - wire.ends
        await _joined(here, there)
        async with there.listen(ada) as inbox:
            await here.publish([change(ada, 1)])
            assert await told(inbox, 1) == [1]


async def test_pulses_that_are_answered_keep_a_connection(
    redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adapter, "PULSE_SECONDS", 0.3)
    async with over_redis(redis_url) as here, over_redis(redis_url) as there:
        await _joined(here, there)
        there.local.unsure.clear()

        await asyncio.sleep(1.5)

        assert not there.local.unsure.is_set()


def redis_of(port: int) -> str:
    return f"redis://127.0.0.1:{port}/0"


async def test_a_follower_in_another_process_misses_nothing_when_redis_dies(
    database: Database, scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adapter, "RETRY_SECONDS", 0.05)
    port = free_port()
    url = f"redis://127.0.0.1:{port}/0"
    house = living(database)
    ada = await house.account()
    async with AsyncExitStack() as stack:
        with redis_on(port, scratch):
            here = await stack.enter_async_context(over_redis(url))
            there = await stack.enter_async_context(over_redis(url))
            await _joined(here, there)
            writer, reader = (type(house.journal)(house.journal.log, fanout) for fanout in (here, there))
            lookout = Lookout(PostgresChangeLog(database), there.local)
            await stack.enter_async_context(in_background(lookout.run()))
            changes = reader.follow(ada, 0)
            await _write(writer, ada, 1)
            seen = [(await _next(changes)).seq]
        for number in (2, 3):
            await _write(writer, ada, number)
        with redis_on(port, scratch):
            seen += [(await _next(changes)).seq for _ in range(2)]
            await _joined(here, there)
            await _write(writer, ada, 4)
            seen.append((await _next(changes)).seq)
        await changes.aclose()

    assert seen == [1, 2, 3, 4]


async def _write(journal: object, account: str, number: int) -> None:
    async with journal.writing(account) as writing:  # type: ignore[attr-defined]
        writing.record(ChangeKind.PROGRESS, {"n": number})


async def _next(changes: AsyncIterator[Change]) -> Change:
    async with asyncio.timeout(PATIENCE_SECONDS):
        return await anext(changes)


# Presence


@pytest.fixture(params=["in process", "over redis"])
async def presence(request: pytest.FixtureRequest) -> AsyncIterator[Presence]:
    if request.param == "in process":
        yield LocalPresence()
        return
    async with Redis.from_url(request.getfixturevalue("redis_url")) as client:
        yield RedisPresence(client, LocalPresence())


async def test_a_lease_makes_a_device_online_until_it_leaves(presence: Presence) -> None:
    tv, phone = str(uuid4()), str(uuid4())
    await presence.renew(tv, 60)
    assert await presence.online([tv, phone, tv]) == {tv}
    assert await presence.online([]) == set()

    await presence.leave(tv)
    await presence.leave(phone)

    assert await presence.online([tv, phone]) == set()


async def test_a_lease_lapses_unless_it_is_renewed(presence: Presence) -> None:
    tv, phone = str(uuid4()), str(uuid4())
    await presence.renew(tv, 0.2)
    await presence.renew(phone, 0.2)
    await presence.renew(phone, 60)
    assert await presence.online([tv, phone]) == {tv, phone}

    await asyncio.sleep(0.3)

    assert await presence.online([tv, phone]) == {phone}


async def test_a_device_is_online_while_anybody_holds_it(presence: Presence) -> None:
    tv = str(uuid4())
    await presence.renew(tv, 60, "one")
    await presence.renew(tv, 60, "two")
    await presence.renew(tv, 60)

    await presence.leave(tv, "one", "heartbeat", "nobody")
    assert await presence.online([tv]) == {tv}
    await presence.leave(tv, "two")

    assert await presence.online([tv]) == set()


async def test_what_is_left_lapses_when_it_would_have(presence: Presence) -> None:
    tv, phone = str(uuid4()), str(uuid4())
    await presence.renew(tv, 60, "long")
    await presence.renew(tv, 0.2, "short")
    await presence.renew(phone, 0.1, "short")
    await presence.renew(phone, 60, "long")
    await asyncio.sleep(0.3)
    assert await presence.online([tv, phone]) == {tv, phone}

    await presence.leave(tv, "long")
    await presence.leave(phone, "long")

    assert await presence.online([tv, phone]) == set()


async def test_leaving_ends_every_lease(presence: Presence) -> None:
    tv = str(uuid4())
    await presence.renew(tv, 60, "one")
    await presence.renew(tv, 60)

    await presence.leave(tv)

    assert await presence.online([tv]) == set()


async def test_devices_that_lapsed_are_not_kept_for_ever() -> None:
    clock = Clock()
    presence = LocalPresence(clock.seconds)
    for number in range(100):
        await presence.renew(str(number), 90)
        clock.turn(10)

    assert len(presence._leases) == 9


async def test_presence_is_shared_by_processes(redis_url: str) -> None:
    tv = str(uuid4())
    async with Redis.from_url(redis_url) as client:
        here, there = (RedisPresence(client, LocalPresence()) for _ in range(2))

        await here.renew(tv, 60)
        assert await there.online([tv]) == {tv}
        await there.leave(tv)

        assert await here.online([tv]) == set()


async def test_nobody_waits_for_a_redis_that_hangs() -> None:
    tv = str(uuid4())
    with socket.socket() as hole:
        hole.bind(("127.0.0.1", 0))
        hole.listen()
        url = f"redis://127.0.0.1:{hole.getsockname()[1]}/0"
        async with Redis.from_url(url, socket_timeout=0.05) as client:
            presence = RedisPresence(client, LocalPresence())
            fanout = RedisFanout(client, client, LocalFanout())
            for _ in range(3):
                await presence.renew(tv, 60)
                await fanout.publish([change(tv, 1)])
            began = time.monotonic()

            for _ in range(20):
                assert await presence.online([tv]) == {tv}
                await fanout.publish([change(tv, 1)])

            assert time.monotonic() - began < 0.04


async def test_while_redis_is_away_a_process_knows_its_own_devices(scratch: Path) -> None:
    tv, phone, port = str(uuid4()), str(uuid4()), free_port()
    clock = Clock()
    async with Redis.from_url(f"redis://127.0.0.1:{port}/0", socket_timeout=1.0) as client:
        presence = RedisPresence(client, LocalPresence(), Guard(Breaker(clock.seconds)))
        with redis_on(port, scratch):
            await presence.renew(tv, 60)

        assert await presence.online([tv, phone]) == {tv}
        await presence.renew(phone, 60)
        assert await presence.online([tv, phone]) == {tv, phone}
        await presence.leave(tv)
        assert await presence.online([tv, phone]) == {phone}

        with redis_on(port, scratch):
            clock.turn(10)
            await presence.renew(phone, 60)
            elsewhere = RedisPresence(client, LocalPresence())
            assert await elsewhere.online([tv, phone]) == {phone}
            assert await presence.online([tv, phone]) == {phone}
