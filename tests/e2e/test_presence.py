"""Presence over two processes: devices that are there by their streams, and go when a process or they die."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from resolvers.sync import seq_of
from tests.conftest import fresh_database
from tests.e2e import operations
from tests.e2e.followers import Follower, Transport, following, until
from tests.e2e.server import PASSWORD, Client, Server, register, running, share_key, start

LEASE_SECONDS = 3.0
"""In place of 90: what the setting says holds for the device, its streams and those who look."""
IDLE_SECONDS = 4.0
"""In place of 300."""
SLACK_SECONDS = 2.0
SOON_SECONDS = 1.5
"""The usual delay, and as much as a busy machine needs."""
COMMANDS = "subscription ($device: ID!) { deviceCommands(deviceId: $device) { cursor } }"
DEVICES = "subscription { devices { device { id online } } }"
CHANGES = "subscription ($after: String) { changes(after: $after) { ... on DeviceChanged { cursor } } }"
SEEN = "subscription { changes { ... on DeviceChanged { device { id online } } } }"
ONLINE = "{ viewer { devices { id online } } }"
BEAT = """mutation ($device: ID!, $leaving: Boolean!) {
  heartbeat(input: {deviceId: $device, leaving: $leaving}) { userErrors { message } } }"""
DOES = "id activity nowPlaying { content { title } } battery { level charging } networkQuality"
DOING = f"subscription {{ devices {{ device {{ {DOES} }} }} }}"
DONE = f"{{ viewer {{ devices {{ {DOES} }} }} }}"
TELL = """mutation ($input: HeartbeatInput!) { heartbeat(input: $input) { userErrors { field message } } }"""
STOP = "mutation ($id: ID!) { endPlayback(input: {sessionId: $id}) { userErrors { message } } }"
INCOGNITO = """mutation ($device: ID!) { setIncognito(input: {deviceId: $device, incognito: true}) {
  userErrors { message } } }"""
SIGN_IN = f"""mutation ($email: String!) {{ signIn(input: {{email: $email, password: "{PASSWORD}"}}) {{
  accessToken }} }}"""


@pytest.fixture(scope="module")
async def told(postgres_url: str, redis_url: str) -> dict[str, str]:
    return {
        "database_url": await fresh_database(postgres_url, "media_gateway_presence"),
        "redis_url": redis_url,
        "background_work": "false",
        "demo_catalogue": "false",
        "device_lease_seconds": str(LEASE_SECONDS),
        "device_idle_seconds": str(IDLE_SECONDS),
    }


@pytest.fixture(scope="module")
async def staying(scratch: Path, told: dict[str, str]) -> AsyncIterator[Server]:
    """The process that is not killed, brings the titles, and does the worker's jobs."""
    its = {"background_work": "true", "demo_catalogue": "true"}
    async with running(scratch / "presence-1", **(told | its)) as server:
        yield server


@pytest.fixture
async def dying(scratch: Path, staying: Server, told: dict[str, str]) -> AsyncIterator[Server]:
    folder = scratch / "presence-2"
    share_key(staying.log.parent, folder)
    server = await start(folder, **told)
    try:
        yield server
    finally:
        if server.process.returncode is None:
            server.kill()
            await server.process.wait()


async def signed_in(server: Server, email: str) -> tuple[Client, Client, str]:
    """Somebody who looks, a TV in a sign-in of its own, and its id."""
    watcher = await register(server, email)
    tv = Client(server, (await watcher.ask(SIGN_IN, email=email))["signIn"]["accessToken"])
    registered = await tv.ask(operations.REGISTER_DEVICE, name="TV", kind="TV")
    return watcher, tv, str(registered["registerDevice"]["device"]["id"])


async def online(client: Client, device: str) -> bool:
    shown = (await client.ask(ONLINE))["viewer"]["devices"]
    return next(bool(each["online"]) for each in shown if each["id"] == device)


async def until_offline(client: Client, device: str) -> float:
    """How long it took."""
    began = time.monotonic()
    async with asyncio.timeout(LEASE_SECONDS * 3):
        while await online(client, device):  # noqa: ASYNC110 - another process is waited for
            await asyncio.sleep(0.05)
    return time.monotonic() - began


async def next_of(stream: Any, field: str, device: str, *, online: bool) -> float:
    """When it was told that the device came, or went."""
    async with asyncio.timeout(LEASE_SECONDS * 3):
        while True:
            told = (await stream.next())[field].get("device")
            if told == {"id": device, "online": online}:
                return time.monotonic()


@asynccontextmanager
async def open_stream(server: Server, client: Client, transport: Transport) -> AsyncIterator[Follower]:
    """A stream of changes of the client, which names no device."""
    follower = Follower(client.token or "", CHANGES, transport)
    async with following(server, follower):
        await until(lambda: follower.status != 0)
        yield follower


async def test_a_device_whose_process_is_killed_is_told_offline_when_its_lease_lapses(
    staying: Server, dying: Server
) -> None:
    watcher, tv, device = await signed_in(staying, "killed@example.com")
    async with (
        watcher.follow(DEVICES) as devices,
        watcher.follow(SEEN) as changes,
        open_stream(dying, tv, Transport.EVENTS) as stream,
    ):
        # Longer than a lease: the open stream alone has renewed it.
        await asyncio.sleep(LEASE_SECONDS * 1.3)
        assert await online(watcher, device)

        killed_at = time.monotonic()
        dying.kill()
        told_at = await asyncio.gather(
            next_of(devices, "devices", device, online=False),
            next_of(changes, "changes", device, online=False),
        )
        assert not await online(watcher, device)
        assert stream.ended == "silence"

    for at in told_at:
        assert LEASE_SECONDS / 3 <= at - killed_at <= LEASE_SECONDS + SLACK_SECONDS


async def test_a_device_that_falls_silent_is_told_offline_when_its_lease_lapses(staying: Server) -> None:
    watcher, tv, device = await signed_in(staying, "silent@example.com")
    async with watcher.follow(DEVICES) as devices:
        await asyncio.sleep(LEASE_SECONDS / 2)
        await tv.ask(BEAT, device=device, leaving=False)
        beat_at = time.monotonic()
        shown = await until_offline(watcher, device)
        told_at = await next_of(devices, "devices", device, online=False)
        await tv.ask(BEAT, device=device, leaving=False)
        back_at = await next_of(devices, "devices", device, online=True)

    assert LEASE_SECONDS - 0.5 <= shown <= LEASE_SECONDS + SLACK_SECONDS
    assert told_at - beat_at <= LEASE_SECONDS + SLACK_SECONDS
    assert back_at > told_at


@pytest.mark.parametrize("transport", list(Transport))
async def test_a_device_goes_at_once_with_the_clean_close_of_its_last_stream(
    staying: Server, dying: Server, transport: Transport
) -> None:
    watcher, tv, device = await signed_in(staying, f"closing-{transport.name.lower()}@example.com")
    async with watcher.follow(DEVICES) as devices:
        async with open_stream(staying, tv, transport.next):
            async with open_stream(dying, tv, transport):
                await asyncio.sleep(0.3)
            await asyncio.sleep(0.3)
            assert await online(watcher, device)  # the other process has a stream of it
            closed_at = time.monotonic()
        told_at = await next_of(devices, "devices", device, online=False)
        assert not await online(watcher, device)

    assert told_at - closed_at < 1.0


async def test_a_clean_close_takes_a_device_offline_at_once(staying: Server) -> None:
    watcher, tv, device = await signed_in(staying, "leaving@example.com")
    async with tv.follow(COMMANDS, device=device):
        await asyncio.sleep(0.3)
        assert await online(watcher, device)
    closed = await until_offline(watcher, device)
    await tv.ask(BEAT, device=device, leaving=False)
    assert await online(watcher, device)
    await tv.ask(BEAT, device=device, leaving=True)
    left = await until_offline(watcher, device)

    assert closed < 1.0
    assert left < 1.0


async def next_doing(stream: Any, device: str, **wanted: Any) -> float:
    """When the stream told all of this of the device."""
    async with asyncio.timeout(LEASE_SECONDS + IDLE_SECONDS + SLACK_SECONDS):
        while True:
            told = (await stream.next())["devices"]["device"]
            if told["id"] == device and wanted.items() <= told.items():
                return time.monotonic()


async def doing(client: Client, device: str) -> dict[str, Any]:
    shown = (await client.ask(DONE))["viewer"]["devices"]
    return next(dict(each) for each in shown if each["id"] == device)


async def tell(client: Client, device: str, **sign: Any) -> list[Any]:
    given = {"deviceId": device} | sign
    errors: list[Any] = (await client.ask(TELL, input=given))["heartbeat"]["userErrors"]
    return errors


async def test_what_a_device_does_is_seen_at_another_process_and_after_its_own_is_killed(
    staying: Server, dying: Server
) -> None:
    watcher, there, device = await signed_in(staying, "doing@example.com")
    tv = Client(dying, there.token)
    movie = (await tv.ask(operations.FIND, slug="the-matrix-1999"))["content"]["id"]
    battery = {"level": 0.4, "charging": True}
    async with watcher.follow(DOING) as devices:
        await tell(tv, device, idleSeconds=0, battery=battery, networkQuality="POOR")
        told_at = time.monotonic()
        seen = await next_doing(devices, device, activity="BROWSING", battery=battery, networkQuality="POOR")
        assert seen - told_at < SOON_SECONDS

        started = (await tv.ask(operations.START, content=movie, device=device))["startPlayback"]["session"]
        told_at = time.monotonic()
        title = {"content": {"title": "The Matrix"}}
        assert (
            await next_doing(devices, device, activity="WATCHING", nowPlaying=title) - told_at < SOON_SECONDS
        )
        here, elsewhere = await doing(watcher, device), await doing(tv, device)
        assert here == elsewhere

        dying.kill()
        await dying.process.wait()
        assert await doing(watcher, device) == here
        await tell(there, device, idleSeconds=0)
        await there.ask(STOP, id=started["id"])
        await next_doing(devices, device, activity="BROWSING", nowPlaying=None)
        acted_at = time.monotonic()
        while time.monotonic() - acted_at < IDLE_SECONDS - 1:
            await asyncio.sleep(LEASE_SECONDS / 3)
            await tell(there, device, idleSeconds=int(time.monotonic() - acted_at), battery=battery)
        idle_at = await next_doing(devices, device, activity="IDLE", battery=battery)
        gone_at = await next_doing(devices, device, activity="OFFLINE", battery=None, networkQuality=None)

    assert IDLE_SECONDS - 1.5 <= idle_at - acted_at <= IDLE_SECONDS + SLACK_SECONDS
    assert gone_at > idle_at


async def test_an_incognito_device_shows_that_it_is_there_and_nothing_that_is_done(
    staying: Server, dying: Server
) -> None:
    watcher, there, device = await signed_in(staying, "unseen@example.com")
    tv = Client(dying, there.token)
    movie = (await tv.ask(operations.FIND, slug="the-matrix-1999"))["content"]["id"]
    await tv.ask(INCOGNITO, device=device)
    async with watcher.follow(DOING) as devices:
        await tell(tv, device, idleSeconds=0)
        await tv.ask(operations.START, content=movie, device=device)
        await tell(tv, device, idleSeconds=0, networkQuality="GOOD")
        await next_doing(devices, device, networkQuality="GOOD", activity=None, nowPlaying=None)

    assert (await doing(watcher, device))["activity"] is None


async def test_heartbeats_without_news_do_not_reach_the_log(staying: Server) -> None:
    watcher, tv, device = await signed_in(staying, "ticking@example.com")
    before = await cursor(watcher)
    for tick in range(100):
        battery = {"level": round(1 - tick / 500, 3)}
        assert await tell(tv, device, idleSeconds=tick % 3, battery=battery, networkQuality="GOOD") == []
    after = await cursor(watcher)

    shown = await doing(watcher, device)
    assert (shown["activity"], shown["networkQuality"]) == ("BROWSING", "GOOD")
    assert abs(shown["battery"]["level"] - battery["level"]) < 0.05
    assert after - before == 4  # 1, 0.95, 0.9 and 0.85
    assert (await tell(tv, device, battery={"level": 2}))[0]["field"] == ["battery", "level"]


async def cursor(client: Client) -> int:
    """The number of the account's latest change."""
    return seq_of((await client.ask(operations.CONTINUE))["viewer"]["syncCursor"]) or 0
