"""Commands over two processes: each reaches its device once and in order, and its sender hears of its end."""

import asyncio
import time
from collections.abc import AsyncIterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from domain.sync.listeners import BEAT_SECONDS, SILENT_FOR
from tests.conftest import fresh_database
from tests.e2e import operations
from tests.e2e.followers import Follower, Transport, following, until
from tests.e2e.server import Client, Server, register, running_pair, share_key, start

COUNT = 60
NUMBERS = count(1000)
SILENT_SECONDS = SILENT_FOR.total_seconds()
SEND = """mutation ($device: ID!, $to: Int!, $seconds: Int!) { sendCommand(input: {
  deviceId: $device, command: {seek: {positionSeconds: $to}}, expiresInSeconds: $seconds}) {
  command { id } userErrors { message } } }"""
ANSWER = """mutation ($command: ID!, $failure: String, $report: CommandReport!) { acknowledgeCommand(input: {
  commandId: $command, failure: $failure, report: $report}) { userErrors { message } } }"""
COMMANDS = """subscription ($device: ID!, $after: String) { deviceCommands(deviceId: $device, after: $after) {
  cursor command { id arguments } } }"""
SENT = """subscription ($after: String) { commands(after: $after) {
  cursor command { id state failure arguments } } }"""


@pytest.fixture(scope="module")
async def settings(postgres_url: str, redis_url: str) -> dict[str, str]:
    return {
        "database_url": await fresh_database(postgres_url, "media_gateway_commands"),
        "redis_url": redis_url,
        "demo_catalogue": "false",
        "cost_mode": "off",
    }


@pytest.fixture(scope="module")
async def servers(scratch: Path, settings: dict[str, str]) -> AsyncIterator[tuple[Server, Server]]:
    async with running_pair(scratch / "commands", **settings) as pair:
        yield pair


async def tv_of(client: Client) -> tuple[str, str]:
    """A TV, and the cursor from which its commands are followed."""
    registered = await client.ask(operations.REGISTER_DEVICE, name="TV", kind="TV")
    cursor = (await client.ask("{ viewer { syncCursor } }"))["viewer"]["syncCursor"]
    return registered["registerDevice"]["device"]["id"], cursor


async def send(client: Client, device: str, to: int, seconds: int = 60) -> str:
    sent = (await client.ask(SEND, device=device, to=to, seconds=seconds))["sendCommand"]
    assert sent["userErrors"] == []
    return str(sent["command"]["id"])


def places(events: list[Any]) -> list[int]:
    return [event["command"]["arguments"]["positionSeconds"] for event in events]


@pytest.mark.parametrize("transport", list(Transport))
async def test_commands_of_two_processes_come_once_each_and_in_the_order_of_their_acceptance(
    servers: tuple[Server, Server], transport: Transport
) -> None:
    here, there = servers
    phone = await register(here, f"order-{transport.name.lower()}@example.com")
    device, cursor = await tv_of(phone)
    senders = [phone, Client(there, phone.token)]
    tv = Follower(phone.token or "", COMMANDS, transport, cursor, {"device": device})

    async with following(there, tv):
        for number in range(COUNT // 2):
            await send(senders[number % 2], device, number)
        at_once = [send(senders[number % 2], device, number) for number in range(COUNT // 2, COUNT)]
        await asyncio.gather(*at_once)
        await until(lambda: len(tv.events) >= COUNT)
        await asyncio.sleep(0.5)  # for what might come twice

    assert places(tv.events[: COUNT // 2]) == list(range(COUNT // 2))
    assert sorted(places(tv.events)) == list(range(COUNT))
    cursors = [event["cursor"] for event in tv.events]
    log = Follower(phone.token or "", SENT, transport.next, cursor)
    async with following(here, log):
        await until(lambda: len({event["command"]["id"] for event in log.events}) == COUNT)
    accepted = list(dict.fromkeys(event["command"]["id"] for event in log.events))
    assert [event["command"]["id"] for event in tv.events] == accepted
    assert len(set(cursors)) == COUNT


@pytest.mark.parametrize("transport", list(Transport))
async def test_a_sender_at_another_process_hears_of_each_end(
    servers: tuple[Server, Server], transport: Transport
) -> None:
    here, there = servers
    phone = await register(here, f"ends-{transport.name.lower()}@example.com")
    device, cursor = await tv_of(phone)
    tv = Client(there, phone.token)
    sender = Follower(phone.token or "", SENT, transport, cursor)
    obeying = Follower(phone.token or "", COMMANDS, transport, cursor, {"device": device})

    def told(command: str) -> list[tuple[str, str | None]]:
        found = [event["command"] for event in sender.events]
        return [(each["state"], each["failure"]) for each in found if each["id"] == command]

    async with following(here, sender), following(there, obeying):
        failed, done = await send(phone, device, 1), await send(phone, device, 2)
        await until(lambda: len(obeying.events) == 2)
        silent = await send(phone, device, 3, seconds=1)
        await tv.ask(ANSWER, command=failed, failure="No such place.", report="EXECUTED")
        await tv.ask(ANSWER, command=done, failure=None, report="ACKNOWLEDGED")
        await tv.ask(ANSWER, command=done, failure=None, report="EXECUTED")
        await until(lambda: ("EXPIRED", None) in told(silent), 10)
        await until(lambda: len(told(done)) == 4, 10)

    assert told(failed) == [("QUEUED", None), ("DELIVERED", None), ("FAILED", "No such place.")]
    assert told(done) == [(state, None) for state in ("QUEUED", "DELIVERED", "ACKNOWLEDGED", "EXECUTED")]
    assert told(silent) == [("QUEUED", None), ("DELIVERED", None), ("EXPIRED", None)]


async def test_an_earlier_stream_takes_over_when_the_process_of_the_latest_is_killed(
    servers: tuple[Server, Server], settings: dict[str, str], scratch: Path
) -> None:
    here, _ = servers
    phone = await register(here, "killed@example.com")
    device, _ = await tv_of(phone)
    # From now on: behind a cursor the latest would be handed again what the earlier one has.
    earlier, latest = (
        Follower(phone.token or "", COMMANDS, Transport.EVENTS, None, {"device": device}) for _ in range(2)
    )
    share_key(here.log.parent, scratch / "commands-killed")
    dying = await start(scratch / "commands-killed", **settings)

    async with following(here, earlier):
        await sent_until(phone, device, earlier)
        async with following(dying, latest):
            await sent_until(phone, device, latest)
            known = len(earlier.events)
            dying.kill()
            await dying.process.wait()
            killed_at = time.monotonic()
            await sent_until(phone, device, earlier)
            seconds = time.monotonic() - killed_at

    assert SILENT_SECONDS - BEAT_SECONDS - 1 <= seconds <= SILENT_SECONDS + 5
    handed = places(earlier.events[:known]) + places(latest.events) + places(earlier.events[known:])
    assert handed == sorted(set(handed))


async def sent_until(phone: Client, device: str, follower: Follower) -> None:
    """Commands, until this one is told of another."""
    known = len(follower.events)
    async with asyncio.timeout(30):
        while len(follower.events) == known:
            await send(phone, device, next(NUMBERS))
            await asyncio.sleep(0.3)
