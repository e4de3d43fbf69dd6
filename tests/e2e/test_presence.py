"""Presence over two processes and Redis: leases that lapse when a process or a device dies."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import fresh_database
from tests.e2e import operations
from tests.e2e.server import Client, Server, register, running, start

LEASE_SECONDS = 3.0
"""In place of 90: what the setting says holds for the device, its streams and those who look."""
SLACK_SECONDS = 1.5
COMMANDS = "subscription ($device: ID!) { deviceCommands(deviceId: $device) { cursor } }"
DEVICES = "subscription { devices { device { id online } } }"
ONLINE = "{ viewer { devices { online } } }"
BEAT = """mutation ($device: ID!, $leaving: Boolean!) {
  heartbeat(input: {deviceId: $device, leaving: $leaving}) { userErrors { message } } }"""


@pytest.fixture(scope="module")
async def told(postgres_url: str, redis_url: str) -> dict[str, str]:
    return {
        "database_url": await fresh_database(postgres_url, "media_gateway_presence"),
        "redis_url": redis_url,
        "background_work": "false",
        "device_lease_seconds": str(LEASE_SECONDS),
    }


@pytest.fixture(scope="module")
async def staying(scratch: Path, told: dict[str, str]) -> AsyncIterator[Server]:
    """The process that is not killed."""
    async with running(scratch / "presence-1", **told) as server:
        yield server


async def online(client: Client) -> bool:
    (device,) = (await client.ask(ONLINE))["viewer"]["devices"]
    shown: bool = device["online"]
    return shown


async def device_of(client: Client, name: str) -> str:
    registered = await client.ask(operations.REGISTER_DEVICE, name=name, kind="TV")
    key: str = registered["registerDevice"]["device"]["id"]
    return key


async def until_offline(client: Client) -> float:
    """How long it took."""
    began = time.monotonic()
    async with asyncio.timeout(LEASE_SECONDS * 3):
        while await online(client):  # noqa: ASYNC110 - another process is waited for
            await asyncio.sleep(0.05)
    return time.monotonic() - began


async def test_a_device_whose_process_is_killed_is_offline_when_its_lease_lapses(
    scratch: Path, staying: Server, told: dict[str, str]
) -> None:
    folder = scratch / "presence-2"
    folder.mkdir()
    (folder / "signing-key.json").write_bytes((scratch / "presence-1" / "signing-key.json").read_bytes())
    (folder / "signing-key.json").chmod(0o600)
    killed = await start(folder, **told)
    watcher = await register(staying, "killed@example.com")
    tv = Client(killed, watcher.token)
    device = await device_of(tv, "TV")
    try:
        async with watcher.follow(DEVICES) as devices:
            listening = asyncio.create_task(listen(tv, device))
            # Longer than a lease: the open stream alone has renewed it.
            await asyncio.sleep(LEASE_SECONDS * 1.3)
            assert await online(watcher)

            killed.kill()
            seconds = await until_offline(watcher)
            gone = await next_of(devices, device, online=False)
            await asyncio.gather(listening, return_exceptions=True)
    finally:
        if killed.process.returncode is None:
            killed.kill()

    assert LEASE_SECONDS / 3 <= seconds <= LEASE_SECONDS + SLACK_SECONDS
    assert gone["online"] is False


async def listen(client: Client, device: str) -> None:
    async with client.follow(COMMANDS, device=device) as stream:
        await stream.socket.wait_closed()


async def next_of(devices: Any, device: str, *, online: bool) -> Any:
    async with asyncio.timeout(LEASE_SECONDS * 2):
        while True:
            told = (await devices.next())["devices"]["device"]
            if told["id"] == device and told["online"] is online:
                return told


async def test_a_device_that_falls_silent_is_offline_when_its_lease_lapses(staying: Server) -> None:
    watcher = await register(staying, "silent@example.com")
    device = await device_of(watcher, "TV")
    await asyncio.sleep(LEASE_SECONDS / 2)
    await watcher.ask(BEAT, device=device, leaving=False)

    seconds = await until_offline(watcher)

    assert LEASE_SECONDS - 0.5 <= seconds <= LEASE_SECONDS + SLACK_SECONDS


async def test_a_clean_close_takes_a_device_offline_at_once(staying: Server) -> None:
    watcher = await register(staying, "leaving@example.com")
    device = await device_of(watcher, "TV")
    async with watcher.follow(COMMANDS, device=device):
        await asyncio.sleep(0.3)
        assert await online(watcher)
    closed = await until_offline(watcher)
    await watcher.ask(BEAT, device=device, leaving=False)
    assert await online(watcher)
    await watcher.ask(BEAT, device=device, leaving=True)
    left = await until_offline(watcher)

    assert closed < 1.0
    assert left < 1.0
